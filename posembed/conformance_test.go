package posembed_test

import (
	"math"
	"testing"

	"siglab/posembed"
	"siglab/posembed/posembedtest"
)

const (
	// sumTolerance is the error of a sum in float64 with its weights, and that of
	// what it is compared with: a few hundred roundings of values about 1.
	sumTolerance = 3e-14
	// singleBound is that of sums in float32, in units of Σ|weight|·|value|: two
	// units in the last place (doc/numerics.md derives it).
	singleBound = 2 * 0x1p-23
)

// applyMethod is one of Plan's Apply methods.
type applyMethod[T posembedtest.Element] func(p *posembed.Plan, dst, src []T, dim int) error

// TestApply runs the conformance suite over every implementation, convention and
// type, alone and with the rows shared by goroutines.
func TestApply(t *testing.T) {
	for _, i := range posembed.Implementations() {
		for _, c := range posembed.Conventions() {
			name := i.String() + "/" + c.String()
			t.Run(name+"/f32", func(t *testing.T) { conform(t, c, posembed.Execution{Implementation: i}, (*posembed.Plan).Apply) })
			t.Run(name+"/bf16", func(t *testing.T) {
				conform(t, c, posembed.Execution{Implementation: i}, (*posembed.Plan).ApplyBFloat16)
			})
			t.Run(name+"/f16", func(t *testing.T) {
				conform(t, c, posembed.Execution{Implementation: i}, (*posembed.Plan).ApplyFloat16)
			})
		}
		t.Run(i.String()+"/threads", func(t *testing.T) {
			conform(t, posembed.Bicubic, posembed.Execution{Implementation: i, Threads: 3}, (*posembed.Plan).Apply)
			conform(t, posembed.BilinearAntialias, posembed.Execution{Implementation: i, Threads: 3}, (*posembed.Plan).ApplyBFloat16)
		})
	}
	for _, c := range posembed.Conventions() {
		t.Run(c.String()+"/f64", func(t *testing.T) { conform(t, c, posembed.Execution{}, (*posembed.Plan).ApplyFloat64) })
	}
}

func conform[T posembedtest.Element](t *testing.T, c posembed.Convention, e posembed.Execution, apply applyMethod[T]) {
	var value T
	impl := posembedtest.Implementation[T]{
		Convention: c,
		Tolerance:  sumTolerance,
		Prepare: func(src []T, from, to posembed.Grid, dim int) (func(dst []T) error, error) {
			plan, err := planWith(from, to, c, e)
			if err != nil {
				return nil, err
			}
			return func(dst []T) error { return apply(plan, dst, src, dim) }, nil
		},
	}
	if _, double := any(value).(float64); !double && e.Implementation != posembed.Generic {
		impl.Tolerance, impl.Relative = 0, singleBound
	}
	posembedtest.Run(t, impl)
}

func planWith(from, to posembed.Grid, c posembed.Convention, e posembed.Execution) (*posembed.Plan, error) {
	plan, err := posembed.NewPlan(from, to, c)
	if err != nil {
		return nil, err
	}
	return plan.With(e)
}

// TestResampler runs the conformance suite over every mode. Modes that apply a
// plan are as exact as it is; the two that imitate torch's float32 coordinates get
// its error.
func TestResampler(t *testing.T) {
	tolerance := map[posembed.Mode]float64{posembed.Reference: 1e-5, posembed.BilinearGather: 1e-5}
	for _, mode := range posembed.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			posembedtest.Run(t, posembedtest.Implementation[float32]{
				Convention: mode.Convention(),
				Tolerance:  tolerance[mode],
				Relative:   singleBound,
				Prepare: func(src []float32, from, to posembed.Grid, dim int) (func(dst []float32) error, error) {
					r, err := posembed.NewResampler(mode, src, from, dim)
					if err != nil {
						return nil, err
					}
					return func(dst []float32) error { return r.Resample(dst, to) }, nil
				},
			})
		})
	}
}

// checkVector compares every vector implementation with the truth.
func checkVector(t *testing.T, p *posembed.Plan, want, src []float64, dim int) {
	t.Helper()
	table := make([]float32, len(src))
	for i, v := range src {
		table[i] = float32(v)
	}
	_, scale := posembedtest.Direct(src, p.From(), p.To(), p.Convention(), dim)
	got := make([]float32, len(want))
	for _, i := range posembed.Implementations() {
		q, err := p.With(posembed.Execution{Implementation: i, Threads: 1 + dim%3})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Apply(got, table, dim); err != nil {
			t.Fatal(err)
		}
		for k, v := range got { // the table was rounded once, too
			if !(math.Abs(float64(v)-want[k]) <= (singleBound+0x1p-24)*scale[k]+0x1p-24*math.Abs(want[k])+0x1p-140) {
				t.Fatalf("%v, %v %v to %v, dim %d: value %d is %v, want %v", i, p.Convention(), p.From(), p.To(), dim, k, v, want[k])
			}
		}
	}
}
