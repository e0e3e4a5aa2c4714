package posembed

// float is a type that the processor calculates with.
type float interface{ float32 | float64 }

// genericRows is the rowsFunc of Generic for types that the processor calculates
// with.
func genericRows[T float](p *Plan, w *workspace, dst, src []T, dim, begin, end int) {
	w.row = resize(w.row, p.from.Cols*dim)
	width := p.to.Cols * dim
	for y := begin; y < end; y++ {
		resampleRowGeneric(p, dst[y*width:][:width], w.row, src, y)
	}
}

// half is a 16-bit type.
type half interface {
	BFloat16 | Float16
	Float32() float32
}

// genericHalfRows is the rowsFunc of Generic for a 16-bit type: widened to float32,
// which is exact, and rounded once from float64.
func genericHalfRows[T half](round func(float64) T) rowsFunc[T] {
	return func(p *Plan, w *workspace, dst, src []T, dim, begin, end int) {
		pitch, width := p.from.Cols*dim, p.to.Cols*dim
		w.table = resize(w.table, len(src))
		w.row, w.wide = resize(w.row, pitch), resize(w.wide, width)
		widened := 0 // source rows below are in w.table, or will not be read again
		for y := begin; y < end; y++ {
			index, _ := p.rows.taps(y)
			first, last := int(index[0]), int(index[len(index)-1])
			for r := max(first, widened); r <= last; r++ {
				for i, v := range src[r*pitch:][:pitch] {
					w.table[r*pitch+i] = v.Float32()
				}
			}
			widened = max(widened, last+1)
			resampleRowGeneric(p, w.wide, w.row, w.table, y)
			out := dst[y*width:][:width]
			for i, v := range w.wide {
				out[i] = round(v)
			}
		}
	}
}

// resampleRowGeneric writes row y of the result, dst [to.Cols, dim]. First the
// source rows that it needs are blended into row [from.Cols, dim] in float64, then
// that row's positions into each of the output's.
//
// Rows come first because they need no state from one output row to the next, read
// memory in order and leave a buffer of one row that stays in the cache. A window
// of horizontally resampled rows costs the same number of products for tables
// that are enlarged and does not fit where the result is much wider.
func resampleRowGeneric[D, S float](p *Plan, dst []D, row []float64, src []S, y int) {
	index, weight := p.rows.taps(y)
	blendGeneric(row, src, index, weight)
	dim := len(dst) / p.to.Cols
	for x := range p.to.Cols {
		index, weight := p.cols.taps(x)
		blendGeneric(dst[x*dim:][:dim], row, index, weight)
	}
}

// blendGeneric writes the weighted sum of equally long stretches of src:
//
//	dst[i] = round(Σₖ weight[k] · src[index[k]·len(dst) + i])
//
// summed in float64 in the order of the taps. The conversions of the products
// keep the compiler from fusing them into the sum, so that every architecture
// gives the same bits.
func blendGeneric[D, S float](dst []D, src []S, index []int32, weight []float64) {
	n := len(dst)
	stretch := func(k int) []S { return src[int(index[k])*n:][:n] }
	switch len(index) {
	case 2: // linear kernels
		w0, w1 := weight[0], weight[1]
		s0, s1 := stretch(0), stretch(1)
		for i := range dst {
			dst[i] = D(float64(w0*float64(s0[i])) + float64(w1*float64(s1[i])))
		}
	case 4: // cubic kernels
		w0, w1, w2, w3 := weight[0], weight[1], weight[2], weight[3]
		s0, s1, s2, s3 := stretch(0), stretch(1), stretch(2), stretch(3)
		for i := range dst {
			dst[i] = D(float64(w0*float64(s0[i])) + float64(w1*float64(s1[i])) +
				float64(w2*float64(s2[i])) + float64(w3*float64(s3[i])))
		}
	default: // antialiased: any number of taps, a block of sums at a time
		var sums [64]float64
		for begin := 0; begin < n; begin += len(sums) {
			sum := sums[:min(len(sums), n-begin)]
			clear(sum)
			for k, j := range index {
				w, s := weight[k], src[int(j)*n+begin:][:len(sum)]
				for i, v := range s {
					sum[i] += float64(w * float64(v))
				}
			}
			out := dst[begin:][:len(sum)]
			for i, v := range sum {
				out[i] = D(v)
			}
		}
	}
}
