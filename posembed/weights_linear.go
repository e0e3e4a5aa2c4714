package posembed

// linearAxis weighs the two positions around s by their nearness. A coordinate
// before the first position is moved to it, and the upper tap of one on or behind
// the last position is the last position.
func linearAxis(from, to int, c Convention) axis {
	axis := makeAxis(to, 2*to)
	for i := range to {
		floor, t := sourceCoordinate(i, from, to, c)
		if floor < 0 {
			floor, t = 0, 0
		}
		axis.begin(floor)
		axis.add(floor, 1-t)
		axis.add(min(floor+1, from-1), t)
		axis.next()
	}
	return axis
}

// triangleKernel is 1 − |x| within one position of the centre and 0 elsewhere.
func triangleKernel(x float64) float64 { return max(0, 1-max(x, -x)) }
