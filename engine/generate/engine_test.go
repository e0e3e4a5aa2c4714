package generate

import (
	"context"
	"errors"
	"image"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/engine/generate/sample"
	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
	"siglab/posembed"
)

func tiny(t testing.TB) *vlm.Model {
	t.Helper()
	m, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: posembed.Exact, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func start(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := New(OnVLM(tiny(t)), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endNow(t, e) })
	return e
}

// endNow ends an engine with what a test left running, and holds it to giving back
// everything.
func endNow(t testing.TB, e *Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Close(ctx)
	if running, waiting := e.Load(); running != 0 || waiting != 0 || e.KVUsage() != 0 || e.waitingTokens != 0 {
		t.Errorf("at the end %d run, %d wait with %d tokens, the cache is used to %v", running, waiting, e.waitingTokens, e.KVUsage())
	}
}

// tinyModel is the model of an engine that start made.
func tinyModel(e *Engine) *vlm.Model { return e.model.(*onVLM).Model }

// question is a prompt with n copies of an image of one gray.
func question(m *vlm.Model, text string, gray float32, n int) Request {
	turn := tokenizer.Turn{Role: "user", Parts: []tokenizer.Part{{Text: text}}}
	r := Request{MaxTokens: 12, IgnoreEOS: true, Sampling: sample.Params{Top: -1}}
	var lengths []int
	for range n {
		in, err := m.Prepare(image.NewGray(image.Rect(0, 0, 8, 8)))
		if err != nil {
			panic(err) // the tiny model takes any image
		}
		for i := range in.Data {
			in.Data[i] = gray * float32(i%7-3) / 3
		}
		lengths = append(lengths, m.ImageTokens(in))
		r.Images = append(r.Images, Image{Tokens: lengths[0], Input: in})
		turn.Parts = append(turn.Parts, tokenizer.Part{Image: true})
	}
	var err error
	if r.Prompt, err = m.Tokenizer().ChatPrompt([]tokenizer.Turn{turn}, lengths, tokenizer.AssistantOpen); err != nil {
		panic(err) // its layout takes any text
	}
	return r
}

func collect(t testing.TB, s *Stream) (ids []int, last Token) {
	t.Helper()
	for {
		token, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return ids, last
		}
		if err != nil {
			t.Error(err)
			return ids, last
		}
		ids = append(ids, token.ID)
		last = token
	}
}

func answer(t testing.TB, e *Engine, r Request) []int {
	t.Helper()
	s, err := e.Submit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	ids, last := collect(t, s)
	if len(ids) != r.MaxTokens || last.Finish != FinishLength {
		t.Errorf("%d tokens, finish %q, want %d and length", len(ids), last.Finish, r.MaxTokens)
	}
	return ids
}

// TestBatchIndependence: what a request is answered does not depend on who else is
// being answered, nor on how its prompt is parted, nor on the encoder cache.
func TestBatchIndependence(t *testing.T) {
	e := start(t, Config{MaxBatchedTokens: 32})
	texts := []string{"What is this?", "Describe the picture in one word.", "?", "Wie viele Katzen siehst du?", "Read the sign.", "why"}
	request := func(i int) Request {
		r := question(tinyModel(e), texts[i%len(texts)], 0.5, i%3)
		if i%2 == 1 {
			r.Sampling.Temperature, r.Sampling.Seed, r.Sampling.TopP = 0.8, uint64(i), 0.9
		}
		return r
	}
	alone, whole := make([][]int, 12), start(t, Config{MaxBatchedTokens: 4096, MaxSeqs: 1, EncoderCache: 1 << 20})
	for i := range alone {
		r := request(i)
		for k := range r.Images {
			r.Images[k].Key = "the same image in all places"
		}
		alone[i] = answer(t, whole, r)
	}
	together := make([][]int, len(alone))
	var wg sync.WaitGroup
	for i := range together {
		wg.Go(func() { together[i] = answer(t, e, request(i)) })
	}
	wg.Wait()
	for i := range alone {
		if !slices.Equal(alone[i], together[i]) {
			t.Errorf("request %d: alone %v, together %v", i, alone[i], together[i])
		}
	}
}

// TestSeed: at a temperature the seed decides.
func TestSeed(t *testing.T) {
	e := start(t, Config{})
	r := question(tinyModel(e), "Tell me a story.", 1, 1)
	r.Sampling.Temperature, r.Sampling.Seed = 1, 5
	a, b := answer(t, e, r), answer(t, e, r)
	r.Sampling.Seed = 6
	c := answer(t, e, r)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("seed 5: %v and %v, seed 6: %v", a, b, c)
	}
}

