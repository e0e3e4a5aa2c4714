package sample

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// next is the first token that parameters pick from logits.
func next(t *testing.T, p Params, logits []float32) Pick {
	t.Helper()
	pick, err := New(p, nil, nil).Next(slices.Clone(logits))
	if err != nil {
		t.Fatal(err)
	}
	return pick
}

func TestGreedy(t *testing.T) {
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
		if got := next(t, Params{Top: -1}, tt.logits); got.ID != tt.want || got.Top != nil {
			t.Errorf("%s: %+v, want %d", tt.name, got, tt.want)
		}
	}
}

// TestSequence: penalties, biases and the minimum length, by the tokens that four
// greedy picks from the same logits give.
func TestSequence(t *testing.T) {
	logits := []float32{2, 1.9, -1, 1.5}
	tests := []struct {
		name   string
		params Params
		want   []int
	}{
		{"nothing: the same token for ever", Params{}, []int{0, 0, 0, 0}},
		{"presence counts once", Params{Presence: 0.3}, []int{0, 1, 0, 0}},
		{"frequency counts each time", Params{Frequency: 0.3}, []int{0, 1, 0, 1}},
		{"a negative presence holds on", Params{Presence: -1}, []int{0, 0, 0, 0}},
		{"repetition divides, also the prompt's token 1", Params{Repetition: 1.2}, []int{0, 0, 0, 0}},
		{"a stronger repetition penalty", Params{Repetition: 1.5}, []int{0, 3, 0, 0}},
		{"a bias", Params{Bias: map[int]float64{2: 5}}, []int{2, 2, 2, 2}},
		{"no end before the minimum length", Params{MinTokens: 2}, []int{1, 1, 0, 0}},
	}
	for _, tt := range tests {
		ends := []int{}
		if tt.params.MinTokens > 0 {
			ends = []int{0}
		}
		s := New(tt.params, []int{1}, ends)
		var got []int
		for range tt.want {
			pick, err := s.Next(slices.Clone(logits))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, pick.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestRepetition is the formula at both signs.
func TestRepetition(t *testing.T) {
	logits := []float32{3, -3, 3, -3}
	New(Params{Repetition: 1.5}, []int{0, 1, 1}, nil).adjust(logits)
	if diff := cmp.Diff([]float32{2, -4.5, 3, -3}, logits); diff != "" {
		t.Error(diff)
	}
}

// TestExtremeRepetition: no penalty that Check lets through leaves logits that are not
// numbers; the token that it hits hardest is the last to be picked, or the first.
func TestExtremeRepetition(t *testing.T) {
	for _, tt := range []struct {
		penalty float64
		want    int // of the tokens 0 and 1, of which the prompt has 0
	}{
		{math.SmallestNonzeroFloat64, 0}, {1e-300, 0}, {1e-40, 0}, {1e40, 1}, {math.MaxFloat64, 1},
	} {
		for _, logits := range [][]float32{{2, 1}, {2, 0}, {2, 1, negInf}} {
			p := Params{Repetition: tt.penalty}
			if err := p.Check(len(logits)); err != nil {
				t.Fatal(err)
			}
			pick, err := New(p, []int{0}, nil).Next(slices.Clone(logits))
			if err != nil || pick.ID != tt.want && logits[1] > 0 {
				t.Errorf("penalty %v of %v: token %d, error %v, want %d", tt.penalty, logits, pick.ID, err, tt.want)
			}
		}
		s := New(Params{Repetition: tt.penalty, Temperature: 1}, []int{0, 1, 2}, nil)
		if _, err := s.Next([]float32{0, -3, negInf}); err != nil {
			t.Errorf("penalty %v of logits of 0 and below: %v", tt.penalty, err)
		}
	}
}

func TestLogprobs(t *testing.T) {
	logits := []float32{0, float32(math.Log(3)), negInf, float32(math.Log(4))}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
	want := Pick{ID: 3, Logprob: math.Log(.5), Top: []Candidate{{3, math.Log(.5)}, {1, math.Log(.375)}}}
	if diff := cmp.Diff(want, next(t, Params{Top: 2}, logits), near); diff != "" {
		t.Error(diff)
	}
	want.ID, want.Logprob = 0, math.Log(.125)
	if diff := cmp.Diff(want, next(t, Params{Top: 2, Bias: map[int]float64{0: 9}}, logits), near); diff != "" {
		t.Errorf("a bias must not change log probabilities:\n%s", diff)
	}
	if got := next(t, Params{Top: 10}, []float32{1, negInf}); len(got.Top) != 1 {
		t.Errorf("candidates %+v: those that cannot be sampled do not count", got.Top)
	}
}

// TestDistribution counts draws against the shares that each parameter leaves.
func TestDistribution(t *testing.T) {
	const n = 40_000
	logits := []float32{0, float32(2 * math.Log(2)), float32(2 * math.Log(5)), negInf} // at temperature 2: 1 to 2 to 5
	tests := []struct {
		name   string
		params Params
		want   []float64
	}{
		{"the temperature alone", Params{}, []float64{1. / 8, 2. / 8, 5. / 8, 0}},
		{"top-k keeps two", Params{TopK: 2}, []float64{0, 2. / 7, 5. / 7, 0}},
		{"top-k off", Params{TopK: -1}, []float64{1. / 8, 2. / 8, 5. / 8, 0}},
		{"top-p keeps what reaches it", Params{TopP: 0.63}, []float64{0, 2. / 7, 5. / 7, 0}},
		{"top-p that one token reaches", Params{TopP: 0.6}, []float64{0, 0, 1, 0}},
		{"a tiny top-p keeps one", Params{TopP: 1e-9}, []float64{0, 0, 1, 0}},
		{"min-p is relative to the best", Params{MinP: 0.3}, []float64{0, 2. / 7, 5. / 7, 0}},
		{"top-p after top-k", Params{TopK: 2, TopP: 0.7}, []float64{0, 0, 1, 0}},
	}
	for _, tt := range tests {
		tt.params.Temperature, tt.params.Top, tt.params.Seed = 2, -1, 1
		s, counts := New(tt.params, nil, nil), make([]float64, len(logits))
		for range n {
			pick, err := s.Next(slices.Clone(logits))
			if err != nil {
				t.Fatal(err)
			}
			counts[pick.ID]++
		}
		for id, want := range tt.want {
			if got := counts[id] / n; math.Abs(got-want) > 0.01 {
				t.Errorf("%s: token %d has a share of %.3f, want %.3f", tt.name, id, got, want)
			}
		}
	}
}

// TestCutTail compares with sorting everything.
func TestCutTail(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		w := make([]float64, 1+rng.IntN(60))
		total := 0.0
		for i := range w {
			w[i] = float64(rng.IntN(5)) * rng.ExpFloat64()
			total += w[i]
		}
		tail := rng.Float64()
		order := make([]int, len(w))
		for i := range order {
			order[i] = len(w) - 1 - i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case w[a] < w[b]:
				return -1
			case w[a] > w[b]:
				return 1
			}
			return 0
		})
		want, sum := slices.Clone(w), 0.0
		for _, i := range order[:len(order)-1] {
			if sum += w[i]; sum > tail*total {
				break
			}
			want[i] = 0
		}
		cutTail(w, tail)
		if diff := cmp.Diff(want, w); diff != "" {
			t.Fatalf("tail %v:\n%s", tail, diff)
		}
	}
}

