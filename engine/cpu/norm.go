package cpu

import "math"

// LayerNorm writes the rows of x [rows, n], each less its mean, divided by its
// standard deviation, times weight [n] plus bias [n], to y:
//
//	y = (x − mean) / √(variance + eps) · weight + bias
//
// y may be x.
func (d *Device) LayerNorm(y, x, weight, bias []float32, eps float64) {
	n := len(weight)
	d.split(len(x)/n, normCost*n, func(_, begin, end int) {
		for r := begin; r < end; r++ {
			layerNormRow(y[r*n:][:n], x[r*n:][:n], weight, bias[:n], eps)
		}
	})
}

// normCost is what one element of a normalisation costs, in multiplications of a
// matrix product.
const normCost = 16

// layerNormRow sums in float64: two short passes, and no cancellation to think of.
func layerNormRow(y, x, weight, bias []float32, eps float64) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	squares := 0.0
	for _, v := range x {
		difference := float64(v) - mean
		squares += difference * difference
	}
	scale := 1 / math.Sqrt(squares/float64(len(x))+eps)
	for i, v := range x {
		y[i] = float32((float64(v)-mean)*scale)*weight[i] + bias[i]
	}
}

// RMSNorm writes the rows of x [rows, n], each divided by the root of its mean
// square, times weight [n], to y:
//
//	y = x / √(mean(x²) + eps) · weight
//
// y may be x.
func (d *Device) RMSNorm(y, x, weight []float32, eps float64) {
	n := len(weight)
	d.split(len(x)/n, normCost*n, func(_, begin, end int) {
		for r := begin; r < end; r++ {
			rmsNormRow(y[r*n:][:n], x[r*n:][:n], weight, eps)
		}
	})
}

func rmsNormRow(y, x, weight []float32, eps float64) {
	squares := 0.0
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	scale := float32(1 / math.Sqrt(squares/float64(len(x))+eps))
	for i, v := range x {
		y[i] = v * scale * weight[i]
	}
}
