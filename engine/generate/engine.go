// Package generate answers requests with a model: a queue, and continuous batching
// of those that have been admitted.
//
// One goroutine owns the model. Each of its rounds
//
//   - admits waiting requests, first come, first served, while there are slots and
//     memory for all the keys and values that they may need, which for a request
//     without a limit of its own is the whole context: an admitted request is always
//     answered, none is preempted;
//   - encodes one image, of the first request that has one left;
//   - takes in parts of prompts, as many positions as the budget of a round leaves
//     beside one for each answer that is being generated: half of them of the oldest
//     prompt, then of the others, those with the least left first. Long ones, however
//     many, do not hold up short ones, nor these the oldest;
//   - takes one decode step together for all answers.
//
// With a prefix cache, the keys and values of ended requests are kept in the memory that
// no running one has reserved, and prompts begin with what they have in common with them.
//
// Everything that an answer waits for is therefore bounded: one image, the budget
// and one step. A request whose caller has gone leaves the queue at once, and its
// slot before the next of these. What a request is answered does not depend on who
// else is in the batch, nor on where its prompt was parted: the model's bits do not,
// and each request draws from a generator of its own.
package generate

import (
	"context"
	"fmt"
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
	Prefilled(d time.Duration, promptTokens int)    // images and prompt were taken in, so long after the admission
	Round(tokens int)                               // so many positions were computed in a round: parts of prompts, and one for each answer
}

// Config of an engine. The zero value has the defaults.
type Config struct {
	MaxSeqs          int   // requests that run at once. Zero: 32
	MaxBatchedTokens int   // positions of a round; at least MaxSeqs. Zero: 512, or MaxSeqs if that is more
	MaxQueue         int   // requests that may wait. Zero: 1024
	MaxQueuedTokens  int   // tokens of the prompts that may wait. Zero: 262,144
	KVBytes          int64 // keys and values in all. Zero: of MaxSeqs longest sequences, but at most 4 GiB, and at least of one
	EncoderCache     int64 // bytes of image features to keep. Zero: none
	PrefixCache      bool  // keep keys and values of ended sequences, in the memory of KVBytes that is free
	Observer         Observer
}

const mostDerivedKV = 4 << 30

// withDefaults fills in what is zero.
func (c Config) withDefaults(model Model) (Config, error) {
	or := func(v *int, value int) {
		if *v == 0 {
			*v = value
		}
	}
	or(&c.MaxSeqs, 32)
	or(&c.MaxBatchedTokens, max(512, c.MaxSeqs))
	or(&c.MaxQueue, 1024)
	or(&c.MaxQueuedTokens, 1<<18)
	if c.KVBytes == 0 {
		longest := model.KVBytes(model.MaxModelLen())
		c.KVBytes = max(longest, min(int64(c.MaxSeqs)*longest, mostDerivedKV))
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	if c.MaxBatchedTokens < c.MaxSeqs {
		return c, fmt.Errorf("max-num-batched-tokens %d is less than max-num-seqs %d: every running answer takes one", c.MaxBatchedTokens, c.MaxSeqs)
	}
	return c, nil
}

type nobody struct{}

func (nobody) Admitted(time.Duration)              {}
func (nobody) Encoded(time.Duration, vlm.Resample) {}
func (nobody) Prefilled(time.Duration, int)        {}
func (nobody) Round(int)                           {}

// Engine answers requests. It is safe for concurrent use.
type Engine struct {
	model      Model
	vocabulary Vocabulary
	config     Config
	images     encoderCache
	prefixes   prefixCache
	wake       chan struct{} // holds a token when there may be something to do
	done       chan struct{} // closed when the goroutine has ended
	stop       context.Context
	cancel     context.CancelFunc // ends the running requests

	mu            sync.Mutex
	closed        bool
	waiting       []*Stream
	waitingTokens int // of their prompts
	running       int
	kvBytes       int64 // reserved by the running

	scratch batch
	turns   []*Stream // scratch of prefill
}

// New starts an engine, which owns the model from here on. End it with Close.
func New(model Model, c Config) (*Engine, error) {
	c, err := c.withDefaults(model)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		model: model, vocabulary: model.Vocabulary(), config: c, images: encoderCache{limit: c.EncoderCache},
		prefixes: prefixCache{on: c.PrefixCache, end: model.PrefixEnd},
		wake:     make(chan struct{}, 1), done: make(chan struct{}),
	}
	e.stop, e.cancel = context.WithCancel(context.Background())
	go e.loop()
	return e, nil
}

// Config is the engine's, with the defaults filled in.
func (e *Engine) Config() Config { return e.config }

// Submit queues a request. The answer goes on until it is complete or ctx ends,
// which frees its slot. Errors: *InvalidRequestError, *QueueFullError, ErrClosed.
func (e *Engine) Submit(ctx context.Context, r Request) (*Stream, error) {
	if err := r.check(e.model, e.vocabulary, e.config.KVBytes); err != nil {
		return nil, err
	}
	s := newStream(ctx, r, e.model.KVBytes(r.capacity()))
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.full(len(r.Prompt)); err != nil {
		return nil, err
	}
	s.unwatch = context.AfterFunc(ctx, func() { e.abandon(s) })
	e.waiting = append(e.waiting, s)
	e.waitingTokens += len(r.Prompt)
	e.signal()
	return s, nil
}

// Full is the error that Submit would return for a prompt of one token, nil if there
// is room in the queue: to ask before a request is prepared at some cost.
func (e *Engine) Full() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.full(1)
}

// full reports why a prompt of so many tokens may not be queued. e.mu is held.
func (e *Engine) full(tokens int) error {
	switch {
	case e.closed:
		return ErrClosed
	case len(e.waiting) >= e.config.MaxQueue:
		return &QueueFullError{"max_num_queued_reqs"}
	case len(e.waiting) > 0 && e.waitingTokens+tokens > e.config.MaxQueuedTokens:
		return &QueueFullError{"max_num_queued_tokens"}
	}
	return nil
}

// abandon takes a stream whose caller has gone out of the queue. One that runs is
// left to the engine's goroutine.
func (e *Engine) abandon(s *Stream) {
	e.mu.Lock()
	i := slices.Index(e.waiting, s)
	if i >= 0 {
		e.unqueue(i)
	}
	e.mu.Unlock()
	if i >= 0 {
		s.end(context.Cause(s.ctx))
		e.signal() // it may have been the last, or the one that did not fit
	}
}

// unqueue removes the i-th waiting stream. e.mu is held.
func (e *Engine) unqueue(i int) {
	e.waitingTokens -= len(e.waiting[i].request.Prompt)
	e.waiting = slices.Delete(e.waiting, i, i+1)
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

// KVUsage is the share of the memory for keys and values that is reserved.
func (e *Engine) KVUsage() float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return float64(e.kvBytes) / float64(max(e.config.KVBytes, 1))
}

// EncoderCache counts the images that were asked of the encoder cache.
func (e *Engine) EncoderCache() CacheStats { return e.images.counted() }

// PrefixCache counts the prompts' tokens: all, and those whose keys and values were there.
func (e *Engine) PrefixCache() CacheStats { return e.prefixes.counted() }

// ResetPrefixCache empties the prefix cache.
func (e *Engine) ResetPrefixCache() { e.prefixes.reset() }

// ResetEncoderCache empties the encoder cache.
func (e *Engine) ResetEncoderCache() { e.images.reset() }

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
		e.signal()
		<-e.done
		return ctx.Err()
	}
}
