package imageprep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"

	"siglab/engine/imageprep/jpegturbo"
)

// Limits bound what is decoded. They are checked before any pixel is.
type Limits struct {
	Bytes  int // of the encoded image
	Pixels int // width times height
}

// LargestImageSide bounds each side of an image, in pixels, whatever the limits: the
// weights of a resize grow with it.
const LargestImageSide = 1 << 20

// DefaultLimits allow any photograph: 32 MiB encoded, 64 megapixels.
func DefaultLimits() Limits { return Limits{Bytes: 32 << 20, Pixels: 64 << 20} }

// codec reads one format.
type codec struct {
	name   string
	size   func(data []byte) (height, width int, err error) // from the header alone
	decode func(data []byte) (*RGB, error)
	exif   func(data []byte) int // the orientation, 1 if none is given
}

// codecOf recognises a format by its first bytes.
func codecOf(data []byte) (codec, bool) {
	starts := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	switch {
	case starts("\xff\xd8"):
		return codec{"jpeg", jpegSize, decodeJPEG, jpegOrientation}, true
	case starts("\x89PNG\r\n\x1a\n"):
		return codec{"png", pngSize, decodePNG, pngOrientation}, true
	case starts("GIF87a"), starts("GIF89a"):
		return codec{"gif", gifSize, decodeGIF, func([]byte) int { return 1 }}, true
	case starts("RIFF") && len(data) > 12 && string(data[8:12]) == "WEBP":
		return codec{"webp", webpSize, decodeWebP, webpOrientation}, true
	}
	return codec{}, false
}

// Decode decodes a JPEG, PNG, GIF or WebP image to RGB as Pillow does, and names its
// format. The EXIF orientation is ignored. Errors say what is wrong with the data; none
// of it can make a decoder panic or allocate more than the limits allow.
func Decode(data []byte, limits Limits) (img *RGB, format string, err error) {
	c, err := checked(data, limits)
	if err != nil {
		return nil, c.name, err
	}
	img, err = c.pixels(data)
	return img, c.name, err
}

// DecodeUpright is [Decode] for an image that is named by a path or a URL: it turns
// and mirrors the image as its EXIF orientation says.
func DecodeUpright(data []byte, limits Limits) (img *RGB, format string, err error) {
	img, format, err = Decode(data, limits)
	if err != nil {
		return nil, format, err
	}
	c, _ := codecOf(data)
	return img.upright(c.exif(data)), format, nil
}

// checked finds the decoder of data that is within the limits.
func checked(data []byte, limits Limits) (codec, error) {
	if len(data) == 0 {
		return codec{}, errors.New("the image is empty")
	}
	if len(data) > limits.Bytes {
		return codec{}, fmt.Errorf("the image has %d bytes, more than %d", len(data), limits.Bytes)
	}
	c, ok := codecOf(data)
	if !ok {
		return c, errors.New("this is not a JPEG, PNG, GIF or WebP image")
	}
	height, width, err := c.size(data)
	switch {
	case err != nil:
		return c, fmt.Errorf("the header of the %s image is broken: %w", c.name, err)
	case width < 1 || height < 1:
		return c, fmt.Errorf("the %s image is %dx%d pixels: it has no area", c.name, width, height)
	case width > LargestImageSide || height > LargestImageSide:
		return c, fmt.Errorf("the %s image is %dx%d pixels, more than %d a side", c.name, width, height, LargestImageSide)
	case width > limits.Pixels/height:
		return c, fmt.Errorf("the %s image is %dx%d pixels, more than %d in all", c.name, width, height, limits.Pixels)
	}
	return c, nil
}

// pixels decodes; a decoder's fault must not end the server.
func (c codec) pixels(data []byte) (img *RGB, err error) {
	defer func() {
		if r := recover(); r != nil {
			img, err = nil, fmt.Errorf("the %s decoder failed: %v", c.name, r)
		}
	}()
	img, err = c.decode(data)
	if err != nil {
		return nil, fmt.Errorf("the %s image is broken or truncated: %w", c.name, err)
	}
	return img, nil
}

func jpegSize(data []byte) (height, width int, err error) {
	config, err := jpegturbo.DecodeConfig(data)
	return config.Height, config.Width, err
}

// decodeJPEG takes four channels for inverted inks, whatever the file says, as Pillow
// does.
func decodeJPEG(data []byte) (*RGB, error) {
	m, err := jpegturbo.Decode(data)
	if err != nil {
		return nil, err
	}
	if m.Space == jpegturbo.RGB {
		return &RGB{Pix: m.Pix, Height: m.Height, Width: m.Width}, nil
	}
	out := NewRGB(m.Height, m.Width)
	for i := range m.Height * m.Width {
		dst := out.Pix[3*i : 3*i+3]
		if m.Space == jpegturbo.Gray {
			dst[0], dst[1], dst[2] = m.Pix[i], m.Pix[i], m.Pix[i]
			continue
		}
		ink := m.Pix[4*i:]
		dst[0], dst[1], dst[2] = inkToRGB(255-ink[0], 255-ink[1], 255-ink[2], 255-ink[3])
	}
	return out, nil
}

// pngHeader is the beginning of every PNG image: the signature and IHDR, to its
// colour type.
const pngHeader = 26

func pngSize(data []byte) (height, width int, err error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	return config.Height, config.Width, err
}

// decodePNG reads 16-bit gray with a transparent level, which Go gives alpha, as gray.
func decodePNG(data []byte) (*RGB, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	depth, colorType := data[pngHeader-2], data[pngHeader-1]
	if m, ok := img.(*image.NRGBA64); ok && depth == 16 && colorType == 0 {
		gray := image.NewGray16(m.Rect)
		for i := 0; i < len(gray.Pix); i += 2 {
			binary.BigEndian.PutUint16(gray.Pix[i:], binary.BigEndian.Uint16(m.Pix[4*i:]))
		}
		img = gray
	}
	return ToRGB(img), nil
}
