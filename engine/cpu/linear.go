package cpu

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Linear computes y = x·weight + bias for the rows x [rows, in] and y [rows, out],
// with weight [in, out] and bias [out], or nil for none. y must not overlap x.
func (d *Device) Linear(y, x, weight, bias []float32, in, out int) {
	rows := len(x) / in
	d.product(y, x, weight, rows, in, out, func(y []float32, begin int) {
		if bias == nil {
			clear(y)
			return
		}
		copy(y, bias[begin:])
	})
}

// LinearAdd is Linear for a residual: y += x·weight + bias.
func (d *Device) LinearAdd(y, x, weight, bias []float32, in, out int) {
	rows := len(x) / in
	d.product(y, x, weight, rows, in, out, func(y []float32, begin int) {
		if bias == nil {
			return
		}
		for i, b := range bias[begin:][:len(y)] {
			y[i] += b
		}
	})
}

// product adds x·weight to y after start has prepared every stretch of a row of y,
// the one that begins at the given column. Threads get rows, or columns where there
// are fewer rows than threads.
func (d *Device) product(y, x, weight []float32, rows, in, out int, start func(y []float32, begin int)) {
	if rows >= d.threads {
		d.split(rows, in*out, func(_, begin, end int) {
			for r := begin; r < end; r++ {
				start(y[r*out:][:out], 0)
			}
			gemm(y[begin*out:], x[begin*in:], weight, end-begin, out, in, out, in, out)
		})
		return
	}
	d.split(out, rows*in, func(_, begin, end int) {
		for r := range rows {
			start(y[r*out+begin:][:end-begin], begin)
		}
		gemm(y[begin:], x, weight[begin:], rows, end-begin, in, out, in, out)
	})
}

// Blocks of at most tileRows by tileCols keep gonum on the calling goroutine: it
// starts goroutines of its own from four blocks of 64 by 64 on, which would ignore
// the device's number of threads.
const (
	tileRows = 64
	tileCols = 3 * 64
)

// gemm adds a·b to c, with a [m, k], b [k, n], c [m, n] and the strides of their
// rows. Every element of c is added up in the order of k, product by product, from
// the value that it has.
func gemm(c, a, b []float32, m, n, k, ldc, lda, ldb int) {
	var impl gonum.Implementation
	for row := 0; row < m; row += tileRows {
		rows := min(tileRows, m-row)
		for col := 0; col < n; col += tileCols {
			impl.Sgemm(blas.NoTrans, blas.NoTrans, rows, min(tileCols, n-col), k,
				1, a[row*lda:], lda, b[col:], ldb, 1, c[row*ldc+col:], ldc)
		}
	}
}