func TestKthLargest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		values := make([]float32, 1+rng.IntN(40))
		for i := range values {
			values[i] = float32(rng.IntN(12))
		}
		sorted := slices.Sorted(slices.Values(values))
		k := 1 + rng.IntN(len(values))
		if got, want := new(Sampler).kthLargest(values, k), sorted[len(sorted)-k]; got != want {
			t.Fatalf("number %d of %v: %v, want %v", k, values, got, want)
		}
	}
}

func TestNoToken(t *testing.T) {
	nan := float32(math.NaN())
	for name, logits := range map[string][]float32{
		"nothing is left": {negInf, negInf}, "not numbers": {nan, nan}, "infinite": {0, float32(math.Inf(1))},
	} {
		if _, err := New(Params{Top: 1}, nil, nil).Next(logits); !errors.Is(err, ErrNoToken) {
			t.Errorf("%s: error %v, want %v", name, err, ErrNoToken)
		}
	}
}

func TestCheck(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		params Params
		want   string // the parameter at fault
	}{
		{Params{}, ""},
		{Params{Temperature: 2, TopP: 1, TopK: -1, MinP: 1, Repetition: 0.1, Presence: -2, Frequency: 2, Top: 20}, ""},
		{Params{Temperature: nan}, "temperature"},
		{Params{Temperature: math.Inf(1)}, "temperature"},
		{Params{TopP: 1.1}, "top_p"},
		{Params{TopK: -2}, "top_k"},
		{Params{MinP: nan}, "min_p"},
		{Params{Repetition: -1}, "repetition_penalty"},
		{Params{Presence: 2.1}, "presence_penalty"},
		{Params{Frequency: nan}, "frequency_penalty"},
		{Params{MinTokens: -1}, "min_tokens"},
		{Params{Top: 21}, "top_logprobs"},
		{Params{Bias: map[int]float64{4: 1}}, "logit_bias"},
		{Params{Bias: map[int]float64{3: nan}}, "logit_bias"},
	}
	for _, tt := range tests {
		err := tt.params.Check(4)
		var wrong *ParamError
		if errors.As(err, &wrong); (err == nil) != (tt.want == "") || err != nil && wrong.Name != tt.want {
			t.Errorf("%+v: error %v, want one of %q", tt.params, err, tt.want)
		}
	}
}
