package posembed_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/posembed"
	"siglab/posembed/posembedtest"
)

// FuzzApply compares tables of any small shape with the definition.
func FuzzApply(f *testing.F) {
	f.Add(uint8(4), uint8(5), uint8(7), uint8(3), uint8(3), uint8(posembed.Bicubic), uint64(1))
	f.Add(uint8(1), uint8(12), uint8(9), uint8(1), uint8(1), uint8(posembed.BicubicOffset), uint64(2))
	f.Add(uint8(12), uint8(12), uint8(1), uint8(2), uint8(17), uint8(posembed.BicubicAntialias), uint64(3))
	f.Add(uint8(6), uint8(6), uint8(6), uint8(6), uint8(5), uint8(posembed.Bilinear), uint64(4))
	f.Fuzz(func(t *testing.T, fromRows, fromCols, toRows, toCols, channels, convention uint8, seed uint64) {
		side := func(n uint8) int { return 1 + int(n)%16 }
		from := posembed.Grid{Rows: side(fromRows), Cols: side(fromCols)}
		to := posembed.Grid{Rows: side(toRows), Cols: side(toCols)}
		dim := 1 + int(channels)%70
		plan, err := posembed.NewPlan(from, to, posembed.Convention(convention))
		if err != nil {
			if int(convention) < len(posembed.Conventions()) {
				t.Fatal(err)
			}
			return
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		src := make([]float64, from.Len()*dim)
		for i := range src {
			src[i] = rng.NormFloat64()
		}
		got := make([]float64, to.Len()*dim)
		if err := plan.ApplyFloat64(got, src, dim); err != nil {
			t.Fatal(err)
		}
		truth, _ := posembedtest.Direct(src, from, to, plan.Convention(), dim)
		for i, want := range truth {
			if !(math.Abs(got[i]-want) <= sumTolerance) {
				t.Fatalf("%v %v to %v, dim %d: value %d is %v, want %v", plan.Convention(), from, to, dim, i, got[i], want)
			}
		}
		checkVector(t, plan, got, src, dim)
	})
}
