// Package generate answers requests with a model: a queue, and continuous batching
// of those that have been admitted.
//
// One goroutine owns the model. In each round it admits at most one waiting request
// (encodes its images, prefills its prompt) and then takes one decode step together
// for all that are running. A long queue therefore delays the running answers by
// one prefill per token at most. What a request is answered does not depend on who
// else is in the batch: the model's bits do not.
package generate

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"siglab/engine/vlm"
)

var negInf = float32(math.Inf(-1))

// Observer is told what the engine does, from the engine's goroutine; its methods
// must not block.
type Observer interface {
	Admitted(queue time.Duration)                   // a request left the queue after this wait
	Encoded(d time.Duration, resample vlm.Resample) // one image went through the vision tower
	Prefilled(d time.Duration, promptTokens int)    // images and prompt were taken in
	Stepped(d time.Duration, batch int)             // one decode step for so many requests
}

// Config of an engine.
type Config struct {
	MaxBatch int // requests that run at once. Zero: 32
	MaxQueue int // requests that may wait. Zero: 1024
	Observer Observer
}

// Engine answers requests. It is safe for concurrent use.
type Engine struct {
	model  *vlm.Model
	config Config
	wake   chan struct{} // holds a token when there may be something to do
	done   chan struct{} // closed when the goroutine has ended
	stop   context.Context
	cancel context.CancelFunc // ends the running requests

	mu      sync.Mutex
	closed  bool
	waiting []*Stream
	running int
	cached  int // positions in the caches of the running requests
}

// New starts an engine, which owns the model from here on. End it with Close.
func New(model *vlm.Model, c Config) *Engine {
	if c.MaxBatch == 0 {
		c.MaxBatch = 32
	}
	if c.MaxQueue == 0 {
		c.MaxQueue = 1024
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	e := &Engine{model: model, config: c, wake: make(chan struct{}, 1), done: make(chan struct{})}
	e.stop, e.cancel = context.WithCancel(context.Background())
	go e.loop()
	return e
}

type nobody struct{}

func (nobody) Admitted(time.Duration)              {}
func (nobody) Encoded(time.Duration, vlm.Resample) {}
func (nobody) Prefilled(time.Duration, int)        {}
func (nobody) Stepped(time.Duration, int)          {}

// Submit queues a request. The answer goes on until it is complete or ctx ends,
// which frees its slot. Errors: *InvalidRequestError, ErrQueueFull, ErrClosed.
func (e *Engine) Submit(ctx context.Context, r Request) (*Stream, error) {
	if err := r.check(e.model); err != nil {
		return nil, err
	}
	s := newStream(ctx, r)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, ErrClosed
	case len(e.waiting) >= e.config.MaxQueue:
		return nil, ErrQueueFull
	}
	e.waiting = append(e.waiting, s)
	e.signal()
	return s, nil
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Load is how many requests run and how many wait.
func (e *Engine) Load() (running, waiting int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running, len(e.waiting)
}

// KVUsage is the share of the cache positions of a full batch that are in use.
func (e *Engine) KVUsage() float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return float64(e.cached) / float64(e.config.MaxBatch*e.model.MaxModelLen())
}

// Close admits no more, lets those that run or wait be answered until ctx ends,
// ends the rest, and waits for the engine's goroutine. It returns ctx's error if
// some were ended early.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	e.signal()
	e.mu.Unlock()
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		e.cancel()
		<-e.done
		return ctx.Err()
	}
}

// loop is the engine's goroutine.
func (e *Engine) loop() {
	defer close(e.done)
	defer e.cancel()
	var running []*Stream
	for {
		running = e.dropEnded(running)
		next, more := e.take(len(running))
		if next != nil {
			if e.admit(next) {
				running = append(running, next)
			}
		} else if len(running) == 0 {
			if !more {
				return
			}
			<-e.wake
			continue
		}
		running = e.step(running)
		e.count(running)
	}
}

// dropEnded ends the streams whose caller has gone, or all when the engine is told
// to.
func (e *Engine) dropEnded(streams []*Stream) []*Stream {
	return slices.DeleteFunc(streams, func(s *Stream) bool {
		err := s.ctx.Err()
		if err == nil && e.stop.Err() != nil {
			err = ErrClosed
		}
		if err != nil {
			s.end(err)
		}
		return err != nil
	})
}

// take removes the first waiting stream if there is room for it. more is false when
// none waits and none will come.
func (e *Engine) take(running int) (next *Stream, more bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = e.dropEnded(e.waiting)
	if len(e.waiting) == 0 || running >= e.config.MaxBatch {
		return nil, len(e.waiting) > 0 || !e.closed
	}
	next = e.waiting[0]
	e.waiting = slices.Delete(e.waiting, 0, 1)
	e.running = running + 1
	return next, true
}

// count publishes the load.
func (e *Engine) count(running []*Stream) {
	cached := 0
	for _, s := range running {
		cached += s.sequence.Len()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running, e.cached = len(running), cached
}
