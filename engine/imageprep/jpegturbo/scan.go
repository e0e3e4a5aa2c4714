package jpegturbo

import (
	"errors"
	"fmt"
)

// natural maps the zigzag order of coefficients to rows of eight. Broken data can run
// past the end; like libjpeg's, the table then leads to the last.
var natural = [64 + 16]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
}

var errCode = errors.New("the entropy-coded data is broken: a code is not in its Huffman table")

// scanner decodes one scan.
type scanner struct {
	bitReader
	progressive bool
	first, last int // of the coefficients, in zigzag order
	high, low   int // successive approximation: the bit position before and now; high 0: the first pass
	eobRun      int // blocks left to which no coefficients are added
	parts       []scanPart
}

// scanPart is a component's part of a scan.
type scanPart struct {
	*component
	dc, ac *huffmanTable
	last   int32 // DC coefficient before, less its low bits
}

// scan reads a scan header and the entropy-coded data behind it.
func (d *decoder) scan(p []byte) error {
	if d.components == nil {
		return errors.New("a scan comes before the frame header")
	}
	if d.scans++; d.scans > maxScans {
		return fmt.Errorf("it has more than %d scans", maxScans)
	}
	if len(p) < 1 || len(p) != 4+2*int(p[0]) || p[0] < 1 || p[0] > 4 {
		return fmt.Errorf("a scan header has %d bytes", len(p))
	}
	n := int(p[0])
	s := scanner{progressive: d.progressive, last: 63}
	if d.progressive {
		s.first, s.last = int(p[1+2*n]), int(p[2+2*n])
		s.high, s.low = int(p[3+2*n]>>4), int(p[3+2*n]&15)
		valid := s.first == 0 && s.last == 0 || s.first > 0 && s.first <= s.last && s.last < 64 && n == 1
		if !valid || s.low > 13 || s.high != 0 && s.high != s.low+1 {
			return fmt.Errorf("a scan has coefficients %d to %d, bits %d to %d, of %d components", s.first, s.last, s.high, s.low, n)
		}
	}
	for i := range n {
		part, err := d.scanPart(p[1+2*i], p[2+2*i], &s)
		if err != nil {
			return err
		}
		s.parts = append(s.parts, part)
	}
	return d.entropyCoded(&s)
}

// scanPart looks up the component and the tables of one part of a scan.
func (d *decoder) scanPart(id, tables byte, s *scanner) (scanPart, error) {
	var part scanPart
	for i := range d.components {
		if d.components[i].id == id {
			part.component = &d.components[i]
			break
		}
	}
	if part.component == nil {
		return part, fmt.Errorf("a scan has component %d, which is not in the frame", id)
	}
	for _, other := range s.parts {
		if other.component == part.component {
			return part, fmt.Errorf("a scan has component %d twice", id)
		}
	}
	c := part.component
	if c.quant == nil {
		if c.quant = d.quant[c.table]; c.quant == nil {
			return part, fmt.Errorf("quantization table %d is missing", c.table)
		}
	}
	part.dc, part.ac = d.huffman[0][tables>>4&3], d.huffman[1][tables&3]
	if needed := s.first == 0 && s.high == 0; needed && part.dc == nil {
		return part, fmt.Errorf("DC Huffman table %d is missing", tables>>4)
	}
	if s.last > 0 && part.ac == nil {
		return part, fmt.Errorf("AC Huffman table %d is missing", tables&15)
	}
	switch {
	case d.progressive && c.coefficients == nil:
		c.coefficients = make([][64]int16, c.blocksX*c.blocksY)
	case d.progressive:
	case c.plane != nil:
		return part, fmt.Errorf("component %d is in two scans of a sequential image", id)
	default:
		c.plane = make([]uint8, 64*c.blocksX*c.blocksY)
	}
	return part, nil
}

// entropyCoded decodes the data of a scan, MCU by MCU.
func (d *decoder) entropyCoded(s *scanner) error {
	s.data, s.pos = d.data, d.pos
	mcusX, mcusY := ceilDiv(d.width, 8*d.maxH), ceilDiv(d.height, 8*d.maxV)
	if len(s.parts) == 1 { // its blocks, without those that only complete MCUs
		c := s.parts[0].component
		mcusX, mcusY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
	}
	left, next := d.restart, byte(markerRST0)
	missing := false // up to the next restart marker
	for y := range mcusY {
		for x := range mcusX {
			if d.restart > 0 && left == 0 {
				found, err := s.restart(next)
				if err != nil {
					return err
				}
				missing = !found
				left, next = d.restart, markerRST0|(next+1)&7
			}
			left--
			if err := s.mcu(x, y, missing); err != nil {
				return err
			}
			if s.exhausted() {
				if s.ended {
					return errTruncated
				}
				missing = true
			}
		}
	}
	d.pos = s.pos
	return nil
}

