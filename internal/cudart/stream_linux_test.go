//go:build !nogpu

package cudart

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

func TestWait(t *testing.T) {
	f, c := startFake(t)
	s := must[*Stream](t)(c.NewStream())
	e := must[*Event](t)(c.NewEvent())
	bounded, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for name, wait := range map[string]func(context.Context) error{"stream": s.Synchronize, "event": e.Synchronize} {
		f.busy = 5
		if err := wait(bounded); err != nil || f.busy != 0 {
			t.Errorf("%s: %v with %d to go", name, err, f.busy)
		}
		f.busy = -1
		short, cancel := context.WithTimeout(t.Context(), spinFor*3)
		err := wait(short)
		cancel()
		wantError(t, err, "wait for the "+name)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		f.busy = 0
		if err := wait(short); err != nil {
			t.Errorf("%s: finished work, context done: %v", name, err)
		}
	}
	f.fail["cuStreamQuery"] = 700
	wantError(t, s.Synchronize(bounded), "cuStreamQuery: CUDA_ERROR_ILLEGAL_ADDRESS")
}

func TestEvents(t *testing.T) {
	f, c := startFake(t)
	s := must[*Stream](t)(c.NewStream())
	start, end := must[*Event](t)(c.NewEvent()), must[*Event](t)(c.NewEvent())
	if err := errors.Join(start.Record(s), end.Record(s)); err != nil {
		t.Fatal(err)
	}
	if d, err := Elapsed(start, end); err != nil || d.Microseconds() != 1500 {
		t.Errorf("%v, %v", d, err)
	}
	f.fail["cuEventElapsedTime"] = 600
	_, err := Elapsed(start, end)
	wantError(t, err, "synchronized?", "CUDA_ERROR_NOT_READY")
	for range 2 {
		if err := errors.Join(end.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Elapsed(start, end)
	wantError(t, err, "event is closed")
	wantError(t, end.Record(s), "event is closed")
	wantError(t, end.Synchronize(t.Context()), "event is closed")
	wantError(t, start.Record(s), "stream is closed")
	wantError(t, s.Synchronize(t.Context()), "stream is closed")
}

func TestCapture(t *testing.T) {
	f, c := startFake(t)
	x := newAdder(t, c)
	kept := f.live()
	g, err := x.stream.Capture(func() error {
		return errors.Join(
			x.kernel.Launch(x.stream, adderShape, x.sum, x.a, x.b, int32(adderLen)),
			x.kernel.Launch(x.stream, adderShape, x.sum, x.sum, x.b, int32(adderLen)))
	})
	if err != nil {
		t.Fatal(err)
	}
	x.check(t, 0, 0, 0, 0) // captured, not done
	for range 2 {
		if err := g.Launch(x.stream); err != nil {
			t.Fatal(err)
		}
		x.check(t, 21, 42, 63, 84)
	}
	if live := f.live() - kept; live != 1 {
		t.Errorf("%d graphs are kept", live)
	}
	for range 2 {
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, g.Launch(x.stream), "graph is closed")
	if f.live() != kept {
		t.Error("the graph is still there")
	}
}

// TestCaptureEnds checks that however a capture fails, it is over and nothing is
// left of it.
func TestCaptureEnds(t *testing.T) {
	failure := errors.New("no more kernels")
	tests := []struct {
		name   string
		record func(c *Context) error
		want   string // "" for a panic or an exit
	}{
		{"an error", func(*Context) error { return failure }, "capture a graph: no more kernels"},
		{"a forbidden call", func(c *Context) error { _, err := c.Alloc(1); return err }, "cuMemAlloc_v2(1 bytes): CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
		{"one whose error is dropped", func(c *Context) error { _, _ = c.Alloc(1); return nil }, "cuStreamEndCapture: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
		{"a panic", func(*Context) error { panic("mistake") }, ""},
		{"the goroutine's end", func(*Context) error { runtime.Goexit(); return nil }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, c := startFake(t)
			s := must[*Stream](t)(c.NewStream())
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() {
					if r := recover(); r != nil && r != any("mistake") {
						t.Errorf("panic %v", r)
					}
				}()
				g, err := s.Capture(func() error { return tt.record(c) })
				if tt.want == "" {
					t.Errorf("returned %v, %v", g, err)
					return
				}
				wantError(t, err, tt.want)
			})
			wg.Wait()
			if f.capture.thread != 0 || f.live() != 0 {
				t.Errorf("left: capture %+v, %d objects", f.capture, f.live())
			}
			if _, err := s.Capture(func() error { return nil }); err != nil {
				t.Errorf("the next capture: %v", err)
			}
		})
	}
}

func TestCaptureCannotBegin(t *testing.T) {
	f, c := startFake(t)
	s := must[*Stream](t)(c.NewStream())
	f.fail["cuStreamBeginCapture_v2"] = 1
	_, err := s.Capture(func() error { t.Error("called"); return nil })
	wantError(t, err, "capture a graph: cuStreamBeginCapture_v2: CUDA_ERROR_INVALID_VALUE")
	clear(f.fail)
	f.fail["cuGraphInstantiateWithFlags"] = 2
	_, err = s.Capture(func() error { return nil })
	wantError(t, err, "capture a graph: cuGraphInstantiateWithFlags")
	if f.live() != 0 {
		t.Error("the graph is still there")
	}
}
