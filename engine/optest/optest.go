// Package optest checks and times the operations of a device: one table of cases that
// every implementation runs, against the definitions in float64.
//
// A case fails by more than its stated tolerance, by a value written outside of its
// result, by infinities and NaNs that are not where the definition has them, or by bits
// of a row that depend on its company.
package optest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// Device is what is checked; cpu.Device states the operations' shapes.
type Device interface {
	Pack(w safetensors.Tensor) (tensor.Matrix, error)
	Row(dst []float32, w tensor.Matrix, out int)
	Linear(y, x []float32, w tensor.Matrix, bias []float32)
	LinearAdd(y, x []float32, w tensor.Matrix, bias []float32)
	LayerNorm(y, x, weight, bias []float32, eps float64)
	RMSNorm(y, x, weight []float32, eps float64)
	GELUTanh(x []float32)
	GELU(x []float32)
	SiLUMul(gate, up []float32)
	GELUTanhMul(gate, up []float32)
	RoPE(x, cos, sin []float32, positions []int, heads, dim int)
	Attention(out, q, k, v []float32, heads, dim int)
	NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues
	Store(kv tensor.KeyValues, keys, values []float32, first int)
	CopyKeyValues(dst, src tensor.KeyValues, positions int)
	CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32)
}

// Implementation is a device in a configuration.
type Implementation struct {
	// Open starts the device on a number of threads; it ends with the test.
	Open func(t testing.TB, threads int) Device
	// Rounded says that inputs of matrix products are rounded to bfloat16.
	Rounded bool
}

// Run checks all operations of an implementation.
func Run(t *testing.T, i Implementation) {
	t.Run("Linear", func(t *testing.T) { checkLinear(t, i) })
	t.Run("LinearHazards", func(t *testing.T) { checkLinearHazards(t, i) })
	t.Run("RowsIndependent", func(t *testing.T) { checkRowsIndependent(t, i) })
	t.Run("Pack", func(t *testing.T) { checkPack(t, i) })
	t.Run("Norms", func(t *testing.T) { checkNorms(t, i) })
	t.Run("Activations", func(t *testing.T) { checkActivations(t, i) })
	t.Run("RoPE", func(t *testing.T) { checkRoPE(t, i) })
	t.Run("Attention", func(t *testing.T) { checkAttention(t, i) })
	t.Run("CopyKeyValues", func(t *testing.T) { checkCopyKeyValues(t, i) })
	t.Run("CachedAttention", func(t *testing.T) { checkCachedAttention(t, i) })
	t.Run("AttentionHazards", func(t *testing.T) { checkAttentionHazards(t, i) })
	t.Run("PositionsIndependent", func(t *testing.T) { checkPositionsIndependent(t, i) })
	t.Run("Threads", func(t *testing.T) { checkThreads(t, i) })
}

// normals are n seeded values of standard deviation 1, at an address that no vector
// register is aligned to.
func normals(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n+1)[1:]
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// guarded is a copy of x between values that must stay as they are, at an address that
// no vector register is aligned to.
type guarded struct{ all, x []float32 }

const (
	guard      = 35 // values on each side
	guardValue = -12345.5
)

func guardedCopy(x []float32) guarded {
	all := make([]float32, len(x)+2*guard)
	for i := range all {
		all[i] = guardValue
	}
	copy(all[guard:], x)
	return guarded{all, all[guard : guard+len(x) : guard+len(x)]}
}

// check wants the guards untouched.
func (g guarded) check(t *testing.T, why string) {
	t.Helper()
	for i, v := range g.all {
		if (i < guard || i >= len(g.all)-guard) && v != guardValue {
			t.Errorf("%s: value %d outside of the result's %d was written", why, i-guard, len(g.x))
			return
		}
	}
}

// near wants got within bound(i) of want, and infinities and NaNs to be the same.
func near(t *testing.T, why string, got []float32, want []float64, bound func(i int) float64) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		switch {
		case math.IsNaN(w) && math.IsNaN(g), g == w:
		case !(math.Abs(g-w) <= bound(i)):
			t.Errorf("%s: element %d is %v, want %v ± %g", why, i, g, w, bound(i))
			return
		}
	}
}

// relative bounds errors by a tolerance times 1 + |want|.
func relative(want []float64, tolerance float64) func(i int) float64 {
	return func(i int) float64 { return tolerance * (1 + math.Abs(want[i])) }
}

// same reports whether two slices have the same bits, NaNs aside.
func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(a, b float32) bool {
		return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
	})
}
