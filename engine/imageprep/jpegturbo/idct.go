package jpegturbo

// Constants of libjpeg's jidctint.c, the transform of Loeffler, Ligtenberg and
// Moschytz: cosines in units of 2^−constBits.
const (
	constBits = 13
	pass1Bits = 2 // more precision between the passes

	fix0298 = 2446
	fix0390 = 3196
	fix0541 = 4433
	fix0765 = 6270
	fix0899 = 7373
	fix1175 = 9633
	fix1501 = 12299
	fix1847 = 15137
	fix1961 = 16069
	fix2053 = 16819
	fix2562 = 20995
	fix3072 = 25172
)

// store transforms a block of dequantized coefficients, in natural order, and writes
// it at block (x, y) of the plane. last is the zigzag index of the last that may
// differ from zero.
func (c *component) store(b *[64]int32, last, x, y int) {
	stride := 8 * c.blocksX
	dst := c.plane[8*(y*stride+x):]
	if last == 0 {
		v := level((b[0] + 4) >> 3)
		for range 8 {
			row := dst[:8]
			for i := range row {
				row[i] = v
			}
			dst = dst[min(stride, len(dst)):]
		}
		return
	}
	for i := range 8 {
		inverseColumn(b, i)
	}
	for i := range 8 {
		inverseRow((*[8]int32)(b[8*i:]), (*[8]uint8)(dst[i*stride:]))
	}
}

// inverseColumn transforms a column in place; its results have pass1Bits more bits.
func inverseColumn(b *[64]int32, i int) {
	x0, x1, x2, x3 := b[i], b[8+i], b[16+i], b[24+i]
	x4, x5, x6, x7 := b[32+i], b[40+i], b[48+i], b[56+i]
	const shift, half = constBits - pass1Bits, 1 << (constBits - pass1Bits - 1)
	if x1|x2|x3|x4|x5|x6|x7 == 0 {
		v := x0 << pass1Bits
		for k := 0; k < 64; k += 8 {
			b[k+i] = v
		}
		return
	}
	e0, e1, e2, e3 := even(x0, x2, x4, x6)
	o0, o1, o2, o3 := odd(x1, x3, x5, x7)
	b[i], b[56+i] = (e0+o3+half)>>shift, (e0-o3+half)>>shift
	b[8+i], b[48+i] = (e1+o2+half)>>shift, (e1-o2+half)>>shift
	b[16+i], b[40+i] = (e2+o1+half)>>shift, (e2-o1+half)>>shift
	b[24+i], b[32+i] = (e3+o0+half)>>shift, (e3-o0+half)>>shift
}

// inverseRow transforms a row to levels.
func inverseRow(b *[8]int32, dst *[8]uint8) {
	const shift, half = constBits + pass1Bits + 3, 1 << (constBits + pass1Bits + 2)
	e0, e1, e2, e3 := even(b[0], b[2], b[4], b[6])
	o0, o1, o2, o3 := odd(b[1], b[3], b[5], b[7])
	dst[0], dst[7] = level((e0+o3+half)>>shift), level((e0-o3+half)>>shift)
	dst[1], dst[6] = level((e1+o2+half)>>shift), level((e1-o2+half)>>shift)
	dst[2], dst[5] = level((e2+o1+half)>>shift), level((e2-o1+half)>>shift)
	dst[3], dst[4] = level((e3+o0+half)>>shift), level((e3-o0+half)>>shift)
}

// even is the part of the transform that takes coefficients 0, 2, 4 and 6.
func even(x0, x2, x4, x6 int32) (e0, e1, e2, e3 int32) {
	z := (x2 + x6) * fix0541
	t2 := z - x6*fix1847
	t3 := z + x2*fix0765
	t0 := (x0 + x4) << constBits
	t1 := (x0 - x4) << constBits
	return t0 + t3, t1 + t2, t1 - t2, t0 - t3
}

// odd is the part that takes coefficients 1, 3, 5 and 7.
func odd(x1, x3, x5, x7 int32) (o0, o1, o2, o3 int32) {
	z1, z2, z3, z4 := x7+x1, x5+x3, x7+x3, x5+x1
	z5 := (z3 + z4) * fix1175
	z1 *= -fix0899
	z2 *= -fix2562
	z3 = z3*-fix1961 + z5
	z4 = z4*-fix0390 + z5
	return x7*fix0298 + z1 + z3, x5*fix2053 + z2 + z4, x3*fix3072 + z2 + z3, x1*fix1501 + z1 + z4
}

// level shifts a sample to 0 to 255.
func level(v int32) uint8 { return clip(v + 128) }

// transform turns the coefficients of a progressive image into samples.
func (c *component) transform() {
	c.plane = make([]uint8, 64*c.blocksX*c.blocksY)
	for i := range c.coefficients {
		coefficients := &c.coefficients[i]
		var b [64]int32
		last := 0
		for k, q := range c.quant {
			if v := coefficients[natural[k]]; v != 0 {
				b[natural[k]] = int32(v) * int32(q)
				last = k
			}
		}
		c.store(&b, last, i%c.blocksX, i/c.blocksX)
	}
	c.coefficients = nil
}