func TestSubmitInvalid(t *testing.T) {
	e := start(t, Config{})
	image := tinyModel(e).Tokenizer().ImageToken()
	tests := []struct {
		name   string
		change func(*Request)
		want   string
	}{
		{"no tokens wanted", func(r *Request) { r.MaxTokens = 0 }, "at least 1"},
		{"no prompt", func(r *Request) { r.Prompt = nil }, "empty"},
		{"too long", func(r *Request) { r.MaxTokens = tinyModel(e).MaxModelLen() }, "maximum context length"},
		{"too many images", func(r *Request) { *r = question(tinyModel(e), "x", 1, tinyModel(e).MaxImages()+1); r.MaxTokens = 1 }, "At most"},
		{"negative temperature", func(r *Request) { r.Sampling.Temperature = -1 }, "non-negative"},
		{"an unknown token", func(r *Request) { r.Prompt = append(r.Prompt, 1<<20) }, "out of vocabulary"},
		{"a placeholder without an image", func(r *Request) { r.Prompt = append(r.Prompt, image) }, "placeholders"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := question(tinyModel(e), "x", 1, 1)
			tt.change(&r)
			_, err := e.Submit(t.Context(), r)
			var invalid *InvalidRequestError
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want an invalid request with %q", err, tt.want)
			}
		})
	}
}

// TestCancel: the end of the caller's context frees the slot and ends the stream.
func TestCancel(t *testing.T) {
	e := start(t, Config{MaxSeqs: 1})
	ctx, cancel := context.WithCancel(t.Context())
	long := question(tinyModel(e), "x", 1, 0)
	long.MaxTokens = tinyModel(e).MaxModelLen() - len(long.Prompt)
	s, err := e.Submit(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	answer(t, e, question(tinyModel(e), "next", 1, 0)) // waits for the only slot
	for err = nil; err == nil; {
		_, err = s.Next(t.Context())
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled stream ended with %v", err)
	}
}

func TestQueueFull(t *testing.T) {
	e := start(t, Config{MaxSeqs: 1, MaxQueue: 2})
	long := question(tinyModel(e), "x", 1, 0)
	long.MaxTokens = tinyModel(e).MaxModelLen() - len(long.Prompt)
	var err error
	for range 20 { // more than may run and wait, however fast the engine takes them
		if _, err = e.Submit(t.Context(), long); err != nil {
			break
		}
	}
	var full *QueueFullError
	if !errors.As(err, &full) || full.Limit != "max_num_queued_reqs" {
		t.Errorf("error %v, want one of max_num_queued_reqs", err)
	}
}

// TestClose: what runs or waits is answered, nothing more is admitted.
func TestClose(t *testing.T) {
	e := start(t, Config{MaxSeqs: 2})
	var streams []*Stream
	for range 5 {
		s, err := e.Submit(t.Context(), question(tinyModel(e), "x", 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, s)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		if ids, _ := collect(t, s); len(ids) != 12 {
			t.Errorf("%d tokens after Close, want 12", len(ids))
		}
	}
	if _, err := e.Submit(t.Context(), question(tinyModel(e), "x", 1, 0)); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want %v", err, ErrClosed)
	}
}

// TestCloseInTime: a drain that takes too long is ended.
func TestCloseInTime(t *testing.T) {
	e := start(t, Config{MaxSeqs: 1})
	long := question(tinyModel(e), "x", 1, 0)
	long.MaxTokens = tinyModel(e).MaxModelLen() - len(long.Prompt)
	s, err := e.Submit(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := e.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	for err = nil; err == nil; {
		_, err = s.Next(t.Context())
	}
	if !errors.Is(err, ErrClosed) {
		t.Errorf("the stream ended with %v, want %v", err, ErrClosed)
	}
}

// TestIdle: an idle engine is not loaded, and closes.
func TestIdle(t *testing.T) {
	e := start(t, Config{})
	answer(t, e, question(tinyModel(e), "x", 1, 1))
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running, waiting := e.Load(); running != 0 || waiting != 0 || e.KVUsage() != 0 {
		t.Errorf("running %d, waiting %d, cache %v", running, waiting, e.KVUsage())
	}
}
