//go:build !nogpu

package cudart

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// wantError fails unless the error has each part in its text.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in: %v", part, err)
		}
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestDriver(t *testing.T) {
	_, c := startFake(t)
	if v := c.driver.Version(); v != "13.0" {
		t.Errorf("version %q", v)
	}
	devices, err := c.driver.Devices()
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{Ordinal: 0, Name: "Fake 10", UUID: "00010203-0405-0607-0809-0a0b0c0d0e0f", Major: 9, MemoryBytes: 150 << 30, Multiprocessors: 132, L2Bytes: 50 << 20},
		{Ordinal: 1, Name: "Fake 11", UUID: "00010203-0405-0607-0809-0a0b0c0d0e0f", Major: 9, MemoryBytes: 150 << 30, Multiprocessors: 132, L2Bytes: 50 << 20},
	}
	if diff := cmp.Diff(want, devices, cmpopts.IgnoreUnexported(Device{})); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	if arch := devices[0].Arch(); arch != "sm_90" {
		t.Errorf("architecture %q", arch)
	}
	if got := c.Device(); got != devices[0] {
		t.Errorf("the context's device: %+v", got)
	}
	for _, ordinal := range []int{-1, 2} {
		_, err := c.driver.NewContext(ordinal)
		wantError(t, err, "no CUDA device", "2, counted from 0")
	}
}

func TestDriverErrors(t *testing.T) {
	f, c := startFake(t)
	f.fail["cuInit"] = 100
	_, err := newDriver(fakeLookup)
	wantError(t, err, "cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected", "nvidia-smi")

	_, err = newDriver(func(name string) uintptr {
		if name == "cuGraphLaunch" {
			return 0
		}
		return fakeLookup(name)
	})
	wantError(t, err, "no symbol cuGraphLaunch", "update the driver")

	f.fail["cuDevicePrimaryCtxRetain"] = 2
	_, err = c.driver.NewContext(1)
	wantError(t, err, "use device 1 (Fake 11)", "CUDA_ERROR_OUT_OF_MEMORY")

	f.fail["cuMemAlloc_v2"] = 4711
	_, err = c.Alloc(1)
	wantError(t, err, "cuMemAlloc_v2(1 bytes): unknown status 4711")
}

func TestContextClose(t *testing.T) {
	f, c := startFake(t)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.calls["cuDevicePrimaryCtxRelease_v2"]; n != 1 {
		t.Errorf("released %d times", n)
	}
	_, err := c.Alloc(1)
	wantError(t, err, "context is closed")
}

// TestContextOnEveryThread uses a context from goroutines on threads of their own.
// The fake refuses a call on a thread where it is not current.
func TestContextOnEveryThread(t *testing.T) {
	_, c := startFake(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			m, err := c.Alloc(16)
			if err == nil {
				err = errors.Join(m.Memset8(1), m.Free())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
