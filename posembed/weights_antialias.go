package posembed

// antialiasAxis weighs every position under a kernel that is widened where the
// output is smaller than the source, so that all positions contribute. With
//
//	f = max(1, from/to)        how much the kernel is widened
//	c = (i+0.5)·from/to        its centre; position j lies at j+0.5
//
// the taps are trunc(c − f·radius + 0.5) up to but not including
// trunc(c + f·radius + 0.5), those outside the table dropped, with weights
// kernel((j+0.5 − c)/f) divided by their sum. As in sourceCoordinate, integers
// carry everything up to the kernel's argument: centre and reach are c and
// f·radius in units of 1/(2·to).
func antialiasAxis(from, to int, kernel func(float64) float64, radius int) axis {
	n, g := int64(to), int64(from)
	wide := max(n, g) // f·to
	reach := 2 * int64(radius) * wide
	axis := makeAxis(to, 2*radius*int(wide)+to)
	for i := range n {
		centre := (2*i + 1) * g
		first := max(centre-reach+n, 0) / (2 * n)
		past := min((centre+reach+n)/(2*n), g)

		axis.begin(int(first))
		begin, sum := len(axis.weight), 0.0
		for j := first; j < past; j++ {
			w := kernel(float64((2*j+1)*n-centre) / float64(2*wide))
			axis.add(int(j), w)
			sum += w
		}
		for k := begin; k < len(axis.weight); k++ {
			axis.weight[k] /= sum
		}
		axis.next()
	}
	return axis
}
