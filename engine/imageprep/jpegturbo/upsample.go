package jpegturbo

// upsampler yields the rows of a component at the image's width.
type upsampler struct {
	*component
	factorH, factorV int
	row              []uint8
	sums             []int32 // of two rows, weighted 3 to 1
}

func newUpsampler(c *component, maxH, maxV int) *upsampler {
	u := &upsampler{component: c, factorH: maxH / c.h, factorV: maxV / c.v}
	if u.factorH > 1 || u.factorV > 1 {
		u.row = make([]uint8, c.width*u.factorH)
		u.sums = make([]int32, c.width)
	}
	return u
}

// samples are those of row y, which may not reach below the first or behind the last.
func (u *upsampler) samples(y int) []uint8 {
	y = min(max(y, 0), u.height-1)
	return u.plane[8*u.blocksX*y:][:u.width]
}

// at returns row y of the image, valid until the next call. The choice is that of
// libjpeg-turbo's jdsample.c: a triangle filter where the factors are 2 and there are
// more than two samples, repetition elsewhere.
func (u *upsampler) at(y int) []uint8 {
	src := u.samples(y / u.factorV)
	switch {
	case u.factorH == 1 && u.factorV == 1:
		return src
	case u.factorH == 2 && u.factorV == 1 && u.width > 2:
		triangle(u.row, src)
	case u.factorH == 1 && u.factorV == 2:
		near, far, bias := u.vertical(y)
		for i, v := range near {
			u.row[i] = uint8((3*int32(v) + int32(far[i]) + bias) >> 2)
		}
	case u.factorH == 2 && u.factorV == 2 && u.width > 2:
		near, far, _ := u.vertical(y)
		for i, v := range near {
			u.sums[i] = 3*int32(v) + int32(far[i])
		}
		triangleSums(u.row, u.sums)
	default:
		for i, v := range src {
			for k := range u.factorH {
				u.row[i*u.factorH+k] = v
			}
		}
	}
	return u.row
}

// vertical are the sample rows nearest and next to row y of twice the height, and
// what is added before a division by 4: the rounding alternates.
func (u *upsampler) vertical(y int) (near, far []uint8, bias int32) {
	if y%2 == 0 {
		return u.samples(y / 2), u.samples(y/2 - 1), 1
	}
	return u.samples(y / 2), u.samples(y/2 + 1), 2
}

// triangle doubles a row of at least two samples: h2v1_fancy_upsample.
func triangle(dst, src []uint8) {
	n := len(src)
	dst = dst[:2*n]
	last := int32(src[0])
	v := last
	for i := range n - 1 {
		next := int32(src[i+1])
		dst[2*i] = uint8((3*v + last + 1) >> 2)
		dst[2*i+1] = uint8((3*v + next + 2) >> 2)
		last, v = v, next
	}
	dst[0] = src[0]
	dst[2*n-2] = uint8((3*v + last + 1) >> 2)
	dst[2*n-1] = uint8(v)
}

// triangleSums doubles a row of sums of four samples: h2v2_fancy_upsample.
func triangleSums(dst []uint8, sums []int32) {
	n := len(sums)
	dst = dst[:2*n]
	last := sums[0]
	v := last
	for i := range n - 1 {
		next := sums[i+1]
		dst[2*i] = uint8((3*v + last + 8) >> 4)
		dst[2*i+1] = uint8((3*v + next + 7) >> 4)
		last, v = v, next
	}
	dst[2*n-2] = uint8((3*v + last + 8) >> 4)
	dst[2*n-1] = uint8((4*v + 7) >> 4)
}
