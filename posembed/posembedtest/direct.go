package posembedtest

import (
	"math"

	"siglab/posembed"
)

// Direct resamples a table src [from.Rows, from.Cols, dim] in float64 by the
// definition: a double sum over the source for every output, with dense weight
// matrices from floating-point coordinates. It shares no code with package
// posembed and is slow.
//
// scale is the same sum over absolute values, Σ|weight|·|value|: a sum of rounded
// terms has an error in proportion to it.
func Direct(src []float64, from, to posembed.Grid, c posembed.Convention, dim int) (dst, scale []float64) {
	wy, wx := matrix(from.Rows, to.Rows, c), matrix(from.Cols, to.Cols, c)
	dst, scale = make([]float64, to.Len()*dim), make([]float64, to.Len()*dim)
	for y := range to.Rows {
		for x := range to.Cols {
			out, absolute := dst[(y*to.Cols+x)*dim:][:dim], scale[(y*to.Cols+x)*dim:][:dim]
			for row, v := range wy[y].weights {
				for col, u := range wx[x].weights {
					if u == 0 || v == 0 {
						continue
					}
					in := src[(row*from.Cols+col)*dim:][:dim]
					for d := range out {
						out[d] += v * u * in[d]
						absolute[d] += math.Abs(v * u * in[d])
					}
				}
			}
		}
	}
	return dst, scale
}

// matrixRow is how one output index of an axis depends on the source.
type matrixRow struct {
	weights []float64 // [from]
	centre  float64   // where it lies among the source's indices
	support float64   // no source index further from centre has a weight, those repeated at the edges aside
}

// matrix is the weight matrix [to, from] of one axis.
func matrix(from, to int, c posembed.Convention) []matrixRow {
	rows := make([]matrixRow, to)
	for i := range rows {
		row := matrixRow{weights: make([]float64, from), centre: coordinate(i, from, to, c)}
		switch c {
		case posembed.BicubicAntialias:
			row.antialias(from, to, 2, func(x float64) float64 { return keys(-0.5, x) })
		case posembed.BilinearAntialias:
			row.antialias(from, to, 1, triangle)
		case posembed.Bilinear, posembed.BilinearAlignCorners:
			row.centre = max(row.centre, 0)
			row.interpolate(1, triangle)
		default:
			row.interpolate(2, func(x float64) float64 { return keys(-0.75, x) })
		}
		rows[i] = row
	}
	return rows
}

// interpolate gives weights to the 2·support positions around the centre, those
// outside the table repeated from its edge.
func (r *matrixRow) interpolate(support int, kernel func(float64) float64) {
	r.support = float64(support)
	first := int(math.Floor(r.centre)) - support + 1
	for j := first; j < first+2*support; j++ {
		r.weights[min(max(j, 0), len(r.weights)-1)] += kernel(r.centre - float64(j))
	}
}

// antialias gives weights to all positions under the widened kernel, normalised.
func (r *matrixRow) antialias(from, to int, radius float64, kernel func(float64) float64) {
	widen := max(1, float64(from)/float64(to))
	r.support = radius * widen
	var sum float64
	for j := range r.weights {
		r.weights[j] = kernel((float64(j) - r.centre) / widen)
		sum += r.weights[j]
	}
	for j := range r.weights {
		r.weights[j] /= sum
	}
}

// coordinate is the source coordinate of output index i.
func coordinate(i, from, to int, c posembed.Convention) float64 {
	x, g, n := float64(i), float64(from), float64(to)
	switch c {
	case posembed.BicubicAlignCorners, posembed.BilinearAlignCorners:
		if to == 1 {
			return 0
		}
		return x * (g - 1) / (n - 1)
	case posembed.BicubicOffset:
		return (x+0.5)*g/(n+0.1) - 0.5
	default:
		return (x+0.5)*g/n - 0.5
	}
}

// keys is Keys' cubic convolution kernel.
func keys(a, x float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return (a+2)*x*x*x - (a+3)*x*x + 1
	case x < 2:
		return a*x*x*x - 5*a*x*x + 8*a*x - 4*a
	default:
		return 0
	}
}

// triangle is the linear kernel.
func triangle(x float64) float64 { return max(0, 1-math.Abs(x)) }
