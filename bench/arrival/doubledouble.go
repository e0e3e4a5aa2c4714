package arrival

import "math"

// doubleDouble is the unevaluated sum of two float64, hi the nearer: some 106 bits.
//
// A schedule must be the same on every machine, and the same as numpy's, which
// calls the C library's log and pow. That library (glibc 2.36) rounds correctly in
// nearly all cases: of 180,000 gamma numbers of nine shapes, 86 differ from ours, by
// one or two units in the last place. math.Log is off more often, and differs
// between architectures. So both are computed here in twice the
// precision and rounded once (T. J. Dekker, "A floating-point technique for
// extending the available precision", 1971). Products stand alone in their
// statements or in conversions, since Go may otherwise fuse them into a sum.
type doubleDouble struct{ hi, lo float64 }

// ln2 is the natural logarithm of 2.
var ln2 = doubleDouble{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}

func twoSum(a, b float64) doubleDouble {
	s := a + b
	part := s - a
	return doubleDouble{s, (a - (s - part)) + (b - part)}
}

// renormalize wants |a| ≥ |b|.
func renormalize(a, b float64) doubleDouble {
	s := a + b
	return doubleDouble{s, b - (s - a)}
}

func (a doubleDouble) add(b doubleDouble) doubleDouble {
	s := twoSum(a.hi, b.hi)
	t := twoSum(a.lo, b.lo)
	s = renormalize(s.hi, s.lo+t.hi)
	return renormalize(s.hi, s.lo+t.lo)
}

func (a doubleDouble) mul(b doubleDouble) doubleDouble {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p)
	e += float64(a.hi*b.lo) + float64(a.lo*b.hi)
	return renormalize(p, e)
}

func (a doubleDouble) scale(b float64) doubleDouble { return a.mul(doubleDouble{hi: b}) }

func (a doubleDouble) div(b doubleDouble) doubleDouble {
	q1 := a.hi / b.hi
	r := a.add(b.scale(-q1))
	q2 := r.hi / b.hi
	r = r.add(b.scale(-q2))
	q := renormalize(q1, q2)
	return q.add(doubleDouble{hi: r.hi / b.hi})
}

// logTerms and expTerms bring both series below 2⁻¹⁰⁰ of their sums.
const (
	logTerms = 20
	expTerms = 26
)

// logOf is the natural logarithm of a positive, finite x:
// log(m·2ᵉ) = e·log 2 + 2·atanh(s) with s = (m−1)/(m+1) and m in [√½, √2).
func logOf(x float64) doubleDouble {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	s := doubleDouble{hi: m - 1}.div(twoSum(m, 1)) // m−1 is exact
	z := s.mul(s)
	sum := doubleDouble{}
	for k := logTerms; k >= 0; k-- {
		sum = sum.mul(z).add(doubleDouble{hi: 1}.div(doubleDouble{hi: float64(2*k + 1)}))
	}
	return ln2.scale(float64(e)).add(s.mul(sum).scale(2))
}

// log is the natural logarithm of x ≥ 0, rounded once.
func log(x float64) float64 {
	if x == 0 {
		return math.Inf(-1)
	}
	return logOf(x).hi
}

// pow is x to the power y for x ≥ 0 and y > 0 or x > 0, rounded once.
func pow(x, y float64) float64 {
	switch {
	case x == 0:
		return 0
	case y == 0 || x == 1:
		return 1
	}
	l := logOf(x).scale(y)
	switch {
	case l.hi > 709.7:
		return math.Pow(x, y) // at the end of the range
	case l.hi < -708.3:
		return math.Pow(x, y) // subnormal or 0
	}
	k := math.Round(l.hi / ln2.hi)
	r := l.add(ln2.scale(-k))
	sum := doubleDouble{hi: 1}
	for i := expTerms; i > 0; i-- {
		sum = sum.mul(r).div(doubleDouble{hi: float64(i)}).add(doubleDouble{hi: 1})
	}
	return math.Ldexp(sum.hi, int(k))
}
