package dataset

import (
	"bytes"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// mostThumbnailPixels is the largest image that is decoded to make a small one.
const mostThumbnailPixels = 100 << 20

// Thumbnail is an image as a small JPEG, its longer edge of so many pixels at most and
// its transparent parts white; nil if it cannot be decoded or is too large.
func Thumbnail(data []byte, edge int) []byte {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > mostThumbnailPixels/config.Height {
		return nil
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	scale := min(1, float64(edge)/float64(max(config.Width, config.Height)))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(config.Width)*scale)), max(1, int(float64(config.Height)*scale))))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), decoded, decoded.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 80}); err != nil {
		return nil
	}
	return out.Bytes()
}
