package cudart

import (
	"errors"
	"fmt"
	"unsafe"
)

// Graph is work that was captured once and is launched as a whole, which costs the
// processor about as much as one kernel.
type Graph struct {
	context *Context
	handle  uintptr // CUgraphExec
}

// captureThreadLocal lets other threads allocate and copy during a capture.
const captureThreadLocal = 1

// Capture runs record and makes a graph of what it puts on the stream, instead of
// doing it. Launches, Upload, Download and Record are captured; allocations, blocking
// copies and Synchronize make the capture fail. The goroutine is locked to its thread
// meanwhile: record must not leave the work to other goroutines. If record fails or
// panics, the capture is ended and nothing is kept.
//
// The graph holds the arguments of launches as they were, and the addresses of
// memory, which must outlive it.
func (s *Stream) Capture(record func() error) (*Graph, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.context.enter(); err != nil {
		return nil, err
	}
	defer s.context.leave()
	captured, err := s.capture(record)
	if err != nil {
		return nil, fmt.Errorf("capture a graph: %w", err)
	}
	d, api := s.context.driver, &s.context.driver.api
	defer api.graphDestroy.call(captured) // what is instantiated is a copy
	g := &Graph{context: s.context}
	code := api.graphInstantiate.call(uintptr(unsafe.Pointer(&g.handle)), captured, 0)
	if err := d.check(api.graphInstantiate, code); err != nil {
		return nil, fmt.Errorf("capture a graph: %w", err)
	}
	return g, nil
}

// capture gives the CUgraph of what record puts on the stream. It ends the capture
// whichever way record ends.
func (s *Stream) capture(record func() error) (graph uintptr, err error) {
	d, api := s.context.driver, &s.context.driver.api
	if err := d.check(api.streamBeginCapture, api.streamBeginCapture.call(s.handle, captureThreadLocal)); err != nil {
		return 0, err
	}
	returned := false
	defer func() {
		code := api.streamEndCapture.call(s.handle, uintptr(unsafe.Pointer(&graph)))
		if err == nil { // otherwise the capture failed because record did, or with it
			err = d.check(api.streamEndCapture, code)
		}
		if graph != 0 && (err != nil || !returned) {
			api.graphDestroy.call(graph)
			graph = 0
		}
	}()
	err = record()
	returned = true
	return graph, err
}

// Launch queues the graph's work on a stream. Launches of one graph are done one
// after the other, on whichever streams.
func (g *Graph) Launch(s *Stream) error {
	if g.handle == 0 {
		return errors.New("the graph is closed")
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := g.context.enter(); err != nil {
		return err
	}
	defer g.context.leave()
	api := &g.context.driver.api
	return g.context.driver.check(api.graphLaunch, api.graphLaunch.call2(g.handle, s.handle))
}

// Close lets the graph go; what is launched is still done.
func (g *Graph) Close() error {
	if g.handle == 0 {
		return nil
	}
	api := &g.context.driver.api
	err := g.context.do(api.graphExecDestroy, func() status { return api.graphExecDestroy.call(g.handle) })
	if err == nil {
		g.handle = 0
	}
	return err
}
