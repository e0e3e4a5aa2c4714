package generate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/engine/generate/sample"
	"siglab/engine/vlm"
)

// gate holds up the first call that begins with a prefix until it is opened.
type gate struct {
	prefix        string
	reached, open chan struct{}
	done          bool // of the engine's goroutine
}

func newGate(prefix string) *gate {
	return &gate{prefix: prefix, reached: make(chan struct{}), open: make(chan struct{})}
}

func (g *gate) hold(call string) {
	if !g.done && strings.HasPrefix(call, g.prefix) {
		g.done = true
		close(g.reached)
		<-g.open
	}
}

// submit queues requests in their order.
func submit(t *testing.T, e *Engine, requests ...Request) []*Stream {
	t.Helper()
	var streams []*Stream
	for i, r := range requests {
		s, err := e.Submit(t.Context(), r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		streams = append(streams, s)
	}
	return streams
}

// TestRounds: what an engine does, call by call, with requests that came while its
// first call was held up.
func TestRounds(t *testing.T) {
	tests := []struct {
		name     string
		config   Config
		requests []Request
		want     []string
	}{
		{"a prompt in parts of the budget", Config{MaxBatchedTokens: 32},
			[]Request{fakePrompt(70, 3)},
			[]string{"prefill 32 of 70", "prefill 32 of 38", "prefill 6 of 6", "step 1", "step 1"}},
		{"a long prompt shares the budget with the short one behind it, then has it all", Config{MaxBatchedTokens: 200},
			[]Request{fakePrompt(500, 1), fakePrompt(10, 3)},
			[]string{"prefill 200 of 500", "prefill 100 of 300", "prefill 10 of 10", "step 1", "prefill 199 of 200", "step 1", "prefill 1 of 1"}},
		{"a short prompt does not wait for the long ones before it", Config{MaxBatchedTokens: 128},
			[]Request{fakePrompt(300, 1), fakePrompt(301, 1), fakePrompt(302, 1), fakePrompt(303, 1), fakePrompt(304, 1), fakePrompt(5, 1)},
			[]string{
				"prefill 128 of 300", "prefill 64 of 172", "prefill 5 of 5", "prefill 59 of 301", "prefill 64 of 108", "prefill 64 of 242",
				"prefill 44 of 44", "prefill 84 of 178", "prefill 64 of 94", "prefill 64 of 302", "prefill 30 of 30", "prefill 98 of 238",
				"prefill 64 of 140", "prefill 64 of 303", "prefill 64 of 76", "prefill 64 of 239", "prefill 12 of 12", "prefill 116 of 175",
				"prefill 59 of 59", "prefill 69 of 304", "prefill 128 of 235", "prefill 107 of 107"}},
		{"one image a round, with the steps of others between; text does not wait for images", Config{},
			[]Request{fakePrompt(3, 1, fakePicture(1), fakePicture(2)), fakePrompt(4, 4), fakePrompt(1, 1, fakePicture(3))},
			[]string{"encode 1", "encode 2", "prefill 7 of 7", "prefill 4 of 4", "step 1", "encode 3", "prefill 3 of 3", "step 1", "step 1"}},
		{"no more than the slots", Config{MaxSeqs: 2},
			[]Request{fakePrompt(1, 3), fakePrompt(2, 2), fakePrompt(3, 1)},
			[]string{"prefill 1 of 1", "step 1", "prefill 2 of 2", "step 2", "prefill 3 of 3"}},
		{"a request whose keys and values do not fit waits, and those behind it", Config{KVBytes: 20},
			[]Request{fakePrompt(5, 3), fakePrompt(15, 1), fakePrompt(1, 1)},
			[]string{"prefill 5 of 5", "step 1", "step 1", "prefill 15 of 15", "prefill 1 of 1"}},
		{"a cached image is not encoded again, also within a prompt", Config{EncoderCache: 1 << 20},
			[]Request{fakePrompt(1, 1, fakePicture(1), fakePicture(1)), fakePrompt(2, 1, fakePicture(1))},
			[]string{"encode 1", "prefill 5 of 5", "prefill 4 of 4"}},
		{"a broken image ends its own request only", Config{},
			[]Request{fakePrompt(1, 1, fakePicture(-1)), fakePrompt(2, 2)},
			[]string{"encode -1", "prefill 2 of 2", "step 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate("")
			m := &fakeModel{hold: g.hold}
			e := startFake(t, m, tt.config)
			streams := submit(t, e, tt.requests[0])
			<-g.reached
			streams = append(streams, submit(t, e, tt.requests[1:]...)...)
			close(g.open)
			for i, s := range streams {
				r, n := tt.requests[i], 0
				var err error
				for err == nil {
					if _, err = s.Next(t.Context()); err == nil {
						n++
					}
				}
				broken := len(r.Images) > 0 && r.Images[0].Input.Height < 0
				if n != r.MaxTokens && !broken || broken && !strings.Contains(err.Error(), "broken") {
					t.Errorf("request %d: %d tokens, then %v", i, n, err)
				}
			}
			if diff := cmp.Diff(tt.want, m.log()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGone: the end of the caller's context frees the slot and the memory in every
// stage, and costs no call beyond the one that runs.
func TestGone(t *testing.T) {
	request := fakePrompt(70, 50, fakePicture(1), fakePicture(2))
	for _, stage := range []struct {
		name, call string
		want       []string // the calls for it
	}{
		{"its first image is encoded", "encode 1", []string{"encode 1"}},
		{"its second image is encoded", "encode 2", []string{"encode 1", "encode 2"}},
		{"its prompt is taken in", "prefill 64 of 74", []string{"encode 1", "encode 2", "prefill 64 of 74"}},
		{"its answer is generated", "step", []string{"encode 1", "encode 2", "prefill 64 of 74", "prefill 10 of 10", "step 1"}},
	} {
		t.Run(stage.name, func(t *testing.T) {
			g := newGate(stage.call)
			m := &fakeModel{hold: g.hold}
			e := startFake(t, m, Config{MaxSeqs: 1, MaxBatchedTokens: 64})
			ctx, cancel := context.WithCancel(t.Context())
			s, err := e.Submit(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			<-g.reached
			next := submit(t, e, fakePrompt(1, 1))[0] // waits for the only slot
			cancel()
			close(g.open)
			if ids, _ := collect(t, next); len(ids) != 1 {
				t.Errorf("the next request got %v", ids)
			}
			for err = nil; err == nil; {
				_, err = s.Next(t.Context())
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the abandoned stream ended with %v", err)
			}
			if diff := cmp.Diff(append(stage.want, "prefill 1 of 1"), m.log()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGoneWaiting: a request leaves the queue while the engine is busy with a call.
func TestGoneWaiting(t *testing.T) {
	g := newGate("prefill")
	e := startFake(t, &fakeModel{hold: g.hold}, Config{MaxSeqs: 1, MaxQueue: 2, MaxQueuedTokens: 10})
	first := submit(t, e, fakePrompt(1, 1))[0]
	<-g.reached
	ctx, cancel := context.WithCancel(t.Context())
	waiting, err := e.Submit(ctx, fakePrompt(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	var full *QueueFullError
	if _, err := e.Submit(t.Context(), fakePrompt(3, 1)); !errors.As(err, &full) || full.Limit != "max_num_queued_tokens" {
		t.Errorf("the third prompt: %v, want the token limit", err)
	}
	last := submit(t, e, fakePrompt(2, 1))[0]
	if err := e.Full(); !errors.As(err, &full) || full.Limit != "max_num_queued_reqs" {
		t.Errorf("Full: %v, want the request limit", err)
	}
	cancel()
	if _, err := waiting.Next(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("the abandoned stream ended with %v", err)
	}
	if _, n := e.Load(); n != 1 || e.Full() != nil {
		t.Errorf("%d wait, Full %v", n, e.Full())
	}
	close(g.open)
	for _, s := range []*Stream{first, last} {
		if ids, _ := collect(t, s); len(ids) != 1 {
			t.Errorf("got %v", ids)
		}
	}
}

// TestEnds: what ends an answer. The fake model's answer to two tokens is 2, 3, 4, …
func TestEnds(t *testing.T) {
	e := startFake(t, &fakeModel{}, Config{})
	tests := []struct {
		name    string
		change  func(*Request)
		want    []int
		finish  Finish
		stopped bool
	}{
		{"the limit", func(r *Request) { r.MaxTokens = 3 }, []int{2, 3, 4}, FinishLength, false},
		{"a stop token", func(r *Request) { r.StopIDs = []int{9, 4} }, []int{2, 3, 4}, FinishStop, true},
		{"the end", func(r *Request) { r.Sampling.Bias = map[int]float64{fakeEnd: 5} }, []int{fakeEnd}, FinishStop, false},
		{"the end, ignored", func(r *Request) { r.MaxTokens, r.IgnoreEOS, r.Sampling.Bias = 2, true, map[int]float64{fakeEnd: 5} },
			[]int{fakeEnd, fakeEnd}, FinishLength, false},
		{"no end before the least length", func(r *Request) { r.Sampling.Bias, r.Sampling.MinTokens = map[int]float64{fakeEnd: 5}, 2 },
			[]int{2, 3, fakeEnd}, FinishStop, false},
		{"nor a stop token", func(r *Request) { r.StopIDs, r.MaxTokens, r.Sampling.MinTokens = []int{3}, 4, 4 },
			[]int{2, 0, 1, 2}, FinishLength, false},
	}
	for _, tt := range tests {
		r := fakePrompt(2, 10)
		tt.change(&r)
		ids, last := collect(t, submit(t, e, r)[0])
		if diff := cmp.Diff(tt.want, ids); diff != "" || last.Finish != tt.finish || last.Stopped != tt.stopped {
			t.Errorf("%s: finish %q, stopped %v, tokens (-want +got):\n%s", tt.name, last.Finish, last.Stopped, diff)
		}
	}
}

func TestEncoderCache(t *testing.T) {
	features := make(vlm.Features, 100)
	size := (&cachedImage{"a", features}).bytes()
	c := encoderCache{limit: 3 * size}
	use := func(key string) (hit bool) {
		hit = c.get(key, true) != nil
		c.put(key, features)
		return hit
	}
	for i, step := range []struct {
		key string
		hit bool
	}{{"a", false}, {"b", false}, {"c", false}, {"a", true}, {"d", false}, {"a", true}, {"b", false}} {
		if got := use(step.key); got != step.hit {
			t.Errorf("step %d, image %s: hit %v", i, step.key, got)
		}
	}
	if c.bytes != 3*size || len(c.entries) != 3 || c.recent.Len() != 3 {
		t.Errorf("%d bytes, %d entries, %d in order", c.bytes, len(c.entries), c.recent.Len())
	}
	if diff := cmp.Diff(CacheStats{Queries: 7, Hits: 2}, c.counted()); diff != "" {
		t.Error(diff)
	}
	c.reset()
	if use("a") || c.bytes != size {
		t.Errorf("after the reset %d bytes", c.bytes)
	}
	c.put("large", make(vlm.Features, 10_000))
	if c.bytes != size {
		t.Errorf("%d bytes after an image that is too large", c.bytes)
	}
	off := encoderCache{}
	off.put("a", features)
	if off.get("a", true) != nil || off.counted() != (CacheStats{}) {
		t.Error("a cache without room kept or counted something")
	}
}

// TestResetWhileRunning: an empty cache means another encoding, the answers are the
// same.
func TestResetWhileRunning(t *testing.T) {
	m := &fakeModel{}
	e := startFake(t, m, Config{EncoderCache: 1 << 20})
	for i := range 4 {
		if ids, _ := collect(t, submit(t, e, fakePrompt(1, 2, fakePicture(1)))[0]); !slices.Equal(ids, []int{3, 4}) {
			t.Errorf("answer %d: %v", i, ids)
		}
		if i == 1 {
			e.ResetEncoderCache()
		}
	}
	encodings := 0
	for _, call := range m.log() {
		if strings.HasPrefix(call, "encode") {
			encodings++
		}
	}
	if diff := cmp.Diff(CacheStats{Queries: 4, Hits: 2}, e.EncoderCache()); diff != "" || encodings != 2 {
		t.Errorf("%d encodings, counted (-want +got):\n%s", encodings, diff)
	}
}

// TestNoGoroutineLeft: many streams that are abandoned, answered or never read leave
// nothing behind.
func TestNoGoroutineLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	e, err := New(&fakeModel{length: 4096, maxImages: 4}, Config{MaxSeqs: 3, MaxBatchedTokens: 16})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := e.Submit(ctx, fakePrompt(1+i%40, 1+i%50, fakePicture(i)))
		if err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			_, _ = s.Next(ctx) // the first token, or the error of an abandoned one
			cancel()
		case 1:
			cancel()
		case 2:
			collect(t, s)
		default: // nobody reads
		}
		t.Cleanup(cancel)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	endNow(t, e)
	eventually(t, fmt.Sprintf("as few goroutines as before: %d", before), func() bool { return runtime.NumGoroutine() <= before })
}

func TestConfig(t *testing.T) {
	m := &fakeModel{length: 1 << 30}
	c, err := Config{MaxSeqs: 1000}.withDefaults(m)
	if err != nil || c.MaxBatchedTokens != 1000 || c.KVBytes != mostDerivedKV {
		t.Errorf("%+v, error %v", c, err)
	}
	if _, err := New(m, Config{MaxSeqs: 10, MaxBatchedTokens: 9}); err == nil || !strings.Contains(err.Error(), "max-num-seqs 10") {
		t.Errorf("error %v", err)
	}
}

// TestNotNumbers: logits that are not numbers end the answer.
func TestNotNumbers(t *testing.T) {
	e := startFake(t, &fakeModel{}, Config{})
	r := fakePrompt(2, 5)
	r.Sampling.Bias = map[int]float64{1: 1e300} // infinite in float32
	s := submit(t, e, r)[0]
	if _, err := s.Next(t.Context()); !errors.Is(err, sample.ErrNoToken) {
		t.Errorf("error %v, want %v", err, sample.ErrNoToken)
	}
}
