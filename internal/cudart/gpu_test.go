package cudart_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/internal/cudart"
)

var nvrtcDir = flag.String("nvrtc", "", "folder of libnvrtc, searched before the usual places")

// addSource is the kernel of these tests.
const addSource = `
extern "C" __global__ void add(float* sum, const float* a, const float* b, int n, float scale, unsigned offset,
                               long long big, unsigned long long huge, double fraction) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  // The scalars must arrive as they were sent; otherwise every sum is wrong.
  bool right = offset == 4000000000u && big == -5000000000ll && huge == 10000000000000000000ull && fraction == 0.1;
  sum[i] = right ? a[i] + scale * b[i] : -1;
}

extern "C" __global__ void shared(int* out) {
  extern __shared__ int words[];
  __shared__ int one[32];
  one[threadIdx.x % 32] = 1;
  words[12 * 1024 + threadIdx.x] = threadIdx.x; // beyond 48 KiB
  __syncthreads();
  out[threadIdx.x] = words[12 * 1024 + threadIdx.x] + one[threadIdx.x % 32] - 1;
}

extern "C" __global__ void spin(long long clocks) {
  long long begun = clock64();
  while (clock64() - begun < clocks) {}
}
`

// compiler opens NVRTC, or skips the test.
func compiler(t *testing.T) *cudart.Compiler {
	t.Helper()
	var dirs []string
	if *nvrtcDir != "" {
		dirs = []string{*nvrtcDir}
	}
	c, err := cudart.OpenCompiler(dirs...)
	if err != nil {
		t.Skipf("no compiler here: %v", err)
	}
	return c
}

// gpu uses the first device, or skips the test.
func gpu(t *testing.T) *cudart.Context {
	t.Helper()
	driver, err := cudart.Open()
	if err != nil {
		t.Skipf("no GPU here: %v", err)
	}
	c, err := driver.NewContext(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c) })
	c.Compiler = compiler(t)
	return c
}

func closed(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close %T: %v", c, err)
	}
}

