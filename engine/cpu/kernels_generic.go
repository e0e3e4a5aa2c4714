package cpu

import (
	"math"
	"unsafe"
)

// genericKernels are in Go, for every processor. They are what the vector kernels are
// compared with.
func genericKernels() *kernels {
	k := &kernels{
		lanes: 1, columns: panel, heights: []int{1, 4},
		geluTanh: func(x *float32, n int) { replace(x, n, geluTanh) },
		gelu:     func(x *float32, n int) { replace(x, n, geluExact) },
		siluMul: func(y, x *float32, n int) {
			combine(y, x, n, func(y, x float32) float32 { return y / (1 + exp(-y)) * x })
		},
		geluTanhMul: func(y, x *float32, n int) { combine(y, x, n, func(y, x float32) float32 { return geluTanh(y) * x }) },
		add:         func(y, x *float32, n int) { combine(y, x, n, func(y, x float32) float32 { return y + x }) },
		roundBF16: func(y, x *float32, n int) {
			combine(y, x, n, func(_, x float32) float32 { return widenBF16(roundBF16(x)) })
		},
		scale:  func(x *float32, by float32, n int) { replace(x, n, func(x float32) float32 { return x * by }) },
		rotate: genericRotate, normalise: genericNormalise,
		sum: genericSum, deviations: genericDeviations, largest: genericLargest, expSum: genericExpSum,
	}
	for _, rows := range k.heights {
		k.tiles[tileF32] = append(k.tiles[tileF32], genericTile(rows, weightsF32))
		k.tiles[tileBF16] = append(k.tiles[tileBF16], genericTile(rows, weightsBF16))
		k.tiles[tileF16] = append(k.tiles[tileF16], genericTile(rows, weightsF16))
	}
	return k
}

// genericTile makes the tileKernel of a number of rows; weights writes those of the
// k-th input.
func genericTile(rows int, weights func(dst *[panel]float32, b *byte, k int)) tileKernel {
	return func(k int, a *float32, b *byte, start *float32, startStride int, c *float32, cStride int, _ *byte, _ int) {
		for r := range rows {
			*row(c, r*cStride) = *row(start, r*startStride)
		}
		var w [panel]float32
		for i := range k {
			weights(&w, b, i)
			for r := range rows {
				x := *(*float32)(unsafe.Add(unsafe.Pointer(a), 4*(r*tileStride+i)))
				sums := row(c, r*cStride)
				for o, v := range &w {
					sums[o] += x * v
				}
			}
		}
	}
}

// row is a panel's outputs of a row, at the given distance in values.
func row(x *float32, at int) *[panel]float32 {
	return (*[panel]float32)(unsafe.Add(unsafe.Pointer(x), 4*at))
}

func weightsF32(dst *[panel]float32, b *byte, k int) {
	*dst = *(*[panel]float32)(unsafe.Add(unsafe.Pointer(b), 4*panel*k))
}

func weightsBF16(dst *[panel]float32, b *byte, k int) {
	for o, v := range (*[2 * panel]uint16)(unsafe.Add(unsafe.Pointer(b), 4*panel*(k/2))) {
		if o%2 == k%2 {
			dst[o/2] = widenBF16(v)
		}
	}
}

func weightsF16(dst *[panel]float32, b *byte, k int) {
	for o, v := range (*[panel]uint16)(unsafe.Add(unsafe.Pointer(b), 2*panel*k)) {
		dst[o] = widenF16(v)
	}
}

// replace and combine do the same to each of n elements.
func replace(x *float32, n int, f func(float32) float32) {
	s := unsafe.Slice(x, n)
	for i, v := range s {
		s[i] = f(v)
	}
}

func combine(y, x *float32, n int, f func(y, x float32) float32) {
	s, t := unsafe.Slice(y, n), unsafe.Slice(x, n)
	for i, v := range s {
		s[i] = f(v, t[i])
	}
}

func geluTanh(v float32) float32 {
	const c = 2 * 0.797884560802865355 // 2·√(2/π)
	return v / (1 + exp(-c*(v+0.044715*v*v*v)))
}

func geluExact(v float32) float32 {
	return float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
}

func genericRotate(a, b, cos, sin *float32, n int) {
	s, t, c, d := unsafe.Slice(a, n), unsafe.Slice(b, n), unsafe.Slice(cos, n), unsafe.Slice(sin, n)
	for i, x := range s {
		y := t[i]
		s[i] = x*c[i] - y*d[i]
		t[i] = y*c[i] + x*d[i]
	}
}

func genericNormalise(y, x, weight, bias *float32, mean, scale float64, n int) {
	s, w, b := unsafe.Slice(y, n), unsafe.Slice(weight, n), unsafe.Slice(bias, n)
	for i, v := range unsafe.Slice(x, n) {
		s[i] = float32((float64(v)-mean)*scale)*w[i] + b[i]
	}
}

func genericSum(x *float32, n int) float64 {
	sum := 0.0
	for _, v := range unsafe.Slice(x, n) {
		sum += float64(v)
	}
	return sum
}

func genericDeviations(x *float32, mean float64, n int) float64 {
	sum := 0.0
	for _, v := range unsafe.Slice(x, n) {
		sum += (float64(v) - mean) * (float64(v) - mean)
	}
	return sum
}

func genericLargest(x *float32, n int) float32 {
	largest := float32(math.Inf(-1))
	for _, v := range unsafe.Slice(x, n) {
		if v > largest {
			largest = v
		}
	}
	return largest
}

func genericExpSum(x *float32, largest float32, n int) float32 {
	s, sum := unsafe.Slice(x, n), float32(0)
	for i, v := range s {
		s[i] = exp(v - largest)
		sum += s[i]
	}
	return sum
}
