// Package imageprep decodes uploaded images and turns them into a vision tower's
// input, as the image processors of transformers do on top of Pillow.
//
// # Deviations
//
// JPEG and lossy WebP are decoded by Go's decoders, whose inverse transform and
// chroma upsampling differ from libjpeg-turbo's and libwebp's: by a few levels
// mostly, more at sharp coloured edges. Everything after the decoder, and
// everything from PNG, GIF and lossless WebP, is equal to Pillow bit for bit, with
// one exception: where both sides shrink, Pillow 13 sometimes resizes the rows first;
// here the columns come first, and single pixels then differ by one level. The EXIF orientation is not applied, as Pillow does not when it is given an image.
// Of an animated GIF the first frame is taken.
package imageprep

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that Decode reads
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"
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

// Decode decodes a JPEG, PNG, GIF or WebP image and names its format. Its errors say
// what is wrong with the data; none of it can make a decoder panic or allocate more
// than the limits allow.
func Decode(data []byte, limits Limits) (img image.Image, format string, err error) {
	if len(data) == 0 {
		return nil, "", errors.New("the image is empty")
	}
	if len(data) > limits.Bytes {
		return nil, "", fmt.Errorf("the image has %d bytes, more than %d", len(data), limits.Bytes)
	}
	defer func() { // a decoder's fault must not end the server
		if r := recover(); r != nil {
			img, err = nil, fmt.Errorf("the %s decoder failed: %v", format, r)
		}
	}()
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, "", errors.New("this is not a JPEG, PNG, GIF or WebP image")
	case err != nil:
		return nil, format, fmt.Errorf("the header of the %s image is broken: %w", format, err)
	case config.Width < 1 || config.Height < 1:
		return nil, format, fmt.Errorf("the %s image is %dx%d pixels: it has no area", format, config.Width, config.Height)
	case config.Width > limits.Pixels/config.Height:
		return nil, format, fmt.Errorf("the %s image is %dx%d pixels, more than %d in all", format, config.Width, config.Height, limits.Pixels)
	}
	img, _, err = image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, format, fmt.Errorf("the %s image is broken or truncated: %w", format, err)
	}
	return img, format, nil
}
