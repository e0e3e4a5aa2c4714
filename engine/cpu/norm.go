package cpu

import "math"

// normCost is what one element of a normalisation costs, in multiplications of a
// matrix product.
const normCost = 16

// normTask normalises rows.
type normTask struct {
	kernels            *kernels
	y, x, weight, bias []float32
	eps                float64
	subtractMean       bool
	rows, units        int
}

// LayerNorm writes the rows of x [rows, n], each less its mean, divided by its
// standard deviation, times weight [n] plus bias [n], to y:
//
//	y = (x − mean) / √(variance + eps) · weight + bias
//
// y may be x.
func (d *Device) LayerNorm(y, x, weight, bias []float32, eps float64) {
	d.normalise(normTask{kernels: d.kernels, y: y, x: x, weight: weight, bias: bias[:len(weight)], eps: eps, subtractMean: true})
}

// RMSNorm writes the rows of x [rows, n], each divided by the root of its mean
// square, times weight [n], to y:
//
//	y = x / √(mean(x²) + eps) · weight
//
// y may be x.
func (d *Device) RMSNorm(y, x, weight []float32, eps float64) {
	if len(d.zeros) < len(weight) {
		d.zeros = make([]float32, len(weight))
	}
	d.normalise(normTask{kernels: d.kernels, y: y, x: x, weight: weight, bias: d.zeros[:len(weight)], eps: eps})
}

func (d *Device) normalise(t normTask) {
	n := len(t.weight)
	t.rows = len(t.x) / n
	t.units = d.share(t.rows, normCost*n)
	d.norm = t
	d.pool.run(&d.norm, t.units)
}

func (t *normTask) unit(_ *scratch, u int) {
	n := len(t.weight)
	for r := u * t.rows / t.units; r < (u+1)*t.rows/t.units; r++ {
		t.row(t.y[r*n:][:n], t.x[r*n:][:n])
	}
}

// row sums in float64: two short passes, and no cancellation to think of.
func (t *normTask) row(y, x []float32) {
	k, n := t.kernels, float64(len(x))
	whole := len(x) / k.lanes * k.lanes
	mean := 0.0
	if t.subtractMean {
		if whole > 0 {
			mean = k.sum(&x[0], whole)
		}
		for _, v := range x[whole:] {
			mean += float64(v)
		}
		mean /= n
	}
	squares := 0.0
	if whole > 0 {
		squares = k.deviations(&x[0], mean, whole)
	}
	for _, v := range x[whole:] {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	scale := 1 / math.Sqrt(squares/n+t.eps)
	if whole > 0 {
		k.normalise(&y[0], &x[0], &t.weight[0], &t.bias[0], mean, scale, whole)
	}
	for i, v := range x[whole:] {
		i += whole
		y[i] = float32((float64(v)-mean)*scale)*t.weight[i] + t.bias[i]
	}
}
