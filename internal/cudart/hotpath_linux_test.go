//go:build !nogpu

package cudart

import (
	"context"
	"testing"
)

// hotPaths are the calls of an inner loop. They call a C function that returns 0
// whatever it is given in place of the driver's, since functions made of Go ones
// allocate.
func hotPaths(t testing.TB) map[string]func() error {
	t.Helper()
	libc, err := dlopen("libc.so.6")
	if err != nil {
		t.Skipf("no libc to call: %v", err)
	}
	zero := symbol{name: "sched_yield", address: dlsym(libc, "sched_yield")}
	d := &Driver{api: api{ctxSetCurrent: zero, launchKernel: zero, eventRecord: zero, graphLaunch: zero, streamQuery: zero}}
	c := &Context{driver: d}
	c.handle.Store(1)
	s, e, g := &Stream{context: c, handle: 1}, &Event{context: c, handle: 1}, &Graph{context: c, handle: 1}
	m := &Memory{block: &block{context: c, pointer: 1, bytes: 1}, bytes: 1}
	f := &Function{context: c, name: "add", parameters: []int{8, 8, 8, 4}}
	p, err := f.Prepare(adderShape, m, m, m, int32(1))
	if err != nil {
		t.Fatal(err)
	}
	background := context.Background()
	return map[string]func() error{
		"launch":       func() error { return p.Launch(s) },
		"set":          func() error { return p.Set(0, m) },
		"record":       func() error { return e.Record(s) },
		"graph-launch": func() error { return g.Launch(s) },
		"synchronize":  func() error { return s.Synchronize(background) },
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("pools are not kept under the race detector")
	}
	for name, call := range hotPaths(t) {
		allocations := testing.AllocsPerRun(100, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s allocates %v times", name, allocations)
		}
	}
}

// BenchmarkHotPaths measures what a call costs beyond the driver's own time: two C
// calls, one to make the context current, each with a system call of a yield here.
func BenchmarkHotPaths(b *testing.B) {
	for name, call := range hotPaths(b) {
		b.Run("call="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
