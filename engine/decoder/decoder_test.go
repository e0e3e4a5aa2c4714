package decoder_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"siglab/engine/decoder"
	"siglab/engine/tensor"
)

// embed is the decoder's input for tokens.
func embed(t *testing.T, d *decoder.Decoder, hidden int, tokens ...int) []float32 {
	t.Helper()
	x := make([]float32, len(tokens)*hidden)
	for i, token := range tokens {
		if err := d.Embed(x[i*hidden:][:hidden], token); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// causal is what n rows from a position on see, if each sees what is before it.
func causal(first, n int) []int {
	ends := make([]int, n)
	for i := range ends {
		ends[i] = first + i + 1
	}
	return ends
}

// families are the configurations that the tests below run over, with what the rows
// of a prompt see.
func families() []family {
	block := causal(0, 12)
	for i := 3; i < 8; i++ { // an image
		block[i] = 8
	}
	return []family{
		{"Qwen2", qwen2(), causal(0, 12)},
		{"Llama", llama(), causal(0, 12)},
		{"Gemma, a prompt that sees itself both ways", gemma(), slices.Repeat([]int{12}, 12)},
		{"Gemma 3, an image among the tokens", gemma3(), block},
	}
}

type family struct {
	name   string
	config decoder.Config
	ends   []int
}

func prompt() []int { return []int{7, 3, 49, 12, 12, 12, 30, 12, 0, 5, 21, 9} }

// TestReference compares every family with its definition in float64: the logits after
// the prompt, and those of four steps.
func TestReference(t *testing.T) {
	for _, f := range families() {
		d, weights := newDecoder(t, f.config, 2)
		r, hidden := reference{f.config, weights}, f.config.Hidden
		tokens, ends := append(prompt(), 11, 22, 33, 44), slices.Concat(f.ends, causal(12, 4))
		x := make([][]float64, len(tokens))
		for i, token := range tokens {
			for _, v := range weights["embed_tokens.weight"][token*hidden:][:hidden] {
				x[i] = append(x[i], float64(v*f.config.EmbeddingScale))
			}
		}
		want := r.logits(x, ends)
		cache, logits := d.NewCache(len(tokens)), make([]float32, f.config.Vocab)
		check := func(row int) {
			t.Helper()
			for i, v := range logits {
				if math.Abs(float64(v)-want[row][i]) > 1e-4 {
					t.Fatalf("%s: row %d: logit %d is %v, want %v", f.name, row, i, v, want[row][i])
				}
			}
		}
		if err := d.Prefill(cache, embed(t, d, hidden, prompt()...), f.ends, logits); err != nil {
			t.Fatal(err)
		}
		check(11)
		for i := 12; i < len(tokens); i++ {
			if err := d.Step([]*decoder.Cache{cache}, embed(t, d, hidden, tokens[i]), [][]float32{logits}); err != nil {
				t.Fatal(err)
			}
			check(i)
		}
	}
}

// TestChunks: a prompt at once, in parts and token by token gives the same bits, on
// one thread and on four.
func TestChunks(t *testing.T) {
	tokens := prompt()
	for _, f := range families() {
		if f.config.FirstPosition == 1 {
			continue // its rows see the whole prompt
		}
		var want []float32
		for _, test := range []struct {
			why     string
			threads int
			parts   []int // lengths of the prefills; the rest in steps
		}{
			{"at once", 1, []int{12}},
			{"at once on four threads", 4, []int{12}},
			{"all but one, then a step", 1, []int{11}},
			{"in two parts", 1, []int{8, 4}},
			{"in parts and steps on four threads", 4, []int{2, 7}},
		} {
			d, _ := newDecoder(t, f.config, test.threads)
			cache, logits, at := d.NewCache(12), make([]float32, f.config.Vocab), 0
			for _, n := range test.parts {
				if err := d.Prefill(cache, embed(t, d, f.config.Hidden, tokens[at:at+n]...), f.ends[at:at+n], logits); err != nil {
					t.Fatal(err)
				}
				at += n
			}
			for _, token := range tokens[at:] {
				if err := d.Step([]*decoder.Cache{cache}, embed(t, d, f.config.Hidden, token), [][]float32{logits}); err != nil {
					t.Fatal(err)
				}
			}
			if want == nil {
				want = logits
			}
			if !slices.Equal(logits, want) {
				t.Errorf("%s, %s: logits differ from those of the prompt at once", f.name, test.why)
			}
			if cache.Len() != 12 || cache.Capacity() != 12 {
				t.Errorf("%s, %s: the cache holds %d of %d, want it full with 12", f.name, test.why, cache.Len(), cache.Capacity())
			}
		}
	}
}

// TestBatch: a step of several sequences gives each the bits that it gets alone.
func TestBatch(t *testing.T) {
	for _, f := range families() {
		d, _ := newDecoder(t, f.config, 2)
		var together, alone [][]float32
		var caches []*decoder.Cache
		hidden, tokens := f.config.Hidden, []int{4, 8, 15}
		for i, token := range tokens {
			single, logits := d.NewCache(20), make([]float32, f.config.Vocab)
			for _, c := range []*decoder.Cache{single, d.NewCache(20)} {
				if err := d.Prefill(c, embed(t, d, hidden, prompt()[i:]...), causal(0, 12-i), nil); err != nil {
					t.Fatal(err)
				}
				caches = append(caches[:i], c)
			}
			if err := d.Step([]*decoder.Cache{single}, embed(t, d, hidden, token), [][]float32{logits}); err != nil {
				t.Fatal(err)
			}
			alone, together = append(alone, logits), append(together, make([]float32, f.config.Vocab))
		}
		if err := d.Step(caches, embed(t, d, hidden, tokens...), together); err != nil {
			t.Fatal(err)
		}
		for i := range tokens {
			if !slices.Equal(alone[i], together[i]) {
				t.Errorf("%s: sequence %d has other logits in a batch", f.name, i)
			}
		}
	}
}

// TestFull: what does not fit is refused, and nothing is lost by trying.
func TestFull(t *testing.T) {
	c := qwen2()
	d, _ := newDecoder(t, c, 1)
	logits := make([]float32, c.Vocab)
	full, free := d.NewCache(2), d.NewCache(2)
	if err := d.Prefill(full, embed(t, d, c.Hidden, 1, 2), causal(0, 2), logits); err != nil {
		t.Fatal(err)
	}
	long := d.NewCache(c.MaxPositions + 1)
	x := make([]float32, (c.MaxPositions+1)*c.Hidden)
	for _, test := range []struct {
		why  string
		err  error
		want string
	}{
		{"a full cache", d.Prefill(full, x, causal(2, 1), logits), "2 positions cannot take 1 more"},
		{"a prompt longer than the cache", d.Prefill(free, x, causal(0, 3), logits), "capacity is 2"},
		{"a prompt longer than the model", d.Prefill(long, x, causal(0, c.MaxPositions+1), logits), "capacity is 64"},
		{"no prompt", d.Prefill(free, nil, nil, logits), "no positions"},
		{"a row that sees what is not there", d.Prefill(free, x, []int{3, 2}, logits), "before 3: want 1 to 2"},
		{"a row that does not see itself", d.Prefill(free, x, []int{1, 1}, logits), "before 1: want 2 to 2"},
		{"a step of a full cache and another", d.Step([]*decoder.Cache{free, full}, x, [][]float32{logits, logits}), "capacity is 2"},
		{"a token that is not", d.Embed(logits, c.Vocab), "0 to 49"},
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

// idle is a device that does nothing, so that what the decoder itself does is left.
type idle struct{ decoder.Ops }

func (idle) Row([]float32, tensor.Matrix, int)                                                     {}
func (idle) Linear(_, _ []float32, _ tensor.Matrix, _ []float32)                                   {}
func (idle) LinearAdd(_, _ []float32, _ tensor.Matrix, _ []float32)                                {}
func (idle) RMSNorm(_, _, _ []float32, _ float64)                                                  {}
func (idle) RoPE(_, _, _ []float32, _ []int, _, _ int)                                             {}
func (idle) NewKeyValues(_, _, _ int) tensor.KeyValues                                             { return nil }
func (idle) Store(_ tensor.KeyValues, _, _ []float32, _ int)                                       {}
func (idle) CachedAttention(_, _ []float32, _ tensor.KeyValues, _ []tensor.Span, _ int, _ float32) {}
func (idle) SiLUMul(_, _ []float32)                                                                {}
func (idle) GELUTanhMul(_, _ []float32)                                                            {}

// TestNoGarbage: a step leaves nothing behind but what the device does.
func TestNoGarbage(t *testing.T) {
	for _, f := range families() {
		c := f.config
		d := decoder.New(c, &decoder.Weights{Blocks: make([]decoder.Block, c.Layers)}, idle{})
		caches := []*decoder.Cache{d.NewCache(64), d.NewCache(64)}
		x, logits := make([]float32, 2*c.Hidden), [][]float32{make([]float32, c.Vocab), make([]float32, c.Vocab)}
		step := func() {
			if err := d.Step(caches, x, logits); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if n := testing.AllocsPerRun(20, step); n > 0 {
			t.Errorf("%s: %v allocations in a step, want none", f.name, n)
		}
	}
}
