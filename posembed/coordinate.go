package posembed

// sourceCoordinate is the coordinate s of output index i on a source axis of size
// from, as its floor and the fraction t = s − floor in [0, 1).
//
// Every convention's s is a fraction of integers, so the floor is exact and t is
// rounded once. In floating point (i+0.5)·(from/to) − 0.5 can miss an integer by
// a rounding error and move all taps by one.
func sourceCoordinate(i, from, to int, c Convention) (floor int, t float64) {
	var num, den int64 // s = num/den, below 2³⁷ with sides up to maxSide
	switch c {
	case BicubicAlignCorners, BilinearAlignCorners:
		if to == 1 {
			return 0, 0
		}
		num = int64(i) * int64(from-1)
		den = int64(to - 1)
	case BicubicOffset: // (i+0.5)·from/(to+0.1) − 0.5, over 2·(10·to+1)
		num = 10*int64(2*i+1)*int64(from) - int64(10*to+1)
		den = 2 * int64(10*to+1)
	default: // (i+0.5)·from/to − 0.5, over 2·to
		num = int64(2*i+1)*int64(from) - int64(to)
		den = 2 * int64(to)
	}
	whole, rest := num/den, num%den
	if rest < 0 { // integer division rounds towards zero
		whole, rest = whole-1, rest+den
	}
	return int(whole), float64(rest) / float64(den)
}
