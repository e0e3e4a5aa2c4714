package main

import (
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise writes the kernels that do the same to every element.
func elementwise(v isa, c *constants) {
	m := mathematics{v, c}
	each(v, "geluTanh", "replaces n elements by the tanh form of their GELU.", []string{"x"}, func(at []operand.Mem) {
		x := m.load(at[0])
		build.VMOVUPS(m.geluTanh(x), at[0])
	})
	each(v, "gelu", "replaces n elements by their GELU.", []string{"x"}, func(at []operand.Mem) {
		x := m.load(at[0])
		build.VMOVUPS(m.gelu(x), at[0])
	})
	each(v, "siluMul", "replaces n elements of gate by gate·sigmoid(gate)·up.", []string{"gate", "up"}, func(at []operand.Mem) {
		x := m.load(at[0])
		y := m.silu(x)
		build.VMULPS(at[1], y, y)
		build.VMOVUPS(y, at[0])
	})
	each(v, "geluTanhMul", "replaces n elements of gate by the tanh form of their GELU, times up.", []string{"gate", "up"}, func(at []operand.Mem) {
		x := m.load(at[0])
		y := m.geluTanh(x)
		build.VMULPS(at[1], y, y)
		build.VMOVUPS(y, at[0])
	})
	each(v, "add", "adds n elements of x to those of y.", []string{"y", "x"}, func(at []operand.Mem) {
		x := m.load(at[1])
		build.VADDPS(at[0], x, x)
		build.VMOVUPS(x, at[0])
	})
	each(v, "rotate", "turns n pairs (a, b) into (a·cos − b·sin, b·cos + a·sin).", []string{"a", "b", "cos", "sin"}, func(at []operand.Mem) {
		a, b, sin := m.load(at[0]), m.load(at[1]), m.load(at[3])
		low, high := v.register(), v.register()
		build.VMULPS(b, sin, low)
		build.VMULPS(a, sin, high)
		cos := m.load(at[2])
		build.VFMSUB231PS(a, cos, low)
		build.VFMADD231PS(b, cos, high)
		build.VMOVUPS(low, at[0])
		build.VMOVUPS(high, at[1])
	})
	each(v, "roundBF16", "writes n elements of x, rounded to bfloat16, to y.", []string{"y", "x"}, func(at []operand.Mem) {
		x := m.roundBF16(m.load(at[1]))
		v.and(c.bits(0xffff0000), x, x)
		build.VMOVUPS(x, at[0])
	})
	if v.lanes == 16 {
		packBF16(m)
	}
	scale(v)
	normalise(v)
}

// each writes a kernel func(params… *float32, n int) that runs body on a register of
// each at a time.
func each(v isa, name, doc string, params []string, body func(at []operand.Mem)) {
	name += v.name
	signature := "func("
	for _, p := range params {
		signature += p + " *float32, "
	}
	build.TEXT(name, build.NOSPLIT, signature+"n int)")
	build.Doc(name + " " + doc)
	var pointers []reg.GPVirtual
	var at []operand.Mem
	for _, p := range params {
		pointers = append(pointers, load(p))
		at = append(at, operand.Mem{Base: pointers[len(pointers)-1]})
	}
	loop("loop", load("n"), v.lanes, func() {
		body(at)
		advance(v.bytes(), pointers...)
	})
	build.VZEROUPPER()
	build.RET()
}

// packBF16 rounds as roundBF16 does, and leaves the lower halves away.
func packBF16(m mathematics) {
	build.TEXT("packBF16AVX512", build.NOSPLIT, "func(y *uint16, x *float32, n int)")
	build.Doc("packBF16AVX512 writes n elements of x, rounded to bfloat16, to y.")
	y, x := load("y"), load("x")
	loop("loop", load("n"), m.v.lanes, func() {
		rounded, half := m.roundBF16(m.load(operand.Mem{Base: x})), m.v.half()
		build.VPSRLD(operand.Imm(16), rounded, rounded)
		build.VPMOVDW(rounded, half)
		build.VMOVDQU(half, operand.Mem{Base: y})
		advance(m.v.bytes(), x)
		advance(m.v.bytes()/2, y)
	})
	build.VZEROUPPER()
	build.RET()
}

// scale multiplies n elements by one number.
func scale(v isa) {
	build.TEXT("scale"+v.name, build.NOSPLIT, "func(x *float32, by float32, n int)")
	build.Doc("scale" + v.name + " multiplies n elements.")
	x, by := load("x"), v.register()
	build.VBROADCASTSS(argument("by"), by)
	loop("loop", load("n"), v.lanes, func() {
		y := v.register()
		build.VMULPS(operand.Mem{Base: x}, by, y)
		build.VMOVUPS(y, operand.Mem{Base: x})
		advance(v.bytes(), x)
	})
	build.VZEROUPPER()
	build.RET()
}

// normalise centres and scales in float64, so that an offset much larger than the
// spread costs no digits.
func normalise(v isa) {
	build.TEXT("normalise"+v.name, build.NOSPLIT, "func(y, x, weight, bias *float32, mean, scale float64, n int)")
	build.Doc("normalise" + v.name + " writes (x − mean)·scale·weight + bias, n elements, to y.")
	y, x, weight, bias := load("y"), load("x"), load("weight"), load("bias")
	mean, scale := v.register(), v.register()
	build.VBROADCASTSD(argument("mean"), mean)
	build.VBROADCASTSD(argument("scale"), scale)
	loop("loop", load("n"), v.lanes/2, func() {
		wide, narrow := v.register(), v.half()
		build.VCVTPS2PD(operand.Mem{Base: x}, wide)
		build.VSUBPD(mean, wide, wide)
		build.VMULPD(scale, wide, wide)
		if v.lanes == 16 {
			build.VCVTPD2PS(wide, narrow)
		} else {
			build.VCVTPD2PSY(wide, narrow)
		}
		w := v.half()
		build.VMOVUPS(operand.Mem{Base: weight}, w)
		build.VFMADD213PS(operand.Mem{Base: bias}, w, narrow)
		build.VMOVUPS(narrow, operand.Mem{Base: y})
		advance(v.bytes()/2, x, y, weight, bias)
	})
	build.VZEROUPPER()
	build.RET()
}

// mathematics writes functions of registers.
type mathematics struct {
	v isa
	c *constants
}

func (m mathematics) load(at operand.Mem) reg.VecVirtual {
	r := m.v.register()
	build.VMOVUPS(at, r)
	return r
}

func (m mathematics) constant(value float64) reg.VecVirtual { return m.load(m.c.f32(value)) }

// exp is eˣ as exp of the package computes it, with fused operations. It overwrites x.
func (m mathematics) exp(x reg.VecVirtual) reg.VecVirtual {
	const lessThan = 1 // predicate of a comparison that does not hold for NaN
	v, c := m.v, m.c
	// A minimum is its second operand, which Go writes first, where one is NaN.
	build.VMINPS(x, m.constant(88.02), x)
	n, result := m.constant(1.44269504088896341), v.register()
	build.VFMADD213PS(c.f32(3<<22), x, n)
	power := v.register()
	build.VPADDD(c.bits(127), n, power)
	build.VPSLLD(operand.Imm(23), power, power)
	build.VSUBPS(c.f32(3<<22), n, n)
	r := v.register()
	build.VMOVAPS(x, r)
	build.VFNMADD231PS(c.f32(0.693359375), n, r)
	build.VFNMADD231PS(c.f32(-2.12194440e-4), n, r)
	p := m.constant(1.9875691500e-4)
	for _, coefficient := range []float64{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		build.VFMADD213PS(c.f32(coefficient), r, p)
	}
	square := v.register()
	build.VMULPS(r, r, square)
	build.VADDPS(c.f32(1), r, r)
	build.VFMADD213PS(r, square, p)
	build.VMULPS(power, p, p)
	if v.lanes == 16 {
		small := build.K()
		build.VCMPPS(operand.Imm(lessThan), c.f32(-87.33), x, small)
		build.KNOTW(small, small)
		build.VMOVAPS_Z(p, small, result)
		return result
	}
	small := v.register()
	build.VCMPPS(operand.Imm(lessThan), c.f32(-87.33), x, small)
	build.VANDNPS(p, small, result)
	return result
}

// geluTanh is x / (1 + e^(−2√(2/π)·(x + 0.044715x³))).
func (m mathematics) geluTanh(x reg.VecVirtual) reg.VecVirtual {
	const c = -2 * 0.797884560802865355
	inner := m.v.register()
	build.VMULPS(x, x, inner)
	factor := m.constant(c * 0.044715)
	build.VFMADD213PS(m.c.f32(c), inner, factor) // −2√(2/π)·(1 + 0.044715x²)
	build.VMULPS(x, factor, factor)
	e := m.exp(factor)
	build.VADDPS(m.c.f32(1), e, e)
	build.VDIVPS(e, x, e)
	return e
}

// silu is x / (1 + e^−x).
func (m mathematics) silu(x reg.VecVirtual) reg.VecVirtual {
	minus := m.v.register()
	m.v.zero(minus)
	build.VSUBPS(x, minus, minus)
	e := m.exp(minus)
	build.VADDPS(m.c.f32(1), e, e)
	build.VDIVPS(e, x, e)
	return e
}

// gelu is x·(1 − erfc(x/√2)/2) = max(x, 0) − |x|/2·erfc(|x|/√2). Abramowitz and Stegun
// 7.1.26: erfc(z) = (a₁t + … + a₅t⁵)·e^(−z²) with t = 1/(1 + pz), within 1.5e-7.
func (m mathematics) gelu(x reg.VecVirtual) reg.VecVirtual {
	c := m.c
	magnitude, t := m.v.register(), m.constant(0.3275911/math.Sqrt2)
	m.v.and(c.bits(0x7fffffff), x, magnitude)
	build.VFMADD213PS(c.f32(1), magnitude, t)
	one := m.constant(1)
	build.VDIVPS(t, one, t)
	p := m.constant(1.061405429)
	for _, a := range []float64{-1.453152027, 1.421413741, -0.284496736, 0.254829592} {
		build.VFMADD213PS(c.f32(a), t, p)
	}
	build.VMULPS(t, p, p)
	build.VMULPS(c.f32(0.5), magnitude, t)
	build.VMULPS(t, p, p) // |x|/2·(a₁t + … + a₅t⁵)
	build.VMULPS(magnitude, t, magnitude)
	minus := m.v.register()
	m.v.zero(minus)
	build.VSUBPS(magnitude, minus, minus) // −z²
	e := m.exp(minus)
	positive := m.v.register()
	m.v.zero(positive)
	build.VMAXPS(x, positive, positive)
	build.VFNMADD231PS(e, p, positive)
	return positive
}

// roundBF16 rounds the upper halves of float32 to nearest even: it adds
// 0x7fff + (x>>16 & 1), and leaves the lower halves undefined. A NaN, which the sum
// could carry into the sign, becomes quiet.
func (m mathematics) roundBF16(x reg.VecVirtual) reg.VecVirtual {
	const unordered = 3 // predicate of a comparison that holds for NaNs
	v, c, rounded := m.v, m.c, m.v.register()
	build.VPSRLD(operand.Imm(16), x, rounded)
	v.and(c.bits(1), rounded, rounded)
	build.VPADDD(c.bits(0x7fff), rounded, rounded)
	build.VPADDD(x, rounded, rounded)
	if v.lanes == 16 {
		nan := build.K()
		build.VCMPPS(operand.Imm(unordered), x, x, nan)
		build.VPORD(c.bits(0x400000), x, nan, rounded)
		return rounded
	}
	nan, quiet := v.register(), v.register()
	build.VCMPPS(operand.Imm(unordered), x, x, nan)
	build.VPOR(c.bits(0x400000), x, quiet)
	build.VBLENDVPS(nan, quiet, rounded, rounded)
	return rounded
}
