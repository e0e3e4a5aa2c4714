package fingerprint

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
	"siglab/internal/secret"
)

// The test binary plays the interpreter when it is called like one.
func TestMain(m *testing.M) {
	if isPython(os.Args[0]) {
		dir, _ := os.Getwd() // part of the answer
		fmt.Println("start-up code of a site may print")
		fmt.Printf("%s\n", os.Getenv("FAKE_ANSWER"))
		fmt.Fprintln(os.Stderr, dir)
		if os.Getenv("FAKE_ANSWER") == "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindPython(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("programs are found in another way there")
	}
	dir := t.TempDir()
	python := write(t, filepath.Join(dir, "venv/bin/python3"), "", 0o755)
	write(t, filepath.Join(dir, "venv/bin/vllm"), "#!"+python+"\nimport vllm", 0o755)
	write(t, filepath.Join(dir, "venv/bin/long"), "#!/bin/sh\n'''exec' \""+python+"\" \"$0\" \"$@\"\n' '''\nimport x", 0o755)
	write(t, filepath.Join(dir, "venv/bin/env"), "#!/usr/bin/env python3\nimport x", 0o755)
	write(t, filepath.Join(dir, "venv/bin/native"), "\x7fELF", 0o755)
	write(t, filepath.Join(dir, "venv/bin/notes"), "#!"+python, 0o644)
	write(t, filepath.Join(dir, "work/serve.py"), "", 0o644)
	env := []string{"PATH=/nowhere", "PATH=" + filepath.Join(dir, "venv/bin")}
	bin, work := filepath.Join(dir, "venv/bin"), filepath.Join(dir, "work")
	for _, test := range []struct {
		why  string
		argv []string
		ok   bool
		want Invocation
	}{
		{"a console script", []string{"vllm", "serve"}, true, Invocation{Program: python, Path0: bin}},
		{"a script whose first line would be too long", []string{"long"}, true, Invocation{Program: python, Path0: bin}},
		{"a script that asks env", []string{"env"}, true, Invocation{Program: python, Path0: bin}},
		{"a module runs in the working directory", []string{"python3", "-X", "dev", "-O", "-m", "vllm", "-x"}, true, Invocation{Program: python, Flags: []string{"-X", "dev", "-O"}}},
		{"a script of the working directory", []string{"python3", "serve.py"}, true, Invocation{Program: python, Path0: work}},
		{"a relative program", []string{"../venv/bin/vllm"}, true, Invocation{Program: python, Path0: bin}},
		{"a native program", []string{"native"}, false, Invocation{}},
		{"what may not be run", []string{"notes"}, false, Invocation{}},
		{"what is not there", []string{"missing"}, false, Invocation{}},
		{"nothing", nil, false, Invocation{}},
	} {
		got, ok := FindPython(test.argv, work, env)
		if test.ok {
			test.want.Dir, test.want.Env = work, env
			if real, err := filepath.EvalSymlinks(test.want.Path0); err == nil && test.want.Path0 != "" {
				test.want.Path0 = real
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %v (-want +got):\n%s", test.why, ok, diff)
		}
	}
}

func TestAsk(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python3")
	if err := os.Symlink(os.Args[0], python); err != nil {
		t.Skip(err)
	}
	ask := func(answer string) (Installation, error) {
		return Invocation{Program: python, Dir: t.TempDir(), Env: []string{"FAKE_ANSWER=" + answer}}.Ask(t.Context(), "m")
	}
	got, err := ask(`{"executable": "/x/python3", "version": "3.11.7", "origin": "/x/m/__init__.py", "packages": {"torch": "2.13.0"}}`)
	want := Installation{record.Python{Executable: "/x/python3", Version: "3.11.7", Packages: map[string]string{"torch": "2.13.0"}}, "/x/m/__init__.py"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "{", "no JSON", "{}"} {
		if _, err := ask(bad); err == nil || !strings.Contains(err.Error(), python) {
			t.Errorf("answer %q: error %v", bad, err)
		}
	}
}

// TestAskPython: a real interpreter finds modules where the server would, which depends
// on how that was called.
func TestAskPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	dir := t.TempDir()
	for _, place := range []string{"overlay", "work", "script"} {
		write(t, filepath.Join(dir, place, "siglab_probed/__init__.py"), "raise SystemExit('it was run')", 0o644)
	}
	work := filepath.Join(dir, "work")
	for _, test := range []struct {
		why, path0 string
		env        []string
		want       string
	}{
		{"a module's working directory comes first", "", []string{"PYTHONPATH=" + filepath.Join(dir, "overlay")}, "work"},
		{"a script's folder comes first", filepath.Join(dir, "script"), nil, "script"},
		{"the overlay comes before what is installed", dir, []string{"PYTHONPATH=" + filepath.Join(dir, "overlay")}, "overlay"},
	} {
		got, err := Invocation{Program: python, Path0: test.path0, Dir: work, Env: append(os.Environ(), test.env...)}.Ask(t.Context(), "siglab_probed")
		if err != nil {
			t.Skipf("python3 does not run here: %v", err)
		}
		if want := filepath.Join(dir, test.want, "siglab_probed", "__init__.py"); !sameFile(got.Origin, want) || got.Version == "" {
			t.Errorf("%s: %+v, want %s", test.why, got, want)
		}
	}
	got, err := Invocation{Program: python, Dir: work, Env: os.Environ()}.Ask(t.Context(), "siglab_no_such_module")
	if err != nil || got.Origin != "" {
		t.Errorf("a module that there is not: %+v, error %v", got, err)
	}
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// TestSteering: what steers a server is told, what is the user's own is not, and
// secrets never.
func TestSteering(t *testing.T) {
	env := ReadEnviron([]string{"HOME=/h", "VLLM_USE_V1=0", "VLLM_USE_V1=1", "HF_TOKEN=s", "PYTHONPATH=/w/python:/x", "MINE=a", "OTHER=b", "broken"})
	want := map[string]string{"VLLM_USE_V1": "1", "HF_TOKEN": secret.Hidden, "PYTHONPATH": "{worktree}/python:/x", "MINE": "a"}
	if diff := cmp.Diff(want, env.Steering([]string{"MINE"}, strings.NewReplacer("/w", "{worktree}"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if printed := fmt.Sprintf("%v %+v", env, env); strings.Contains(printed, "/h") {
		t.Errorf("printed: %s", printed)
	}
}

func TestTree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems tell less of a process")
	}
	tree := Tree(t.Context(), os.Getpid())
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(tree) == 0 || tree[0].PID != os.Getpid() || !slices.Contains(tree[0].Files, exe) || !slices.Equal(tree[0].Argv, os.Args) || len(tree[0].Env) == 0 {
		t.Errorf("tree %+v", tree)
	}
	if got := Tree(t.Context(), 1<<30); len(got) != 0 {
		t.Errorf("a process that there is not: %+v", got)
	}
}

func TestCompareBlobs(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.py"), "one\n", 0o644)
	write(t, filepath.Join(dir, "sub/b.py"), "changed\n", 0o644)
	write(t, filepath.Join(dir, "built.so"), "x", 0o644)
	const one = "5626abf0f72e58d7a153368ba57db4c673c0e171" // git hash-object of "one\n"
	got, err := CompareBlobs(dir, map[string]string{"a.py": one, "sub/b.py": one, "c.py": one, "built.so": one}, ".py")
	if diff := cmp.Diff(Difference{Same: 1, Changed: []string{"sub/b.py"}, Missing: []string{"c.py"}}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestModel(t *testing.T) {
	cache := t.TempDir()
	hub := filepath.Join(cache, "models--org--name")
	write(t, filepath.Join(hub, "refs/main"), "abc123\n", 0o644)
	config := write(t, filepath.Join(hub, "snapshots/abc123/config.json"), "{}", 0o644)
	write(t, filepath.Join(hub, "snapshots/abc123/.git/x"), "", 0o644)
	files := []record.ModelFile{{Name: "config.json", Size: 2, SHA256: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", Hashed: 2}}
	dir := filepath.Dir(config)
	for _, test := range []struct {
		why, model string
		want       record.ModelFiles
	}{
		{"a name on the hub", "org/name", record.ModelFiles{Dir: dir, Revision: "abc123", Files: files}},
		{"its directory", dir, record.ModelFiles{Dir: dir, Revision: "abc123", Files: files}},
		{"one that was not fetched", "org/other", record.ModelFiles{Detail: "it is not in the hub's cache at " + filepath.Join(cache, "models--org--other")}},
		{"another name", "served-one", record.ModelFiles{Detail: "it is no directory, and no name on the hub"}},
	} {
		if diff := cmp.Diff(test.want, *Model(test.model, cache)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
	}
}

func TestHost(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "proc/driver/nvidia/version"), "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)  Thu\nGCC version: gcc 11.4\n", 0o644)
	write(t, filepath.Join(root, "usr/local/cuda/version.json"), `{"cuda": {"name": "CUDA SDK", "version": "12.8.0"}}`, 0o644)
	write(t, filepath.Join(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"), "performance\n", 0o644)
	write(t, filepath.Join(root, "proc/1/cgroup"), "0::/kubepods.slice/x\n", 0o644)
	var got record.Environment
	Host(root, &got)
	if diff := cmp.Diff(record.Environment{Driver: "570.86.15", CUDA: "12.8.0", Governor: "performance", Container: "kubernetes"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var none record.Environment
	Host(t.TempDir(), &none)
	if diff := cmp.Diff(record.Environment{}, none); diff != "" {
		t.Errorf("a bare host (-want +got):\n%s", diff)
	}
	if m := driverVersion.FindStringSubmatch("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5"); m == nil || m[1] != "550.54.15" {
		t.Errorf("the closed driver's line gives %q", m)
	}
}
