package vlm_test

import (
	"slices"
	"testing"

	"siglab/engine/vlm"
	"siglab/posembed"
)

// TestBatchIndependent: a sequence's logits have the same bits alone on one thread
// and among others, at other positions, on four.
func TestBatchIndependent(t *testing.T) {
	const steps = 6
	texts := []string{"Why?", "What is shown here?", "Describe this image in detail.", "Where?", "Who is it, and when?"}
	one, four := open(t, posembed.Exact, 1), open(t, posembed.Exact, 4)
	var batch []*vlm.Sequence
	var tokens []int
	var together, alone [][]float32
	for i, text := range texts {
		s, logits := prefill(t, one, text, encode(t, one, uint64(i)))
		for k := range steps {
			step(t, one, s, 300+i+k, logits)
		}
		alone = append(alone, logits)

		s, logits = prefill(t, four, text, encode(t, four, uint64(i)))
		batch, tokens, together = append(batch, s), append(tokens, 300+i), append(together, logits)
	}
	for range steps {
		if err := four.Step(batch, tokens, together); err != nil {
			t.Fatal(err)
		}
		for i := range tokens {
			tokens[i]++
		}
	}
	for i, text := range texts {
		if !slices.Equal(alone[i], together[i]) {
			t.Errorf("%q: logits in a batch differ from those alone", text)
		}
	}
}

// TestPrefillIsSteps: a prompt at once gives the bits of all but its last token
// and a step, and of a token at a time after the image.
func TestPrefillIsSteps(t *testing.T) {
	m := open(t, posembed.Exact, 2)
	image := encode(t, m, 1)
	prompt := question(m, "What is shown here, and what is behind it?")
	var want []float32
	for _, steps := range []int{0, 1, 12} {
		s, logits := m.NewSequence(len(prompt)), make([]float32, m.VocabSize())
		first := len(prompt) - steps
		if err := m.Prefill(s, prompt[:first], []vlm.Features{image}, logits); err != nil {
			t.Fatal(err)
		}
		for _, token := range prompt[first:] {
			step(t, m, s, token, logits)
		}
		if steps == 0 {
			want = logits
		}
		if !slices.Equal(logits, want) {
			t.Errorf("%d tokens of the prompt as steps give other logits", steps)
		}
	}
}

// TestSeed: weights are a function of the seed.
func TestSeed(t *testing.T) {
	first := func(seed uint64) []float32 {
		m, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: posembed.Exact, Threads: 1, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		_, logits := prefill(t, m, "Why?", encode(t, m, 1))
		return logits
	}
	if a, b := first(7), first(7); !slices.Equal(a, b) {
		t.Error("equal seeds give different logits")
	}
	if a, b := first(7), first(8); slices.Equal(a, b) {
		t.Error("different seeds give equal logits")
	}
}