// ok fails the test on an error.
func ok[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bounded is a context for waits.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestCompiler compiles with the real compiler, which needs no GPU.
func TestCompiler(t *testing.T) {
	c := compiler(t)
	t.Logf("NVRTC %s at %s", c.Version(), c.Path())
	cubin, log, err := c.Compile(addSource, "add.cu", "sm_90", []string{"--use_fast_math"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(cubin), "\x7fELF") || log != "" {
		t.Errorf("%d bytes, log %q", len(cubin), log)
	}
	_, log, err = c.Compile("__global__ void k() { int unused; }", "warn.cu", "sm_90", nil)
	if err != nil || !strings.Contains(log, "warn.cu(1): warning") {
		t.Errorf("log %q, %v", log, err)
	}
	var wg sync.WaitGroup
	for range 8 { // at once
		wg.Go(func() {
			again, _, err := c.Compile(addSource, "add.cu", "sm_90", []string{"--use_fast_math"})
			if err != nil || !bytes.Equal(again, cubin) {
				t.Errorf("at once: %d bytes, not the same %d: %v", len(again), len(cubin), err)
			}
		})
	}
	wg.Wait()
	for _, tt := range []struct {
		name, source, arch string
		options            []string
		want               string
	}{
		{"a mistake in the source", "\nint f() { return undeclared; }", "sm_90", nil, `mistake.cu(2): error: identifier "undeclared" is undefined`},
		{"an unknown architecture", "", "sm_1", nil, "NVRTC_ERROR_INVALID_OPTION"},
		{"an unknown option", "", "sm_90", []string{"--no-such-option"}, "no-such-option"},
		{"a virtual architecture", "", "compute_90", nil, "name a real architecture"},
		{"no header", "#include <absent.h>", "sm_90", nil, "absent.h"},
	} {
		_, _, err := c.Compile(tt.source, "mistake.cu", tt.arch, tt.options)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestGPUDevices(t *testing.T) {
	driver, err := cudart.Open()
	if err != nil {
		t.Skipf("no GPU here: %v", err)
	}
	devices := ok(driver.Devices())(t)
	t.Logf("driver of CUDA %s", driver.Version())
	for _, d := range devices {
		t.Logf("%+v", d)
		if d.Name == "" || len(d.UUID) != 36 || d.Major < 3 || d.MemoryBytes < 1<<28 || d.Multiprocessors < 1 || d.L2Bytes < 1 {
			t.Errorf("not all is known of %+v", d)
		}
	}
	if len(devices) == 0 {
		t.Error("no devices, though the driver started")
	}
	if _, err := driver.NewContext(len(devices)); err == nil {
		t.Error("a context of a device that is not there")
	}
}

// TestGPUAdd compiles, loads through the cache, launches, captures, times and checks.
func TestGPUAdd(t *testing.T) {
	c := gpu(t)
	c.Cache.Dir = t.TempDir()
	for _, cached := range []bool{false, true} {
		begun := time.Now()
		m := ok(c.LoadModule(addSource))(t)
		if b := m.Build(); b.Cached != cached || b.CacheErr != nil {
			t.Errorf("build %+v, want cached: %v", b, cached)
		}
		t.Logf("module loaded in %v, cached: %v", time.Since(begun).Round(time.Microsecond), cached)
		closed(t, m)
	}
	module := ok(c.LoadModule(addSource))(t)
	defer closed(t, module)
	add := ok(module.Function("add"))(t)
	occupancy := ok(add.Occupancy(256, 0))(t)
	t.Logf("add: %+v, %d blocks of 256 threads on a multiprocessor", add.Attributes(), occupancy)
	if occupancy < 1 || add.Attributes().Registers < 1 || add.Attributes().MaxThreads < 256 {
		t.Error("implausible attributes")
	}

	const n = 1<<20 + 3
	rng := rand.New(rand.NewPCG(1, 2))
	a, b, got := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range n {
		a[i], b[i] = rng.Float32(), rng.Float32()
	}
	dev := make([]*cudart.Memory, 3) // sum, a, b
	for i := range dev {
		dev[i] = ok(c.Alloc(4 * n))(t)
		defer func() { try(t, dev[i].Free()) }()
	}
	try(t, errors.Join(dev[1].CopyFrom(cudart.Bytes(a)), dev[2].CopyFrom(cudart.Bytes(b))))

	stream := ok(c.NewStream())(t)
	defer closed(t, stream)
	shape := cudart.Launch{Grid: [3]int{(n + 255) / 256, 1, 1}, Block: [3]int{256, 1, 1}}
	args := func(scale float32) []any {
		return []any{dev[0], dev[1], dev[2].Pointer(), int32(n), scale, uint32(4000000000), int64(-5000000000), uint64(10000000000000000000), 0.1}
	}
	check := func(what string, scale float32) {
		t.Helper()
		try(t, stream.Synchronize(bounded(t)))
		try(t, dev[0].CopyTo(cudart.Bytes(got)))
		for i := range got {
			want := float64(a[i]) + float64(scale)*float64(b[i])
			if math.Abs(float64(got[i])-want) > 1e-6*(1+math.Abs(want)) { // a fused or two roundings of float32
				t.Fatalf("%s: sum %d is %v, want %v", what, i, got[i], want)
			}
		}
		try(t, dev[0].Memset8(0xff)) // NaN
	}
	try(t, add.Launch(stream, shape, args(1)...))
	check("direct", 1)

	prepared := ok(add.Prepare(shape, args(1)...))(t)
	try(t, errors.Join(prepared.Set(4, float32(2)), prepared.Launch(stream)))
	check("prepared", 2)

	start, end := ok(c.NewEvent())(t), ok(c.NewEvent())(t)
	defer closed(t, start)
	defer closed(t, end)
	const launches = 50
	graph := ok(stream.Capture(func() error {
		for range launches {
			if err := prepared.Launch(stream); err != nil {
				return err
			}
		}
		return nil
	}))(t)
	defer closed(t, graph)
	try(t, prepared.Set(4, float32(3))) // not for the graph
	try(t, errors.Join(graph.Launch(stream), start.Record(stream), graph.Launch(stream), end.Record(stream)))
	try(t, end.Synchronize(bounded(t)))
	elapsed := ok(cudart.Elapsed(start, end))(t)
	t.Logf("one of %d launches in a graph: %v, %.0f GB/s", launches, elapsed/launches, 12*n*launches/elapsed.Seconds()/1e9)
	if elapsed <= 0 {
		t.Errorf("elapsed %v", elapsed)
	}
	check("graph", 2)

	begun := time.Now()
	for range 1000 {
		try(t, prepared.Launch(stream))
	}
	t.Logf("one launch of 1000 queued: %v", time.Since(begun)/1000)
	check("many", 3)
}

// TestGPUCopies sends data through pinned memory and a graph.
func TestGPUCopies(t *testing.T) {
	c := gpu(t)
	const n = 1 << 16
	stream := ok(c.NewStream())(t)
	defer closed(t, stream)
	from, to := ok(c.AllocHost(n))(t), ok(c.AllocHost(n))(t)
	device := ok(c.Alloc(n))(t)
	defer func() { try(t, errors.Join(device.Free(), to.Free(), from.Free())) }()
	half := ok(device.Slice(n/2, n/2))(t)
	graph := ok(stream.Capture(func() error {
		return errors.Join(stream.Upload(device, from), stream.Download(to, device))
	}))(t)
	defer closed(t, graph)
	for round := range 3 {
		for i := range from.Bytes() {
			from.Bytes()[i] = byte(i*7 + round)
		}
		try(t, graph.Launch(stream))
		try(t, stream.Synchronize(bounded(t)))
		if string(to.Bytes()) != string(from.Bytes()) {
			t.Fatalf("round %d: what came back differs", round)
		}
	}
	try(t, half.Memset8(0x5a))
	got := make([]byte, n)
	try(t, device.CopyTo(got))
	for i, v := range got {
		if want := from.Bytes()[i]; i < n/2 && v != want || i >= n/2 && v != 0x5a {
			t.Fatalf("byte %d is %#x", i, v)
		}
	}
}

func TestGPUSharedMemory(t *testing.T) {
	c := gpu(t)
	module := ok(c.LoadModule(addSource))(t)
	defer closed(t, module)
	kernel := ok(module.Function("shared"))(t)
	if got := kernel.Attributes().StaticShared; got < 128 {
		t.Errorf("static shared memory: %d bytes", got)
	}
	stream := ok(c.NewStream())(t)
	defer closed(t, stream)
	out := ok(c.Alloc(4 * 64))(t)
	defer func() { try(t, out.Free()) }()
	shape := cudart.Launch{Grid: [3]int{1, 1, 1}, Block: [3]int{64, 1, 1}, Shared: 52 << 10}
	if err := kernel.Launch(stream, shape, out); err == nil {
		t.Error("more than 48 KiB without being allowed")
	}
	try(t, kernel.AllowShared(shape.Shared))
	try(t, kernel.Launch(stream, shape, out))
	try(t, stream.Synchronize(bounded(t)))
	got := make([]int32, 64)
	try(t, out.CopyTo(cudart.Bytes(got)))
	for i, v := range got {
		if int(v) != i {
			t.Fatalf("thread %d wrote %d", i, v)
		}
	}
}

// TestGPUErrors checks that mistakes are errors, after which the context is good.
func TestGPUErrors(t *testing.T) {
	c := gpu(t)
	module := ok(c.LoadModule(addSource))(t)
	defer closed(t, module)
	spin := ok(module.Function("spin"))(t)
	stream := ok(c.NewStream())(t)
	defer closed(t, stream)
	one := [3]int{1, 1, 1}

	want := func(err error, part string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
	_, err := c.Alloc(1 << 50)
	want(err, "cuMemAlloc_v2(1125899906842624 bytes): CUDA_ERROR_OUT_OF_MEMORY: ")
	if !errors.Is(err, cudart.ErrOutOfMemory) {
		t.Error("not recognised as out of memory")
	}
	want(spin.Launch(stream, cudart.Launch{Grid: one, Block: [3]int{4096, 1, 1}}, int64(1)), "cuLaunchKernel(spin, grid [1 1 1], block [4096 1 1], 0 bytes shared): CUDA_ERROR_INVALID_VALUE")
	want(spin.Launch(stream, cudart.Launch{Grid: one, Block: one, Shared: 10 << 20}, int64(1)), "CUDA_ERROR_INVALID_VALUE")
	want(spin.Launch(stream, cudart.Launch{Block: one}, int64(1)), "every dimension")
	want(spin.Launch(stream, cudart.Launch{Grid: one, Block: one}, 1), "int cannot be passed")
	_, err = module.Function("absent")
	want(err, "CUDA_ERROR_NOT_FOUND")
	_, err = c.LoadModule("not C")
	want(err, "kernels.cu(1): error")

	// Where the driver tells the parameters' sizes, these two are refused.
	if err := spin.Launch(stream, cudart.Launch{Grid: one, Block: one}, int64(1), int64(1)); err == nil {
		t.Log("this driver does not tell how many parameters a kernel has")
	} else {
		want(err, "2 arguments for 1 parameters")
		want(spin.Launch(stream, cudart.Launch{Grid: one, Block: one}, int32(1)), "int32 has 4 bytes, the kernel's parameter 8")
	}

	failure := errors.New("record fails")
	_, err = stream.Capture(func() error { return failure })
	if !errors.Is(err, failure) {
		t.Errorf("capture: %v", err)
	}
	_, err = stream.Capture(func() error { _, err := c.Alloc(16); return err })
	want(err, "capture a graph: ")

	// A wait ends with its context, the work does not.
	try(t, spin.Launch(stream, cudart.Launch{Grid: one, Block: one}, int64(500_000_000))) // some 0.3 s
	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := stream.Synchronize(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait: %v", err)
	}
	try(t, stream.Synchronize(bounded(t)))
}
