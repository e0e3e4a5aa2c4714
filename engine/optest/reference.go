package optest

import (
	"math"
	"slices"

	"siglab/engine/tensor"
)

// The references: every operation in float64, by its definition and nothing else.

// linear is x·weightᵀ, element by element. size is the sum of the terms' magnitudes:
// what rounding errors are relative to.
func linear(x, weight []float32, in, out int) (y, size []float64) {
	y, size = make([]float64, len(x)/in*out), make([]float64, len(x)/in*out)
	for i := range y {
		r, c := i/out, i%out
		for k := range in {
			term := float64(x[r*in+k]) * float64(weight[c*in+k])
			y[i] += term
			size[i] += math.Abs(term)
		}
	}
	return y, size
}

// plus adds start and bias, which may be nil, to products and to their sizes.
func plus(y, size []float64, start, bias []float32) (sum, sumSize []float64) {
	sum, sumSize = slices.Clone(y), slices.Clone(size)
	for i := range sum {
		if start != nil {
			sum[i] += float64(start[i])
			sumSize[i] += math.Abs(float64(start[i]))
		}
		if bias != nil {
			sum[i] += float64(bias[i%len(bias)])
			sumSize[i] += math.Abs(float64(bias[i%len(bias)]))
		}
	}
	return sum, sumSize
}

// normalise is (x − center)/√(spread + eps)·weight + bias of one row, center being
// the mean or 0, and spread the mean square of what is left.
func normalise(x, weight, bias []float32, subtractMean bool, eps float64) []float64 {
	n := float64(len(x))
	center, spread := 0.0, 0.0
	if subtractMean {
		for _, v := range x {
			center += float64(v) / n
		}
	}
	for _, v := range x {
		spread += (float64(v) - center) * (float64(v) - center) / n
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (float64(v) - center) / math.Sqrt(spread+eps) * float64(weight[i])
		if bias != nil {
			y[i] += float64(bias[i])
		}
	}
	return y
}

// rotate is a row of heads, each pair (i, i+dim/2) turned by position·theta^(−2i/dim).
func rotate(x []float32, position, dim int, theta float64) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		head, pair := i/dim*dim, i%dim%(dim/2)
		angle := float64(position) * math.Pow(theta, -2*float64(pair)/float64(dim))
		sin, cos := math.Sincos(angle)
		a, b := float64(x[head+pair]), float64(x[head+pair+dim/2])
		if i%dim < dim/2 {
			y[i] = a*cos - b*sin
		} else {
			y[i] = b*cos + a*sin
		}
	}
	return y
}

// attention is softmax(scale·q·kᵀ)·v for q [rows, heads·dim] and k, v
// [positions, kvHeads·dim]; row r sees visible[r], and nothing gives zeros.
func attention(q, k, v []float32, visible []tensor.Span, heads, kvHeads, dim int, scale float64) []float64 {
	out := make([]float64, len(q))
	width, kvWidth := heads*dim, kvHeads*dim
	for r, span := range visible {
		for h := range heads {
			query, kv := q[r*width+h*dim:][:dim], h/(heads/kvHeads)*dim
			var scores []float64
			largest := math.Inf(-1)
			for p := span.Begin; p < span.End; p++ {
				score := 0.0
				for d := range dim {
					score += float64(query[d]) * float64(k[p*kvWidth+kv+d])
				}
				scores = append(scores, score*scale)
				largest = max(largest, score*scale)
			}
			sum, result := 0.0, out[r*width+h*dim:][:dim]
			for i, score := range scores {
				weight := math.Exp(score - largest)
				sum += weight
				for d := range dim {
					result[d] += weight * float64(v[(span.Begin+i)*kvWidth+kv+d])
				}
			}
			for d := range result {
				if len(scores) > 0 {
					result[d] /= sum
				}
			}
		}
	}
	return out
}

func geluTanh(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func gelu(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }
