package arrival

import "math"

// Dimensions of the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998).
const (
	mtSize   = 624
	mtMiddle = 397
)

// legacyRandom is numpy's legacy RandomState, the generator behind np.random.seed
// and np.random.gamma: MT19937 seeded by init_genrand, 53-bit doubles, and the
// transformations of numpy/random/src/legacy/legacy-distributions.c (2.3), which
// numpy has frozen.
type legacyRandom struct {
	state [mtSize]uint32
	next  int // position in state; mtSize: it is used up

	gauss    float64 // the second of a pair of normal numbers
	hasGauss bool
}

// newLegacyRandom is np.random.seed(seed).
func newLegacyRandom(seed uint32) *legacyRandom {
	r := &legacyRandom{next: mtSize}
	r.state[0] = seed
	for i := uint32(1); i < mtSize; i++ {
		before := r.state[i-1]
		r.state[i] = 1812433253*(before^before>>30) + i
	}
	return r
}

// twist makes the next mtSize words.
func (r *legacyRandom) twist() {
	for i := range r.state {
		y := r.state[i]&0x80000000 | r.state[(i+1)%mtSize]&0x7fffffff
		word := r.state[(i+mtMiddle)%mtSize] ^ y>>1
		if y&1 != 0 {
			word ^= 0x9908b0df
		}
		r.state[i] = word
	}
	r.next = 0
}

func (r *legacyRandom) uint32() uint32 {
	if r.next == mtSize {
		r.twist()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// float64 is uniform in [0, 1), with 53 bits.
func (r *legacyRandom) float64() float64 {
	a, b := r.uint32()>>5, r.uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53) // exact, however it is fused
}

func (r *legacyRandom) exponential() float64 { return -log(1 - r.float64()) }

// normal is a standard normal number by the polar method, which makes two.
func (r *legacyRandom) normal() float64 {
	if r.hasGauss {
		r.hasGauss = false
		return r.gauss
	}
	for {
		x1 := 2*r.float64() - 1 // exact
		x2 := 2*r.float64() - 1
		square := float64(x1*x1) + float64(x2*x2)
		if square >= 1 || square == 0 {
			continue
		}
		f := math.Sqrt(float64(-2*log(square)) / square)
		r.gauss, r.hasGauss = f*x1, true
		return f * x2
	}
}

// gamma is a standard gamma number of the given shape.
func (r *legacyRandom) gamma(shape float64) float64 {
	switch {
	case shape == 1:
		return r.exponential()
	case shape < 1:
		return r.gammaBelowOne(shape)
	default:
		return r.gammaAboveOne(shape)
	}
}

// gammaBelowOne is by rejection (Ahrens and Dieter 1974).
func (r *legacyRandom) gammaBelowOne(shape float64) float64 {
	for {
		u, v := r.float64(), r.exponential()
		if u <= 1-shape {
			if x := pow(u, 1/shape); x <= v {
				return x
			}
			continue
		}
		y := -log((1 - u) / shape)
		if x := pow(1-shape+float64(shape*y), 1/shape); x <= v+y {
			return x
		}
	}
}

// gammaAboveOne is by rejection (Marsaglia and Tsang 2000).
func (r *legacyRandom) gammaAboveOne(shape float64) float64 {
	b := shape - 1.0/3
	c := 1 / math.Sqrt(9*b)
	for {
		var x, v float64
		for v <= 0 {
			x = r.normal()
			v = 1 + float64(c*x)
		}
		v = float64(v*v) * v
		u := r.float64()
		square := x * x
		if u < 1-float64(float64(0.0331*square)*square) {
			return b * v
		}
		if log(u) < float64(0.5*x)*x+float64(b*(1-v+log(v))) {
			return b * v
		}
	}
}
