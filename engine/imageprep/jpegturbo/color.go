package jpegturbo

// image upsamples and converts the decoded samples.
func (d *decoder) image() *Image {
	rows := make([]*upsampler, len(d.components))
	for i := range d.components {
		c := &d.components[i]
		if c.coefficients != nil {
			c.transform()
		}
		rows[i] = newUpsampler(c, d.maxH, d.maxV)
	}
	m := &Image{Height: d.height, Width: d.width, Space: ColorSpace(len(d.components))}
	m.Pix = make([]uint8, m.Height*m.Width*len(rows))
	convert := interleave
	if d.luminance() {
		t := newTables()
		convert = t.toRGB
		if m.Space == CMYK {
			convert = t.toCMYK
		}
	}
	samples := make([][]uint8, len(rows))
	stride := m.Width * len(rows)
	for y := range m.Height {
		for i, r := range rows {
			samples[i] = r.at(y)[:m.Width]
		}
		convert(m.Pix[y*stride:][:stride], samples)
	}
	return m
}

// luminance reports whether the first three components are Y, Cb and Cr: the guess
// of libjpeg's jdapimin.c.
func (d *decoder) luminance() bool {
	switch len(d.components) {
	case 3:
		switch {
		case d.jfif:
			return true
		case d.adobe:
			return d.adobeTransform != 0
		}
		return string([]byte{d.components[0].id, d.components[1].id, d.components[2].id}) != "RGB"
	case 4:
		return d.adobe && d.adobeTransform != 0
	}
	return false
}

// interleave copies samples as they are.
func interleave(dst []uint8, samples [][]uint8) {
	for c, row := range samples {
		for i, v := range row {
			dst[i*len(samples)+c] = v
		}
	}
}

// tables are the products of the conversion from YCbCr, by chroma sample, of
// libjpeg's jdcolor.c.
type tables struct {
	crRed, cbBlue    [256]int32
	crGreen, cbGreen [256]int32 // in units of 2^−16, the second with the rounding half
}

func newTables() *tables {
	const half = 1 << 15
	t := &tables{}
	for i := range t.crRed {
		x := int32(i) - 128
		t.crRed[i] = (91881*x + half) >> 16   // 1.402
		t.cbBlue[i] = (116130*x + half) >> 16 // 1.772
		t.crGreen[i] = -46802 * x             // 0.71414
		t.cbGreen[i] = -22554*x + half        // 0.34414
	}
	return t
}

// clip bounds a value to 0 to 255. The branch is seldom taken, so it is faster than
// min and max.
func clip(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}

func (t *tables) toRGB(dst []uint8, samples [][]uint8) {
	luma := samples[0]
	cb, cr := samples[1][:len(luma)], samples[2][:len(luma)]
	for i, l := range luma {
		y, b, r := int32(l), cb[i], cr[i]
		pixel := dst[:3]
		pixel[0] = clip(y + t.crRed[r])
		pixel[1] = clip(y + (t.cbGreen[b]+t.crGreen[r])>>16)
		pixel[2] = clip(y + t.cbBlue[b])
		dst = dst[3:]
	}
}

// toCMYK converts YCbCrK: the inks are the complements of red, green and blue.
func (t *tables) toCMYK(dst []uint8, samples [][]uint8) {
	for i, l := range samples[0] {
		y, b, r := int32(l), samples[1][i], samples[2][i]
		pixel := dst[4*i : 4*i+4]
		pixel[0] = clip(255 - (y + t.crRed[r]))
		pixel[1] = clip(255 - (y + (t.cbGreen[b]+t.crGreen[r])>>16))
		pixel[2] = clip(255 - (y + t.cbBlue[b]))
		pixel[3] = samples[3][i]
	}
}
