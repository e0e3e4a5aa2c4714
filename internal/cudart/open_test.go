package cudart

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestOpenWithoutDriver checks that the error alone is enough to go on with.
func TestOpenWithoutDriver(t *testing.T) {
	_, err := Open()
	if err == nil {
		t.Skip("this machine has a driver")
	}
	missing, ok := errors.AsType[*LibraryError](err)
	if !ok {
		t.Skipf("this machine has a driver, but it does not start: %v", err)
	}
	want := []string{"libcuda.so.1", "Linux", "nogpu", "CPU"}
	if hasLoader {
		want = []string{"load libcuda.so.1: ", "(searched libcuda.so.1, /usr/local/nvidia/lib64/libcuda.so.1, ", "install NVIDIA's driver", "nvidia-smi"}
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in: %v", part, err)
		}
	}
	if missing.Library != driverLibrary || missing.Cause == nil || missing.Advice == "" {
		t.Errorf("incomplete: %+v", missing)
	}
}

// TestOpenLibraryCause checks that a file that is there and broken is reported
// rather than the names that are not.
func TestOpenLibraryCause(t *testing.T) {
	if !hasLoader {
		t.Skip("this build opens no libraries")
	}
	root := fstest.MapFS{"nowhere/libbroken.so": {}}
	search := []string{"libabsent.so.9", "/nowhere/libbroken.so", "/nowhere/libother.so"}
	_, err := openLibrary(root, "libbroken.so", search, "mend it")
	if err == nil || !strings.HasSuffix(err.Error(), "(searched libabsent.so.9, /nowhere/libbroken.so, /nowhere/libother.so); mend it") ||
		!strings.HasPrefix(err.Error(), "load libbroken.so: /nowhere/libbroken.so: ") {
		t.Errorf("error: %v", err)
	}
}

// TestCompilerSearch checks which libnvrtc is taken of those on a machine.
func TestCompilerSearch(t *testing.T) {
	root := fstest.MapFS{}
	for _, file := range []string{
		"opt/venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"opt/venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.9",
		"opt/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"usr/local/cuda/targets/x86_64-linux/lib/libnvrtc.so.12",
		"usr/local/cuda-9.2/lib64/libnvrtc.so",
		"usr/local/cuda-12.4/lib64/libnvrtc.so.12",
		"usr/local/cuda-12.10/lib64/libnvrtc.so.12",
		"usr/local/cuda-13.0/targets/sbsa-linux/lib/libnvrtc.so.13",
		"usr/local/lib/python3.11/dist-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"srv/mine/libnvrtc.so.13",
	} {
		root[file] = &fstest.MapFile{}
	}
	got := expand(root, compilerSearch([]string{"/srv/mine", "/srv/[malformed"}))
	want := []string{
		"/srv/mine/libnvrtc.so.13",                        // the caller's choice
		"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", // the loader's
		"/usr/local/cuda/targets/x86_64-linux/lib/libnvrtc.so.12", // the system's toolkit
		"/usr/local/cuda-12.10/lib64/libnvrtc.so.12",              // others, 10 after 4
		"/usr/local/cuda-12.4/lib64/libnvrtc.so.12",
		"/usr/local/cuda-9.2/lib64/libnvrtc.so",
		"/usr/local/cuda-13.0/targets/sbsa-linux/lib/libnvrtc.so.13",
		"/usr/local/lib/python3.11/dist-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"/opt/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"/opt/venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestCompareVersions(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"cuda-9.2", "cuda-12.4", -1},
		{"cuda-12.4", "cuda-12.10", -1},
		{"cuda-12.4", "cuda-12.4", 0},
		{"cuda-12.4/lib", "cuda-12.4", 1},
		{"cuda-a", "cuda-b", -1},
		{"x99999999999999999999999", "x1", 1},
		{"", "1", -1},
	}
	for _, tt := range tests {
		if got := compareVersions(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := compareVersions(tt.b, tt.a); got != -tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

func TestBind(t *testing.T) {
	library := map[string]uintptr{"old": 1, "new_v2": 2, "new": 3}
	var fallback, newest, optional, missing, other symbol
	lookup := func(name string) uintptr { return library[name] }
	err := bind([]binding{
		{to: &fallback, names: []string{"old_v2", "old"}},
		{to: &newest, names: []string{"new_v2", "new"}},
		{to: &optional, names: []string{"sometimes"}, optional: true},
	}, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if fallback != (symbol{"old", 1}) || newest != (symbol{"new_v2", 2}) || optional.address != 0 {
		t.Errorf("bound %v, %v, %v", fallback, newest, optional)
	}
	err = bind([]binding{{to: &missing, names: []string{"a_v2", "a"}}, {to: &other, names: []string{"b"}}}, lookup)
	if err == nil || err.Error() != "no symbol a_v2, b" {
		t.Errorf("error: %v", err)
	}
}

func TestFormatVersion(t *testing.T) {
	for number, want := range map[int]string{13000: "13.0", 12040: "12.4", 11080: "11.8"} {
		if got := formatVersion(number); got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}
