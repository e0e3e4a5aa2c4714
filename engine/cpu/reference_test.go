package cpu_test

import "math"

// The references: every operation in float64, by its definition and nothing else.

// linear is start + x·weightᵀ + bias, element by element; start and bias may be nil.
func linear(start, x, weight, bias []float32, in, out int) []float64 {
	y := make([]float64, len(x)/in*out)
	for i := range y {
		r, c := i/out, i%out
		if start != nil {
			y[i] = float64(start[i])
		}
		if bias != nil {
			y[i] += float64(bias[c])
		}
		for k := range in {
			y[i] += float64(x[r*in+k]) * float64(weight[c*in+k])
		}
	}
	return y
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

// attention is softmax(q·kᵀ/√dim)·v for q [rows, heads·dim] and k, v
// [positions, kvHeads·dim]; row r sees the positions up to visible(r), exclusively.
func attention(q, k, v []float32, heads, kvHeads, dim int, visible func(row int) int) []float64 {
	out := make([]float64, len(q))
	width, kvWidth := heads*dim, kvHeads*dim
	for r := range len(q) / width {
		for h := range heads {
			query, kv := q[r*width+h*dim:][:dim], h/(heads/kvHeads)*dim
			sum, result := 0.0, out[r*width+h*dim:][:dim]
			for p := range visible(r) {
				score := 0.0
				for d := range dim {
					score += float64(query[d]) * float64(k[p*kvWidth+kv+d])
				}
				weight := math.Exp(score / math.Sqrt(float64(dim)))
				sum += weight
				for d := range dim {
					result[d] += weight * float64(v[p*kvWidth+kv+d])
				}
			}
			for d := range result {
				result[d] /= sum
			}
		}
	}
	return out
}

func geluTanh(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func geluExact(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }
