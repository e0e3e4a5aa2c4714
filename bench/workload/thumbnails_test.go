package workload

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// TestThumbnails: one small JPEG for each distinct image, and none for bodies without
// one.
func TestThumbnails(t *testing.T) {
	w := freeze(t, small(t, 1))
	w.Slices[0][0].ImageHash, w.Slices[0][0].Body = "no image", []byte(`{"model":"m"}`)
	w.Slices[0][1].ImageHash, w.Slices[0][1].Body = "broken", []byte(`{"url":"data:image/png;base64,AAAA"}`)
	thumbnails := w.Thumbnails()
	if len(thumbnails) != w.Stats.Images {
		t.Errorf("%d thumbnails of %d images", len(thumbnails), w.Stats.Images)
	}
	for _, small := range thumbnails {
		config, err := jpeg.DecodeConfig(bytes.NewReader(small.JPEG))
		if err != nil || max(config.Width, config.Height) != thumbnailEdge || len(small.ImageHash) != 64 {
			t.Errorf("thumbnail of %s: %dx%d, error %v", small.ImageHash, config.Width, config.Height, err)
		}
	}
}