// restart skips to a restart marker and begins anew behind it. Before another kind of
// marker the data is over, and it reports so.
func (s *scanner) restart(marker byte) (found bool, err error) {
	for ; ; s.pos++ {
		if s.pos+1 >= len(s.data) {
			return false, errTruncated
		}
		if m := s.data[s.pos+1]; s.data[s.pos] == 0xff && m != 0 && m != 0xff {
			break
		}
	}
	got := s.data[s.pos+1]
	if got < markerRST0 || got > markerRST7 {
		return false, nil
	}
	if got != marker {
		return false, fmt.Errorf("restart marker %d comes where %d is due", got-markerRST0, marker-markerRST0)
	}
	s.bitReader = bitReader{data: s.data, pos: s.pos + 2}
	s.eobRun = 0
	for i := range s.parts {
		s.parts[i].last = 0
	}
	return true, nil
}

// mcu decodes the blocks of one minimum coded unit, or of one whose data is missing.
func (s *scanner) mcu(x, y int, missing bool) error {
	decode := s.block
	if missing {
		decode = s.blank
	}
	if len(s.parts) == 1 {
		return decode(&s.parts[0], x, y)
	}
	for i := range s.parts {
		part := &s.parts[i]
		for v := range part.v {
			for h := range part.h {
				if err := decode(part, x*part.h+h, y*part.v+v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// blank makes a block gray; one of a progressive image stays as earlier scans left it.
func (s *scanner) blank(part *scanPart, x, y int) error {
	if !s.progressive {
		part.store(&[64]int32{}, 0, x, y)
	}
	return nil
}

// block decodes one block, and transforms it unless more scans follow.
func (s *scanner) block(part *scanPart, x, y int) error {
	if !s.progressive {
		var b [64]int32
		last, err := s.sequential(part, &b)
		if err != nil {
			return err
		}
		part.store(&b, last, x, y)
		return nil
	}
	b := &part.coefficients[y*part.blocksX+x]
	switch {
	case s.first == 0 && s.high == 0:
		diff, err := s.difference(part)
		part.last += diff
		b[0] = int16(part.last << s.low)
		return err
	case s.first == 0:
		if s.bit() {
			b[0] |= 1 << s.low
		}
		return nil
	case s.high == 0:
		return s.firstAC(part, b)
	}
	return s.refineAC(part, b)
}

// difference decodes a DC coefficient's difference to the one before.
func (s *scanner) difference(part *scanPart) (int32, error) {
	k := s.symbol(part.dc)
	if k < 0 {
		return 0, errCode
	}
	if k > 15 {
		return 0, fmt.Errorf("the entropy-coded data is broken: a difference of %d bits", k)
	}
	return s.extended(k), nil
}

// sequential decodes a block of a sequential image, times the quantization table. It
// returns the zigzag index of the last coefficient.
func (s *scanner) sequential(part *scanPart, b *[64]int32) (last int, err error) {
	diff, err := s.difference(part)
	if err != nil {
		return 0, err
	}
	part.last += diff
	q := part.quant
	b[0] = part.last * int32(q[0])
	for k := 1; k < 64; k++ {
		symbol := s.symbol(part.ac)
		if symbol < 0 {
			return 0, errCode
		}
		k += symbol >> 4
		size := symbol & 15
		if size == 0 {
			if symbol != 0xf0 {
				break
			}
			continue
		}
		v := s.extended(size)
		if k > 63 {
			k = 63
		}
		b[natural[k]] = v * int32(q[k])
		last = k
	}
	return last, nil
}

// firstAC decodes the first bits of a block's AC coefficients.
func (s *scanner) firstAC(part *scanPart, b *[64]int16) error {
	if s.eobRun > 0 {
		s.eobRun--
		return nil
	}
	for k := s.first; k <= s.last; k++ {
		symbol := s.symbol(part.ac)
		if symbol < 0 {
			return errCode
		}
		run, size := symbol>>4, symbol&15
		if size != 0 {
			k += run
			b[natural[k]] = int16(s.extended(size) << s.low)
			continue
		}
		if run != 15 {
			s.eobRun = 1<<run + int(s.take(run)) - 1
			break
		}
		k += 15
	}
	return nil
}

// refineAC decodes another bit of a block's AC coefficients.
func (s *scanner) refineAC(part *scanPart, b *[64]int16) error {
	k := s.first
	if s.eobRun == 0 {
		for ; k <= s.last; k++ {
			symbol := s.symbol(part.ac)
			if symbol < 0 {
				return errCode
			}
			run, value := symbol>>4, int16(0)
			if symbol&15 != 0 {
				value = -1 << s.low
				if s.bit() {
					value = 1 << s.low
				}
			} else if run != 15 {
				s.eobRun = 1<<run + int(s.take(run))
				break
			}
			k = s.refineNonZero(b, k, run)
			if value != 0 {
				b[natural[k]] = value
			}
		}
	}
	if s.eobRun > 0 {
		s.refineNonZero(b, k, 64)
		s.eobRun--
	}
	return nil
}

// refineNonZero adds a bit to the coefficients from k on that are not zero, and
// passes so many that are; it returns where it stopped.
func (s *scanner) refineNonZero(b *[64]int16, k, zeros int) int {
	one := int16(1) << s.low
	for ; k <= s.last; k++ {
		c := &b[natural[k]]
		if *c == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if s.bit() && *c&one == 0 {
			if *c >= 0 {
				*c += one
			} else {
				*c -= one
			}
		}
	}
	return k
}
