package decoder_test

import (
	"slices"
	"strings"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
)

// TestPrefillIsSteps: a prompt at once, in two parts and token by token gives the
// same bits, on one thread and on four.
func TestPrefillIsSteps(t *testing.T) {
	prompt := goldenCases(t)[0].Prompt[22:] // the text after the image
	var want []float32
	for _, test := range []struct {
		why     string
		threads int
		parts   []int // lengths of the prefills; the rest in steps
	}{
		{"at once", 1, []int{len(prompt)}},
		{"at once on four threads", 4, []int{len(prompt)}},
		{"all but one, then a step", 1, []int{len(prompt) - 1}},
		{"in two parts", 1, []int{7, len(prompt) - 7}},
		{"token by token on four threads", 4, []int{1}},
	} {
		d := newDecoder(t, test.threads)
		cache, logits, rest := d.NewCache(len(prompt)), make([]float32, shape().Vocab), prompt
		for _, n := range test.parts {
			if err := d.Prefill(cache, embed(t, d, rest[:n], nil), logits); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		for _, token := range rest {
			if err := d.Step([]*decoder.Cache{cache}, embed(t, d, []int{token}, nil), [][]float32{logits}); err != nil {
				t.Fatal(err)
			}
		}
		if want == nil {
			want = logits
		}
		if !slices.Equal(logits, want) {
			t.Errorf("%s: logits differ from those of the prompt at once", test.why)
		}
		if cache.Len() != len(prompt) || cache.Capacity() != len(prompt) {
			t.Errorf("%s: the cache holds %d of %d, want it full with %d", test.why, cache.Len(), cache.Capacity(), len(prompt))
		}
	}
}

// TestFull: what does not fit is refused, and nothing is lost by trying.
func TestFull(t *testing.T) {
	d := newDecoder(t, 1)
	logits := make([]float32, shape().Vocab)
	full, free := d.NewCache(2), d.NewCache(2)
	if err := d.Prefill(full, embed(t, d, []int{1, 2}, nil), logits); err != nil {
		t.Fatal(err)
	}
	long := d.NewCache(shape().MaxPositions + 1)
	for _, test := range []struct {
		why  string
		err  error
		want string
	}{
		{"a full cache", d.Prefill(full, embed(t, d, []int{3}, nil), logits), "2 positions cannot take 1 more"},
		{"a prompt longer than the cache", d.Prefill(free, embed(t, d, []int{1, 2, 3}, nil), logits), "capacity is 2"},
		{"a prompt longer than the model", d.Prefill(long, make([]float32, (shape().MaxPositions+1)*shape().Hidden), logits), "capacity is 512"},
		{"no prompt", d.Prefill(free, nil, logits), "no positions"},
		{"a step of a full cache and another", d.Step([]*decoder.Cache{free, full}, embed(t, d, []int{1, 1}, nil), [][]float32{logits, logits}), "capacity is 2"},
		{"a token that is not", d.Embed(logits, shape().Vocab), "0 to 427"},
		{"a negative token", d.Embed(logits, -1), "token -1"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, test.err, test.want)
		}
	}
	if full.Len() != 2 || free.Len() != 0 {
		t.Errorf("caches hold %d and %d positions after errors, want 2 and 0", full.Len(), free.Len())
	}
}

// TestNew refuses shapes and weights that contradict each other.
func TestNew(t *testing.T) {
	device := cpu.New(cpu.Options{Threads: 1})
	defer device.Close()
	for _, test := range []struct {
		why    string
		change func(*decoder.Config, *decoder.Weights)
		want   string
	}{
		{"heads of an odd size cannot rotate", func(c *decoder.Config, _ *decoder.Weights) { c.Hidden = 60 }, "heads of an even size"},
		{"query heads that cannot share", func(c *decoder.Config, _ *decoder.Weights) { c.KVHeads = 3 }, "share 3"},
		{"a block too many", func(c *decoder.Config, _ *decoder.Weights) { c.Layers = 1 }, "2 blocks, want 1"},
		{"a head of another vocabulary", func(_ *decoder.Config, w *decoder.Weights) { w.Head = w.Blocks[0].Up }, "Head is [112, 64], want [428, 64]"},
		{"a matrix of a block", func(_ *decoder.Config, w *decoder.Weights) { w.Blocks[0].Up = nil }, "Blocks[0].Up is missing"},
		{"a vector of a block", func(_ *decoder.Config, w *decoder.Weights) { w.Blocks[1].KeyBias = nil }, "Blocks[1].KeyBias has 0 values"},
	} {
		c, w := shape(), golden(t, device)
		test.change(&c, w)
		if _, err := decoder.New(c, w, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}
