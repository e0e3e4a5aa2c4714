package vlm_test

import (
	"testing"

	"siglab/engine/vlm"
	"siglab/posembed"
)

// TestReuseErrors: what cannot be reused leaves the prompt as it was.
func TestReuseErrors(t *testing.T) {
	m := open(t, posembed.Exact, 1)
	prompt := []int{1, 2, 3, 4, 5, 6}
	from := m.NewSequence(8)
	if err := m.Prefill(from, prompt[:4], nil, make([]float32, m.VocabSize())); err != nil {
		t.Fatal(err)
	}
	begin := func(s *vlm.Sequence) *vlm.Prefill {
		p, err := m.Begin(s, prompt, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	begun := m.NewSequence(20)
	if err := m.Prefill(begun, prompt, nil, make([]float32, m.VocabSize())); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		p      *vlm.Prefill
		tokens int
	}{
		"the whole prompt":         {begin(m.NewSequence(6)), 6},
		"more than the other has":  {begin(m.NewSequence(6)), 5},
		"fewer than none":          {begin(m.NewSequence(6)), -1},
		"a sequence that has some": {begin(begun), 2},
	} {
		left := tt.p.Left()
		if err := m.Reuse(tt.p, from, tt.tokens); err == nil || tt.p.Left() != left {
			t.Errorf("%s: error %v, %d tokens left of %d", name, err, tt.p.Left(), left)
		}
	}
}
