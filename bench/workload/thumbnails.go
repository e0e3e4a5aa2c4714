package workload

import (
	"bytes"
	"encoding/base64"

	"siglab/bench/dataset"
	"siglab/bench/record"
)

// Bounds of what a run directory keeps of its images: a page shows no more of them.
const (
	mostThumbnails = 200
	thumbnailEdge  = 128 // pixels
)

// Thumbnails are small copies of the first distinct images, for people who look at the
// run. An image that cannot be decoded has none.
func (w *Workload) Thumbnails() []record.Thumbnail {
	var out []record.Thumbnail
	seen := map[string]bool{}
	for _, slice := range w.Slices {
		for i := range slice {
			item := &slice[i]
			if seen[item.ImageHash] || item.ImageHash == "" {
				continue
			}
			seen[item.ImageHash] = true
			if len(seen) > mostThumbnails {
				return out
			}
			if small := dataset.Thumbnail(imageOf(item.Body), thumbnailEdge); small != nil {
				out = append(out, record.Thumbnail{ImageHash: item.ImageHash, JPEG: small})
			}
		}
	}
	return out
}

// imageOf finds the image in an encoded request; nil if it has none.
func imageOf(body []byte) []byte {
	_, rest, _ := bytes.Cut(body, []byte(`"data:image/`))
	_, rest, _ = bytes.Cut(rest, []byte(";base64,"))
	encoded, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return nil
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(data, encoded)
	if err != nil {
		return nil
	}
	return data[:n]
}
