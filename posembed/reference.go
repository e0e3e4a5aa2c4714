package posembed

import "math"

// referenceBicubic is torch's eager bicubic for float32 (upsample_bicubic2d_out_frame
// in ATen/native/cuda/UpSampleBicubic2d.cu, version 2.13) on a table
// [from.Rows, from.Cols, dim] with contiguous channels: the work of one of its
// threads, an output pixel, is one iteration of the loop over x.
func referenceBicubic(dst, table []float32, from, to Grid, dim int) {
	scaleY := float32(from.Rows) / float32(to.Rows)
	scaleX := float32(from.Cols) / float32(to.Cols)
	for y := range to.Rows {
		for x := range to.Cols {
			floorY, ty := referenceCoordinate(y, scaleY)
			floorX, tx := referenceCoordinate(x, scaleX)
			wy, wx := referenceCoefficients(ty), referenceCoefficients(tx)
			var taps [4][4][]float32 // rows of 4 neighbours, each [dim]
			for r := range taps {
				row := min(max(floorY-1+r, 0), from.Rows-1)
				for c := range taps[r] {
					col := min(max(floorX-1+c, 0), from.Cols-1)
					taps[r][c] = table[(row*from.Cols+col)*dim:][:dim]
				}
			}
			referencePixel(dst[(y*to.Cols+x)*dim:][:dim], &taps, &wy, &wx)
		}
	}
}

// referenceCoordinate is the half-pixel source coordinate of output index i in
// float32: its floor and the fraction above it.
func referenceCoordinate(i int, scale float32) (floor int, t float32) {
	s := scale*(float32(i)+0.5) - 0.5
	f := float32(math.Floor(float64(s)))
	return int(f), s - f
}

// referenceCoefficients are the cubic weights of the four taps around fraction t,
// A = −0.75, in float32 (get_cubic_upsample_coefficients).
func referenceCoefficients(t float32) [4]float32 {
	const a = -0.75
	near := func(x float32) float32 { return ((a+2)*x-(a+3))*x*x + 1 }
	far := func(x float32) float32 { return ((a*x-5*a)*x+8*a)*x - 4*a }
	return [4]float32{far(t + 1), near(t), near(1 - t), far((1 - t) + 1)}
}

// referencePixel interpolates every channel of one output pixel: four times along
// x, then once along y. The neighbours have names so that the loop is free of
// bounds checks, which would double its time: the baseline is not to be slower
// than what it stands for.
func referencePixel(out []float32, taps *[4][4][]float32, wy, wx *[4]float32) {
	n := len(out)
	a0, a1, a2, a3 := taps[0][0][:n], taps[0][1][:n], taps[0][2][:n], taps[0][3][:n]
	b0, b1, b2, b3 := taps[1][0][:n], taps[1][1][:n], taps[1][2][:n], taps[1][3][:n]
	c0, c1, c2, c3 := taps[2][0][:n], taps[2][1][:n], taps[2][2][:n], taps[2][3][:n]
	d0, d1, d2, d3 := taps[3][0][:n], taps[3][1][:n], taps[3][2][:n], taps[3][3][:n]
	for i := range out {
		out[i] = referenceSum(wy,
			referenceSum(wx, a0[i], a1[i], a2[i], a3[i]),
			referenceSum(wx, b0[i], b1[i], b2[i], b3[i]),
			referenceSum(wx, c0[i], c1[i], c2[i], c3[i]),
			referenceSum(wx, d0[i], d1[i], d2[i], d3[i]))
	}
}

// referenceSum interpolates between four values (cubic_interp1d).
func referenceSum(w *[4]float32, a, b, c, d float32) float32 {
	return a*w[0] + b*w[1] + c*w[2] + d*w[3]
}
