package arrival

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func TestConstant(t *testing.T) {
	got, err := Constant(4, 10)
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Millisecond
	if diff := cmp.Diff([]time.Duration{100 * ms, 200 * ms, 300 * ms, 400 * ms}, got); diff != "" {
		t.Error(diff)
	}
}

// TestShape wants of every schedule: ascending, and the last arrival at n/rate.
func TestShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "n")
		rate := rapid.Float64Range(0.01, 5000).Draw(t, "rate")
		burstiness := rapid.Float64Range(0.05, 20).Draw(t, "burstiness")
		got, err := Gamma(n, rate, burstiness, rng(rapid.Uint64().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n || !slices.IsSorted(got) || got[0] < 0 {
			t.Fatalf("%d offsets, first %v: not an ascending schedule of %d", len(got), got[0], n)
		}
		if want := time.Duration(math.Round(float64(n) / rate * 1e9)); got[n-1] != want {
			t.Fatalf("last arrival at %v, want %v", got[n-1], want)
		}
	})
}

// TestGaps compares the gaps of a long schedule with their distribution: the
// coefficient of variation of a gamma of shape k is 1/√k.
func TestGaps(t *testing.T) {
	tests := []struct {
		name       string
		burstiness float64
	}{
		{"Poisson", 1},
		{"bursty", 0.25},
		{"nearly regular", 16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const n, rate = 100_000, 50
			got, err := Gamma(n, rate, tt.burstiness, rng(7))
			if err != nil {
				t.Fatal(err)
			}
			last, sum, squares := time.Duration(0), 0.0, 0.0
			for _, at := range got {
				gap := (at - last).Seconds()
				last = at
				sum += gap
				squares += gap * gap
			}
			mean := sum / n
			cv := math.Sqrt(squares/n-mean*mean) / mean
			if want := 1 / math.Sqrt(tt.burstiness); math.Abs(cv/want-1) > 0.03 {
				t.Errorf("coefficient of variation %.3f, want %.3f", cv, want)
			}
		})
	}
}

func TestSeed(t *testing.T) {
	a, _ := Poisson(50, 10, rng(1))
	b, _ := Poisson(50, 10, rng(1))
	c, _ := Poisson(50, 10, rng(2))
	if !slices.Equal(a, b) {
		t.Error("the same seed gave two schedules")
	}
	if slices.Equal(a, c) {
		t.Error("two seeds gave the same schedule")
	}
}

func TestBadInput(t *testing.T) {
	tests := []struct {
		name             string
		n                int
		rate, burstiness float64
		want             string
	}{
		{"no arrivals", 0, 10, 1, "0 arrivals"},
		{"too many", 1 << 40, 10, 1, "arrivals"},
		{"no rate", 5, 0, 1, "rate 0"},
		{"negative rate", 5, -1, 1, "rate -1"},
		{"not a number", 5, math.NaN(), 1, "rate NaN"},
		{"infinite rate", 5, math.Inf(1), 1, "rate +Inf"},
		{"no burstiness", 5, 1, 0, "burstiness 0"},
		{"longer than a duration", 5, 1e-12, 1, "longer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Gamma(tt.n, tt.rate, tt.burstiness, rng(1)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestRampUp: the mean gap at each end is the reciprocal of the rate there.
func TestRampUp(t *testing.T) {
	const n = 40_000
	for _, shape := range []RampShape{Linear, Exponential} {
		ramp := Ramp{Shape: shape, From: 10, To: 1000}
		got, err := RampUp(n, ramp, 1, rng(2))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(got) {
			t.Errorf("%v: the arrivals do not ascend", shape)
		}
		const edge = n / 100
		first := float64(edge) / got[edge-1].Seconds()
		if want := ramp.rate(edge/2, n); math.Abs(first/want-1) > 0.15 {
			t.Errorf("%v: the first gaps have rate %.1f, want about %.1f", shape, first, want)
		}
		last := float64(edge) / (got[n-1] - got[n-1-edge]).Seconds()
		if want := ramp.rate(n-edge/2, n); math.Abs(last/want-1) > 0.15 {
			t.Errorf("%v: the last gaps have rate %.1f, want about %.1f", shape, last, want)
		}
	}
	regular, err := RampUp(3, Ramp{From: 1, To: 4}, math.Inf(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 1400 * time.Millisecond, 1650 * time.Millisecond}, regular); diff != "" {
		t.Errorf("without randomness:\n%s", diff)
	}
}

func TestRampBadInput(t *testing.T) {
	for _, ramp := range []Ramp{{From: 0, To: 1}, {From: 1, To: -1}, {From: 1, To: math.Inf(1)}, {From: math.NaN(), To: 1}, {From: 1, To: math.NaN()}} {
		if _, err := RampUp(5, ramp, 1, rng(1)); err == nil {
			t.Errorf("%+v was accepted", ramp)
		}
		if _, err := (VLLM{Ramp: &ramp, Burstiness: 1}).Offsets(5); err == nil {
			t.Errorf("vLLM: %+v was accepted", ramp)
		}
	}
	for _, name := range []string{"", "Linear", "quadratic"} {
		if _, err := ParseRampShape(name); err == nil {
			t.Errorf("shape %q was accepted", name)
		}
	}
	for _, v := range []VLLM{{Rate: 0, Burstiness: 1}, {Rate: 1}, {Rate: math.NaN(), Burstiness: 1}} {
		if _, err := v.Offsets(5); err == nil {
			t.Errorf("%+v was accepted", v)
		}
	}
}
