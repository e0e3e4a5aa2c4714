package imageprep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"

	"golang.org/x/image/webp"
)

// webpChunks calls yield with the chunks of a RIFF file or a part of one, until it
// returns false. A chunk that is cut off is the last.
func webpChunks(data []byte, yield func(name string, payload []byte) bool) {
	for len(data) >= 8 {
		size := int(binary.LittleEndian.Uint32(data[4:]))
		payload := data[8:]
		payload = payload[:min(size, len(payload))]
		if !yield(string(data[:4]), payload) {
			return
		}
		data = data[8+len(payload):]
		if size%2 == 1 && len(data) > 0 {
			data = data[1:]
		}
	}
}

// webpFrame is the first frame of an animation as an image of its own.
type webpFrame struct {
	data          []byte // a simple WebP file
	left, top     int    // on the canvas, in pixels
	height, width int    // of the canvas; 0: this is no animation
}

// firstFrame finds the frame in the file; without an animation it is the whole file.
func firstFrame(data []byte) (f webpFrame, err error) {
	f.data = data
	animated := false
	webpChunks(data[12:], func(name string, p []byte) bool {
		switch {
		case name == "VP8X" && len(p) >= 10:
			animated = p[0]&2 != 0
			if animated {
				f.width, f.height = 1+uint24(p[4:]), 1+uint24(p[7:])
			}
		case name == "ANMF" && animated && len(p) >= 16:
			f.left, f.top = 2*uint24(p), 2*uint24(p[3:])
			f.data = simpleWebP(p[16:], p[6:12])
			animated = false
			return false
		}
		return true
	})
	if animated {
		err = errors.New("the animation has no frame")
	}
	return f, err
}

func uint24(p []byte) int { return int(p[0]) | int(p[1])<<8 | int(p[2])<<16 }

// simpleWebP wraps the chunks of a frame, of which size says the width and height
// less one, in a file.
func simpleWebP(chunks, size []byte) []byte {
	var alpha byte
	webpChunks(chunks, func(name string, _ []byte) bool {
		if name == "ALPH" {
			alpha = 0x10
		}
		return true
	})
	var body []byte
	if alpha != 0 {
		body = append(body, "VP8X\x0a\x00\x00\x00"...)
		body = append(body, alpha, 0, 0, 0)
		body = append(body, size...)
	}
	body = append(body, chunks...)
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(body)))
	return append(append(file, "WEBP"...), body...)
}

func webpSize(data []byte) (height, width int, err error) {
	f, err := firstFrame(data)
	if err != nil {
		return 0, 0, err
	}
	config, err := webp.DecodeConfig(bytes.NewReader(f.data))
	if err != nil {
		return 0, 0, err
	}
	if f.width > 0 {
		if f.left+config.Width > f.width || f.top+config.Height > f.height {
			return 0, 0, errors.New("the first frame is not within the canvas")
		}
		return f.height, f.width, nil
	}
	return config.Height, config.Width, nil
}

// decodeWebP decodes an image or the first frame of an animation, around which the
// canvas is black.
func decodeWebP(data []byte) (*RGB, error) {
	f, err := firstFrame(data)
	if err != nil {
		return nil, err
	}
	img, err := webp.Decode(bytes.NewReader(f.data))
	if err != nil {
		return nil, err
	}
	var rgb *RGB
	switch m := img.(type) {
	case *image.YCbCr:
		rgb = fromVP8(m)
	case *image.NYCbCrA:
		rgb = fromVP8(&m.YCbCr)
	default:
		rgb = ToRGB(img)
	}
	if f.width > 0 {
		rgb = rgb.window(-f.top, -f.left, f.height, f.width, [3]uint8{})
	}
	return rgb, nil
}

// fromVP8 upsamples the chroma and converts as libwebp does (src/dsp/upsampling.c,
// src/dsp/yuv.h).
func fromVP8(m *image.YCbCr) *RGB {
	out := NewRGB(m.Rect.Dy(), m.Rect.Dx())
	cols, rows := (out.Width+1)/2, (out.Height+1)/2
	cb, cr := make([]int32, out.Width), make([]int32, out.Width)
	for y := range out.Height {
		near := y / 2
		far := min(max(near-1+2*(y%2), 0), rows-1)
		at := func(plane []uint8, row int) []uint8 { return plane[row*m.CStride:][:cols] }
		upsampleVP8(cb, at(m.Cb, near), at(m.Cb, far))
		upsampleVP8(cr, at(m.Cr, near), at(m.Cr, far))
		dst := out.row(y)
		for x, luma := range m.Y[y*m.YStride:][:out.Width] {
			l := int32(luma) * 19077 >> 8
			u, v := cb[x], cr[x]
			pixel := dst[3*x : 3*x+3]
			pixel[0] = clipVP8(l + v*26149>>8 - 14234)
			pixel[1] = clipVP8(l - u*6419>>8 - v*13320>>8 + 8708)
			pixel[2] = clipVP8(l + u*33050>>8 - 17685)
		}
	}
	return out
}

// clipVP8 drops 6 bits of fraction.
func clipVP8(v int32) uint8 { return uint8(min(max(v>>6, 0), 255)) }

// upsampleVP8 doubles a row of chroma samples, with weights of 9, 3, 3 and 1 for the
// four around each pixel, rounded twice.
func upsampleVP8(dst []int32, near, far []uint8) {
	end := func(i int) int32 { return (3*int32(near[i]) + int32(far[i]) + 2) >> 2 }
	dst[0] = end(0)
	for i := 1; 2*i-1 < len(dst); i++ {
		if i == len(near) { // an even width ends after the last sample
			dst[2*i-1] = end(i - 1)
			return
		}
		n0, n1, f0, f1 := int32(near[i-1]), int32(near[i]), int32(far[i-1]), int32(far[i])
		sum := n0 + n1 + f0 + f1 + 8
		dst[2*i-1] = ((sum+2*(n1+f0))>>3 + n0) >> 1
		if 2*i < len(dst) {
			dst[2*i] = ((sum+2*(n0+f1))>>3 + n1) >> 1
		}
	}
}
