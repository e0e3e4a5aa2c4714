package cpu

import "math"

// activationCost is what one element of an activation costs, in multiplications of
// a matrix product.
const activationCost = 64

// GELUTanh replaces every element by its GELU in the tanh form that SigLIP uses:
//
//	½x·(1 + tanh(√(2/π)·(x + 0.044715x³))) = x / (1 + e^(−2√(2/π)·(x + 0.044715x³)))
func (d *Device) GELUTanh(x []float32) {
	d.split(len(x), activationCost, func(_, begin, end int) {
		for i, v := range x[begin:end] {
			x[begin+i] = geluTanh(v)
		}
	})
}

func geluTanh(v float32) float32 {
	const c = 2 * 0.797884560802865355 // 2·√(2/π)
	return v / (1 + exp(-c*(v+0.044715*v*v*v)))
}

// GELU replaces every element by its exact GELU, ½x·(1 + erf(x/√2)).
func (d *Device) GELU(x []float32) {
	d.split(len(x), activationCost, func(_, begin, end int) {
		for i, v := range x[begin:end] {
			x[begin+i] = float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
		}
	})
}

// SiLUMul is the middle of a gated MLP: it replaces every element of gate by
// gate·sigmoid(gate)·up.
func (d *Device) SiLUMul(gate, up []float32) {
	d.split(len(gate), activationCost, func(_, begin, end int) {
		up := up[begin:end]
		for i, v := range gate[begin:end] {
			gate[begin+i] = v / (1 + exp(-v)) * up[i]
		}
	})
}

// GELUTanhMul is the middle of Gemma's gated MLP: it replaces every element of gate by
// the tanh form of its GELU, times up.
func (d *Device) GELUTanhMul(gate, up []float32) {
	d.split(len(gate), activationCost, func(_, begin, end int) {
		up := up[begin:end]
		for i, v := range gate[begin:end] {
			gate[begin+i] = geluTanh(v) * up[i]
		}
	})
}

// softmax replaces x by exp(x) and returns 1 / Σ exp(x), after subtracting the
// largest element from each. Leaving the division to the caller saves a pass: it
// scales the few sums instead of the many weights.
func softmax(x []float32) float32 {
	largest := x[0]
	for _, v := range x {
		largest = max(largest, v)
	}
	sum := float32(0)
	for i, v := range x {
		e := exp(v - largest)
		x[i] = e
		sum += e
	}
	return 1 / sum
}
