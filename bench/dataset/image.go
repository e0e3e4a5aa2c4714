package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // decoders of the formats that rows may have
	"image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"
)

// Bounds of an image. Pillow, which most servers decode with, refuses more pixels
// (twice its MAX_IMAGE_PIXELS), so a row with such an image could only fail.
const (
	MostImageBytes  = 64 << 20
	MostImagePixels = 178_956_970
)

// Encoding says which bytes of an image are sent.
type Encoding int

const (
	// PassThrough sends the bytes of the source.
	PassThrough Encoding = iota
	// Reencode sends what vLLM's loader makes of them: RGB without alpha, JPEG of
	// quality 75 with chroma halved in both directions. The encoder is Go's image/jpeg,
	// not Pillow's libjpeg: same size and look, other bytes.
	Reencode
)

// String says the encoding in words that reports can use.
func (e Encoding) String() string {
	if e == Reencode {
		return "images re-encoded as JPEG (quality 75, 4:2:0) by Go's image/jpeg, not libjpeg"
	}
	return "images as they are"
}

// ErrImageSize is the cause where an image has too many bytes or pixels.
var ErrImageSize = errors.New("the image is too large")

// Inspect reads the header of an image: its format, size and hash, without a name.
// It decodes no pixels, so a bomb costs nothing. Of an animation the size is that of
// its canvas; servers take its first frame. An error wraps ErrImageSize where the
// bounds are exceeded.
func Inspect(data []byte) (Image, color.Model, error) {
	if len(data) > MostImageBytes {
		return Image{}, nil, fmt.Errorf("%w: %d bytes, at most %d", ErrImageSize, len(data), MostImageBytes)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case len(data) == 0:
		return Image{}, nil, errors.New("the image is empty")
	case err != nil:
		return Image{}, nil, fmt.Errorf("read the header of the image: %w (JPEG, PNG, GIF and WebP are known)", err)
	case config.Width < 1 || config.Height < 1:
		return Image{}, nil, fmt.Errorf("the image is %dx%d pixels", config.Width, config.Height)
	case config.Width > MostImagePixels/config.Height:
		return Image{}, nil, fmt.Errorf("%w: %dx%d pixels, at most %d in all", ErrImageSize, config.Width, config.Height, MostImagePixels)
	}
	sum := sha256.Sum256(data)
	img := Image{MIME: "image/" + format, Data: data, Width: config.Width, Height: config.Height, SHA256: hex.EncodeToString(sum[:])}
	return img, config.ColorModel, nil
}

// encoded is the image in another encoding.
func encoded(img Image, e Encoding) (Image, error) {
	if e == PassThrough {
		return img, nil
	}
	decoded, _, err := image.Decode(bytes.NewReader(img.Data))
	if err != nil {
		return Image{}, fmt.Errorf("decode the image: %w", err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, rgb(decoded, image.Rect(0, 0, img.Width, img.Height)), &jpeg.Options{Quality: 75}); err != nil {
		return Image{}, fmt.Errorf("encode the image: %w", err)
	}
	again, _, err := Inspect(out.Bytes())
	return again, err
}

// rgb is Pillow's convert("RGB"): alpha is dropped, not blended, and grey gets three
// channels. The first frame of an animation may cover a part of its canvas only.
func rgb(img image.Image, canvas image.Rectangle) image.Image {
	if ycc, ok := img.(*image.YCbCr); ok && ycc.Rect == canvas {
		return ycc
	}
	flat := image.NewRGBA(canvas)
	bounds := img.Bounds().Intersect(canvas)
	switch img.(type) {
	case *image.Gray, *image.Gray16, *image.CMYK, *image.RGBA, *image.RGBA64:
		draw.Draw(flat, bounds, img, bounds.Min, draw.Src)
		return flat
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			flat.SetRGBA(x, y, color.RGBA{R: c.R, G: c.G, B: c.B, A: 255})
		}
	}
	return flat
}
