//go:build !nogpu

package cudart

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLoadModule(t *testing.T) {
	f, c := startFake(t)
	c.Cache.Dir = filepath.Join(t.TempDir(), "cache")
	for _, cached := range []bool{false, true} {
		m := must[*Module](t)(c.LoadModule("source", "-x"))
		b := m.Build()
		if b.Cached != cached || b.Arch != "sm_90" || b.Compiler != "12.9" || b.CacheErr != nil {
			t.Errorf("build %+v", b)
		}
		if want := "kernels.cu(1): options --gpu-architecture=sm_90 -x"; !cached && b.Log != want {
			t.Errorf("log %q, want %q", b.Log, want)
		}
		_, err := m.Function("sub")
		wantError(t, err, `find the kernel "sub"`, `extern "C"`, "CUDA_ERROR_NOT_FOUND")
		for _, name := range []string{"", "a\x00d"} {
			_, err = m.Function(name)
			wantError(t, err, "is no name of a kernel")
		}
		for range 2 {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
		_, err = m.Function("add")
		wantError(t, err, "module is closed")
	}
	if n := f.calls["nvrtcCompileProgram"]; n != 1 {
		t.Errorf("compiled %d times", n)
	}
	m := must[*Module](t)(c.LoadModule("source", "-x", "--gpu-architecture=sm_90a"))
	if b := m.Build(); b.Cached || b.Arch != "sm_90a" || b.Log != "kernels.cu(1): options -x --gpu-architecture=sm_90a" {
		t.Errorf("build %+v", b)
	}

	_, err := c.LoadModule("an error")
	wantError(t, err, "compile kernels.cu for sm_90: nvrtcCompileProgram: NVRTC_ERROR_COMPILATION", "kernels.cu(1): options")
	if e, ok := errors.AsType[*CompileError](err); !ok || e.Log == "" {
		t.Errorf("type %T", err)
	}
	_, err = c.LoadModule("NUL \x00")
	wantError(t, err, "NUL byte")
	f.fail["nvrtcCreateProgram"] = 3
	_, err = c.LoadModule("new")
	wantError(t, err, "nvrtcCreateProgram: NVRTC_ERROR_INVALID_INPUT")
	clear(f.fail)
	f.fail["cuModuleLoadData"] = 2
	_, err = c.LoadModule("new")
	wantError(t, err, "compiled for sm_90 by NVRTC 12.9 into the driver of CUDA 13.0 on Fake 10: cuModuleLoadData: CUDA_ERROR_OUT_OF_MEMORY")
	if len(fakePrograms) != 0 {
		t.Errorf("%d programs are still there", len(fakePrograms))
	}
	if entries, err := os.ReadDir(c.Cache.Dir); err != nil || len(entries) != 3 {
		t.Errorf("cache %v, %v", entries, err)
	}
}
