package chatclient

import (
	"errors"
	"fmt"
)

// chunkDecoder takes the framing off a body of "Transfer-Encoding: chunked" (RFC
// 9112, section 7.1) as it comes. It is pushed, so that bytes that have arrived are
// never held back by a wait for the rest of their chunk. The zero value is ready.
type chunkDecoder struct {
	state   chunkState
	left    uint64 // bytes of the current chunk, or of its size as far as read
	digits  int
	skipped int // bytes of extensions and trailers
}

type chunkState int

const (
	inSize chunkState = iota
	inExtension
	sizeEnd // after CR
	inData
	dataCR // after the data
	dataLF
	inTrailer // at the beginning of a line
	inTrailerLine
	trailerEnd // after CR at the beginning of a line
	chunksDone
)

const (
	mostSizeDigits = 15 // hexadecimal: no overflow
	mostSkipped    = 64 << 10
)

// done reports whether the last chunk and the trailers are behind.
func (d *chunkDecoder) done() bool { return d.state == chunksDone }

// decode takes the framing off src, in place: the payload is moved to its front.
// rest is what follows the end of the body.
func (d *chunkDecoder) decode(src []byte) (payload, rest []byte, err error) {
	kept := 0
	for i := 0; i < len(src); {
		switch d.state {
		case chunksDone:
			return src[:kept], src[i:], nil
		case inData:
			n := int(min(uint64(len(src)-i), d.left))
			kept += copy(src[kept:], src[i:i+n])
			i += n
			if d.left -= uint64(n); d.left == 0 {
				d.state = dataCR
			}
		default:
			if err := d.framing(src[i]); err != nil {
				return src[:kept], nil, err
			}
			i++
		}
	}
	return src[:kept], nil, nil
}

// framing takes in one byte that is not data. A bare LF ends a line as CRLF does.
func (d *chunkDecoder) framing(b byte) error {
	switch d.state {
	case inSize:
		return d.size(b)
	case inExtension, inTrailerLine:
		if d.skipped++; d.skipped > mostSkipped {
			return fmt.Errorf("chunk extensions or trailers of more than %d bytes", mostSkipped)
		}
		switch {
		case b == '\n' && d.state == inExtension:
			d.sized()
		case b == '\n':
			d.state = inTrailer
		}
	case sizeEnd:
		if b != '\n' {
			return errors.New("a chunk's size does not end in CRLF")
		}
		d.sized()
	case dataCR:
		switch b {
		case '\r':
			d.state = dataLF
		case '\n':
			d.state, d.digits = inSize, 0
		default:
			return errors.New("a chunk is longer than its size says")
		}
	case dataLF:
		if b != '\n' {
			return errors.New("a chunk does not end in CRLF")
		}
		d.state, d.digits = inSize, 0
	case inTrailer:
		switch b {
		case '\r':
			d.state = trailerEnd
		case '\n':
			d.state = chunksDone
		default:
			d.state = inTrailerLine
		}
	case trailerEnd:
		if b != '\n' {
			return errors.New("the trailers do not end in CRLF")
		}
		d.state = chunksDone
	}
	return nil
}

// size takes in one byte of a chunk's size line.
func (d *chunkDecoder) size(b byte) error {
	digit := -1
	switch {
	case b >= '0' && b <= '9':
		digit = int(b - '0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		digit = int(b|0x20-'a') + 10
	}
	if digit >= 0 {
		if d.digits++; d.digits > mostSizeDigits {
			return errors.New("a chunk's size has too many digits")
		}
		d.left = d.left<<4 | uint64(digit)
		return nil
	}
	if d.digits == 0 {
		return fmt.Errorf("a chunk's size begins with %q", b)
	}
	switch b {
	case '\r':
		d.state = sizeEnd
	case '\n':
		d.sized()
	case ';', ' ', '\t':
		d.state = inExtension
	default:
		return fmt.Errorf("a chunk's size holds %q", b)
	}
	return nil
}

// sized ends the size line.
func (d *chunkDecoder) sized() {
	d.state = inData
	if d.left == 0 {
		d.state = inTrailer
	}
}
