package generate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSamplerGreedy(t *testing.T) {
	tests := []struct {
		name   string
		logits []float32
		want   int
	}{
		{"the largest", []float32{1, 3, 2}, 1},
		{"a tie goes to the lowest id", []float32{1, 3, 3}, 1},
		{"suppressed tokens never", []float32{negInf, -9, negInf}, 1},
	}
	for _, tt := range tests {
		s := sampler{top: -1}
		if got := s.next(tt.logits); got.ID != tt.want || got.Top != nil {
			t.Errorf("%s: %+v, want %d", tt.name, got, tt.want)
		}
	}
}

func TestSamplerLogprobs(t *testing.T) {
	s := sampler{top: 2}
	got := s.next([]float32{0, float32(math.Log(3)), negInf, float32(math.Log(4))})
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
	want := Token{ID: 3, Logprob: math.Log(.5), Top: []Candidate{{3, math.Log(.5)}, {1, math.Log(.375)}}}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Error(diff)
	}
	s.top = 10
	if got := s.next([]float32{1, negInf}); len(got.Top) != 1 {
		t.Errorf("candidates %+v: those that cannot be sampled do not count", got.Top)
	}
}

// TestSamplerDistribution counts draws against softmax(logits/temperature).
func TestSamplerDistribution(t *testing.T) {
	const n = 40_000
	s := sampler{temperature: 2, rng: rand.New(rand.NewPCG(1, 2)), top: -1}
	logits := []float32{0, float32(2 * math.Log(2)), float32(2 * math.Log(5)), negInf}
	counts := make([]float64, len(logits))
	for range n {
		counts[s.next(logits).ID]++
	}
	for id, want := range []float64{1. / 8, 2. / 8, 5. / 8, 0} {
		if got := counts[id] / n; math.Abs(got-want) > 0.01 {
			t.Errorf("token %d: share %.3f, want %.3f", id, got, want)
		}
	}
}
