package jpegturbo

import (
	"errors"
	"fmt"
)

// ColorSpace says what the channels of an image are.
type ColorSpace int

// The colour spaces of decoded images; their values are the numbers of channels.
const (
	Gray ColorSpace = 1
	RGB  ColorSpace = 3
	CMYK ColorSpace = 4 // as libjpeg gives it: Adobe's files are inverted, 0 is full ink
)

// Image is a decoded image.
type Image struct {
	Pix           []uint8 // [Height, Width, Space]
	Height, Width int
	Space         ColorSpace
}

// Config is what the header says.
type Config struct {
	Height, Width int // pixels
	Components    int
}

// DecodeConfig reads up to the frame header.
func DecodeConfig(data []byte) (Config, error) {
	d := decoder{data: data}
	if err := d.segments(true); err != nil {
		return Config{}, err
	}
	return Config{Height: d.height, Width: d.width, Components: len(d.components)}, nil
}

// Decode decodes an image. It allocates up to 12 bytes per pixel of the size that
// [DecodeConfig] tells; check that first.
func Decode(data []byte) (*Image, error) {
	d := decoder{data: data}
	if err := d.segments(false); err != nil {
		return nil, err
	}
	return d.image(), nil
}

// Markers, the second byte after 0xff.
const (
	markerSOF0 = 0xc0 // baseline
	markerSOF1 = 0xc1 // extended
	markerSOF2 = 0xc2 // progressive
	markerDHT  = 0xc4
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDQT  = 0xdb
	markerDRI  = 0xdd
	markerAPP0 = 0xe0
	markerAdob = 0xee // APP14
	markerTEM  = 0x01
)

// maxScans bounds the time that a progressive image takes: encoders write ten or so.
const maxScans = 100

var errTruncated = errors.New("the data ends within the image")

// decoder holds what the segments so far have said.
type decoder struct {
	data []byte
	pos  int // of the next byte to read

	height, width  int
	maxH, maxV     int // largest sampling factors
	components     []component
	progressive    bool
	scans          int
	restart        int // MCUs between restart markers, 0: none
	quant          [4]*[64]uint16
	huffman        [2][4]*huffmanTable // DC, AC
	jfif           bool
	adobe          bool
	adobeTransform byte
}

// component is one channel of the frame.
type component struct {
	id               byte
	h, v             int // sampling factors
	table            byte
	quant            *[64]uint16 // in zigzag order, as it was when the first scan began
	width, height    int         // samples
	blocksX, blocksY int         // of 8x8 samples, whole MCUs
	plane            []uint8     // [8·blocksY, 8·blocksX]
	coefficients     [][64]int16 // progressive: [blocksY, blocksX], in natural order
}

// segments reads markers and what they announce, up to the end of the image, or of
// its header.
func (d *decoder) segments(headerOnly bool) error {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != markerSOI {
		return errors.New("it does not begin with a start-of-image marker")
	}
	d.pos = 2
	for {
		marker, err := d.nextMarker()
		if err != nil {
			if d.complete() {
				return nil
			}
			return err
		}
		switch {
		case marker == markerEOI && d.scans > 0:
			return d.missingScans()
		case marker == markerEOI:
			return errors.New("the image ends before its first scan")
		case marker == markerSOI || marker == markerTEM || marker >= markerRST0 && marker <= markerRST7:
			continue
		}
		payload, err := d.payload()
		if err != nil {
			return err
		}
		if err := d.segment(marker, payload); err != nil {
			return err
		}
		if headerOnly && d.components != nil {
			return nil
		}
	}
}

// nextMarker skips to the next marker and over it.
func (d *decoder) nextMarker() (byte, error) {
	for ; d.pos+1 < len(d.data); d.pos++ {
		if m := d.data[d.pos+1]; d.data[d.pos] == 0xff && m != 0 && m != 0xff {
			d.pos += 2
			return m, nil
		}
	}
	return 0, errTruncated
}

