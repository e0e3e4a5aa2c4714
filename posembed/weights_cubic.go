package posembed

// cubicAxis weighs four taps, floor(s)−1 to floor(s)+2, by Keys' kernel with
// A = −0.75, as torch and OpenCV do without antialiasing. s itself is not clamped,
// the tap indices are: the edge positions are repeated outwards.
func cubicAxis(from, to int, c Convention) axis {
	const a = -0.75
	axis := makeAxis(to, 4*to)
	for i := range to {
		floor, t := sourceCoordinate(i, from, to, c)
		weights := [4]float64{
			cubicFar(a, t+1),
			cubicNear(a, t),
			cubicNear(a, 1-t),
			cubicFar(a, 2-t),
		}
		axis.begin(floor - 1)
		for k, w := range weights {
			axis.add(min(max(floor-1+k, 0), from-1), w)
		}
		axis.next()
	}
	return axis
}

// cubicKernel is Keys' kernel with A = −0.5, the one of torch's and PIL's
// antialiased bicubic.
func cubicKernel(x float64) float64 {
	const a = -0.5
	if x < 0 {
		x = -x
	}
	switch {
	case x < 1:
		return cubicNear(a, x)
	case x < 2:
		return cubicFar(a, x)
	default:
		return 0
	}
}

// cubicNear is Keys' kernel for 0 ≤ x ≤ 1: (A+2)x³ − (A+3)x² + 1.
// The conversions keep the compiler from fusing products into sums.
func cubicNear(a, x float64) float64 {
	u := float64((a+2)*x) - (a + 3)
	return float64(u*x*x) + 1
}

// cubicFar is Keys' kernel for 1 ≤ x ≤ 2: Ax³ − 5Ax² + 8Ax − 4A, as a product,
// since the terms of the sum are up to twelve times as large as it is.
func cubicFar(a, x float64) float64 { return a * (x - 1) * (x - 2) * (x - 2) }
