package posembed_test

import (
	"testing"

	"siglab/posembed"
	"siglab/posembed/posembedtest"
)

// sumTolerance is the error of a sum in float64 with its weights, and that of what
// it is compared with: a few hundred roundings of values about 1.
const sumTolerance = 3e-14

// applyMethod is one of Plan's Apply methods.
type applyMethod[T posembedtest.Element] func(p *posembed.Plan, dst, src []T, dim int) error

// TestApply runs the conformance suite over every convention and type. The results
// are sums in float64, rounded once: the tolerance is that of the sums.
func TestApply(t *testing.T) {
	for _, c := range posembed.Conventions() {
		t.Run(c.String()+"/f32", func(t *testing.T) { conform(t, c, (*posembed.Plan).Apply) })
		t.Run(c.String()+"/f64", func(t *testing.T) { conform(t, c, (*posembed.Plan).ApplyFloat64) })
		t.Run(c.String()+"/bf16", func(t *testing.T) { conform(t, c, (*posembed.Plan).ApplyBFloat16) })
		t.Run(c.String()+"/f16", func(t *testing.T) { conform(t, c, (*posembed.Plan).ApplyFloat16) })
	}
}

func conform[T posembedtest.Element](t *testing.T, c posembed.Convention, apply applyMethod[T]) {
	posembedtest.Run(t, posembedtest.Implementation[T]{
		Convention: c,
		Tolerance:  sumTolerance,
		Prepare: func(src []T, from, to posembed.Grid, dim int) (func(dst []T) error, error) {
			plan, err := posembed.NewPlan(from, to, c)
			if err != nil {
				return nil, err
			}
			return func(dst []T) error { return apply(plan, dst, src, dim) }, nil
		},
	})
}

// TestResampler runs the conformance suite over every mode. Modes that apply a
// plan are as exact as it is; the two that imitate torch's float32 coordinates get
// its error.
func TestResampler(t *testing.T) {
	tolerance := map[posembed.Mode]float64{
		posembed.Reference:      1e-5,
		posembed.BilinearGather: 1e-5,
		posembed.BilinearFused:  sumTolerance,
		posembed.Exact:          sumTolerance,
		posembed.Cached:         sumTolerance,
		posembed.Antialias:      sumTolerance,
	}
	for _, mode := range posembed.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			posembedtest.Run(t, posembedtest.Implementation[float32]{
				Convention: mode.Convention(),
				Tolerance:  tolerance[mode],
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
