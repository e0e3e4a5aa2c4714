package changepoint

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// levels is a series of noise around levels, each held for so many values.
func levels(rng *rand.Rand, noise float64, held int, at ...float64) []float64 {
	var out []float64
	for _, level := range at {
		for range held {
			out = append(out, level+noise*rng.NormFloat64())
		}
	}
	return out
}

func TestFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		why    string
		series []float64
		want   []int
	}{
		{"nothing", nil, nil},
		{"too short", []float64{1, 1, 9, 9}, nil},
		{"all the same", make([]float64, 20), nil},
		{"one change", levels(rng, 0.5, 10, 10, 13), []int{10}},
		{"up and down again", levels(rng, 0.5, 12, 10, 14, 10), []int{12, 24}},
		{"three levels", levels(rng, 0.5, 10, 1, 5, 9), []int{10, 20}},
		{"one value apart is no level", append(append(levels(rng, 0.5, 10, 10), 30), levels(rng, 0.5, 10, 10)...), nil},
	} {
		changes, err := Find(test.series, Options{}, rand.New(rand.NewPCG(3, 4)))
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, c := range changes {
			got = append(got, c.At)
			if !(c.P > 0 && c.P <= 0.05) {
				t.Errorf("%s: p %v", test.why, c.P)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
	}
	changes, err := Find([]float64{1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 5}, Options{}, rand.New(rand.NewPCG(3, 4)))
	if err != nil || len(changes) != 1 || changes[0].Before != 1 || changes[0].After != 5 {
		t.Errorf("levels: %+v, error %v", changes, err)
	}
}

// TestFalseAlarms: a series without a change has one found at about the level of the
// test, and one of normal noise with a change of two deviations nearly always.
func TestFalseAlarms(t *testing.T) {
	const series = 400
	rng := rand.New(rand.NewPCG(5, 6))
	count := func(at ...float64) float64 {
		found := 0
		for range series {
			changes, err := Find(levels(rng, 1, 12, at...), Options{Permutations: 99}, rng)
			if err != nil {
				t.Fatal(err)
			}
			if len(changes) > 0 {
				found++
			}
		}
		return float64(found) / series
	}
	// Three standard errors of a share of 5 % in 400 are 3.3 %.
	if got := count(0, 0); got < 0.017 || got > 0.083 {
		t.Errorf("found a change in %.3f of series that have none", got)
	}
	if got := count(0, 2); got < 0.95 {
		t.Errorf("found a change in %.3f of series that have one", got)
	}
}

// TestBest: the sums that are updated are those that the definition gives.
func TestBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x := levels(rng, 1, 7, 0, 1)
	pairs := func(a, b []float64) (sum float64) {
		for _, v := range a {
			for _, w := range b {
				sum += math.Abs(v - w)
			}
		}
		return sum
	}
	wantAt, want := 0, math.Inf(-1)
	for m := 2; m <= len(x)-2; m++ {
		a, b := x[:m], x[m:]
		na, nb := float64(len(a)), float64(len(b))
		q := na * nb / (na + nb) * (2*pairs(a, b)/(na*nb) - pairs(a, a)/(na*(na-1)) - pairs(b, b)/(nb*(nb-1)))
		if q > want {
			wantAt, want = m, q
		}
	}
	at, q := best(x, 2)
	if at != wantAt || !cmp.Equal(q, want, cmpopts.EquateApprox(1e-12, 0)) {
		t.Errorf("split at %d with %v, want %d with %v", at, q, wantAt, want)
	}
}

func TestFindRefuses(t *testing.T) {
	for why, series := range map[string][]float64{
		"no number": {1, math.NaN()}, "an infinite one": {math.Inf(1)}, "too long": make([]float64, Most+1),
	} {
		if _, err := Find(series, Options{}, rand.New(rand.NewPCG(1, 1))); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
	if _, err := Find(nil, Options{Alpha: 2}, nil); err == nil {
		t.Error("a level of 2: no error")
	}
}