// payload is the segment that follows a marker.
func (d *decoder) payload() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, errTruncated
	}
	n := int(d.data[d.pos])<<8 | int(d.data[d.pos+1])
	if n < 2 {
		return nil, fmt.Errorf("a segment has length %d, less than its own length's 2", n)
	}
	if d.pos+n > len(d.data) {
		return nil, errTruncated
	}
	p := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return p, nil
}

func (d *decoder) segment(marker byte, p []byte) error {
	switch marker {
	case markerSOF0, markerSOF1, markerSOF2:
		d.progressive = marker == markerSOF2
		return d.frame(p)
	case markerDHT:
		return d.huffmanTables(p)
	case markerDQT:
		return d.quantTables(p)
	case markerDRI:
		if len(p) != 2 {
			return fmt.Errorf("the restart interval has %d bytes, not 2", len(p))
		}
		d.restart = int(p[0])<<8 | int(p[1])
	case markerSOS:
		return d.scan(p)
	case markerAPP0:
		d.jfif = d.jfif || len(p) >= 14 && string(p[:5]) == "JFIF\x00"
	case markerAdob:
		if len(p) >= 12 && string(p[:5]) == "Adobe" {
			d.adobe, d.adobeTransform = true, p[11]
		}
	case 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf:
		return fmt.Errorf("frames of type %d (lossless, hierarchical or arithmetic) are not supported", marker-markerSOF0)
	}
	return nil
}

// frame reads a frame header.
func (d *decoder) frame(p []byte) error {
	if d.components != nil {
		return errors.New("it has a second frame header")
	}
	if len(p) < 6 || len(p) != 6+3*int(p[5]) {
		return fmt.Errorf("the frame header has %d bytes", len(p))
	}
	d.height, d.width = int(p[1])<<8|int(p[2]), int(p[3])<<8|int(p[4])
	switch n := p[5]; {
	case p[0] != 8:
		return fmt.Errorf("samples of %d bits are not supported, only of 8", p[0])
	case d.height == 0 || d.width == 0:
		return fmt.Errorf("the size is %dx%d pixels: it has no area", d.width, d.height)
	case n != 1 && n != 3 && n != 4:
		return fmt.Errorf("%d components are not supported, only 1, 3 and 4", n)
	}
	components := make([]component, p[5])
	for i := range components {
		f := p[6+3*i:]
		c := component{id: f[0], h: int(f[1] >> 4), v: int(f[1] & 15), table: f[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return fmt.Errorf("component %d has sampling factors %dx%d and quantization table %d", i, c.h, c.v, c.table)
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
		components[i] = c
	}
	mcusX, mcusY := ceilDiv(d.width, 8*d.maxH), ceilDiv(d.height, 8*d.maxV)
	for i := range components {
		c := &components[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return fmt.Errorf("component %d has sampling factors %dx%d, which do not divide the largest, %dx%d", i, c.h, c.v, d.maxH, d.maxV)
		}
		c.width, c.height = ceilDiv(d.width*c.h, d.maxH), ceilDiv(d.height*c.v, d.maxV)
		c.blocksX, c.blocksY = mcusX*c.h, mcusY*c.v
	}
	d.components = components
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// quantTables reads one or more quantization tables.
func (d *decoder) quantTables(p []byte) error {
	for len(p) > 0 {
		size, id := 1+int(p[0]>>4), p[0]&15
		if size > 2 || id > 3 || len(p) < 1+64*size {
			return fmt.Errorf("a quantization table begins with %#x and has %d bytes", p[0], len(p)-1)
		}
		var table [64]uint16
		for i := range table {
			table[i] = uint16(p[1+i*size])
			if size == 2 {
				table[i] = table[i]<<8 | uint16(p[2+i*size])
			}
		}
		d.quant[id] = &table
		p = p[1+64*size:]
	}
	return nil
}

// complete reports whether a sequential image without an end marker has all its
// samples, which Pillow accepts.
func (d *decoder) complete() bool {
	return d.scans > 0 && !d.progressive && d.missingScans() == nil
}

// missingScans is the error that a component was in no scan.
func (d *decoder) missingScans() error {
	for i, c := range d.components {
		if c.plane == nil && c.coefficients == nil {
			return fmt.Errorf("component %d is in no scan", i)
		}
	}
	return nil
}
