package jpegturbo

import (
	"encoding/binary"
	"fmt"
)

// lookupBits is the length of codes that one look into a table decodes.
const lookupBits = 9

// huffmanTable decodes one table's codes.
type huffmanTable struct {
	lookup  [1 << lookupBits]uint16 // length<<8 | symbol, by the next bits; 0: a longer code
	maxCode [18]int32               // by length, −1: none; the last is larger than any
	offset  [18]int32               // by length: add to a code for its index in symbols
	symbols [256]uint8
}

// huffmanTables reads one or more tables.
func (d *decoder) huffmanTables(p []byte) error {
	for len(p) > 0 {
		class, id := p[0]>>4, p[0]&15
		if class > 1 || id > 3 || len(p) < 17 {
			return fmt.Errorf("a Huffman table begins with %#x and has %d bytes", p[0], len(p)-1)
		}
		total := 0
		for _, n := range p[1:17] {
			total += int(n)
		}
		if total > 256 || len(p) < 17+total {
			return fmt.Errorf("a Huffman table has %d symbols in %d bytes", total, len(p)-17)
		}
		t, err := newHuffmanTable(p[1:17], p[17:17+total])
		if err != nil {
			return err
		}
		d.huffman[class][id] = t
		p = p[17+total:]
	}
	return nil
}

// newHuffmanTable makes the codes of a table (ISO 10918-1, annex C) from how many
// there are of each length.
func newHuffmanTable(counts, symbols []byte) (*huffmanTable, error) {
	t := &huffmanTable{}
	copy(t.symbols[:], symbols)
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		t.offset[length] = index - code
		t.maxCode[length] = -1
		if n > 0 {
			t.maxCode[length] = code + n - 1
		}
		if code+n > 1<<length {
			return nil, fmt.Errorf("a Huffman table has too many codes of %d bits", length)
		}
		for range n {
			if length <= lookupBits {
				shift := lookupBits - length
				for i := range int32(1) << shift {
					t.lookup[code<<shift|i] = uint16(length)<<8 | uint16(t.symbols[index])
				}
			}
			code++
			index++
		}
		code <<= 1
	}
	t.maxCode[17] = 1 << 30
	return t, nil
}

// bitReader reads entropy-coded bits up to the next marker. Behind it there are
// zeros, counted.
type bitReader struct {
	data   []byte
	pos    int    // of the next byte
	bits   uint64 // the next ones, left-aligned
	n      int    // how many of bits are valid
	padded int    // how many of them lie behind the marker or the end
	ended  bool   // by the end of the data, not a marker
}

// fill makes at least 57 bits available.
func (r *bitReader) fill() {
	if r.pos+8 <= len(r.data) {
		// Eight bytes without 0xff are data. The bits of the byte that fits in part are
		// set already, and will be set again to the same.
		v := binary.BigEndian.Uint64(r.data[r.pos:])
		if (^v-0x0101010101010101)&v&0x8080808080808080 == 0 {
			r.bits |= v >> r.n
			whole := (64 - r.n) / 8
			r.pos += whole
			r.n += 8 * whole
			return
		}
	}
	for r.n <= 56 {
		var b byte
		switch {
		case r.pos >= len(r.data):
			r.ended = true
			r.padded += 8
		case r.data[r.pos] != 0xff:
			b = r.data[r.pos]
			r.pos++
		case r.pos+1 >= len(r.data):
			r.ended = true
			r.padded += 8
		case r.data[r.pos+1] == 0:
			b = 0xff
			r.pos += 2
		case r.data[r.pos+1] == 0xff: // a fill byte
			r.pos++
			continue
		default: // a marker
			r.padded += 8
		}
		r.bits |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// exhausted reports whether bits were read that are not there.
func (r *bitReader) exhausted() bool { return r.n < r.padded }

// take returns the next k bits, at most 16, of those available.
func (r *bitReader) take(k int) int32 {
	v := int32(r.bits >> 1 >> (63 - k))
	r.bits <<= k
	r.n -= k
	return v
}

// bit returns the next bit.
func (r *bitReader) bit() bool {
	if r.n < 1 {
		r.fill()
	}
	b := r.bits>>63 != 0
	r.bits <<= 1
	r.n--
	return b
}

// extended returns a number of k bits as the difference that it stands for.
func (r *bitReader) extended(k int) int32 {
	v := r.take(k)
	if v < 1<<k>>1 {
		v += -1<<k + 1
	}
	return v
}

// symbol decodes a code, and leaves at least 16 bits available. It returns −1 for a
// code that the table does not have.
func (r *bitReader) symbol(t *huffmanTable) int {
	if r.n < 32 {
		r.fill()
	}
	if e := t.lookup[r.bits>>(64-lookupBits)]; e != 0 {
		r.bits <<= e >> 8
		r.n -= int(e >> 8)
		return int(e & 0xff)
	}
	for length := lookupBits + 1; length <= 16; length++ {
		code := int32(r.bits >> (64 - length))
		if code <= t.maxCode[length] {
			r.bits <<= length
			r.n -= length
			return int(t.symbols[(code+t.offset[length])&0xff])
		}
	}
	return -1
}
