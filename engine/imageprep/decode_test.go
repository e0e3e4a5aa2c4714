package imageprep

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"strings"
	"testing"
)

// animation is a GIF of two frames.
func animation(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	frames := &gif.GIF{Delay: []int{1, 1}}
	for range 2 {
		frames.Image = append(frames.Image, image.NewPaletted(image.Rect(0, 0, 3, 2), palette.Plan9))
	}
	if err := gif.EncodeAll(&b, frames); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeFormats(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"PNG", read(t, "tiny.png"), "png"},
		{"JPEG", read(t, "jpeg420.jpg"), "jpeg"},
		{"WebP", read(t, "webp_lossless.webp"), "webp"},
		{"the first frame of a GIF", animation(t), "gif"},
	}
	for _, tt := range tests {
		img, format, err := Decode(tt.data, DefaultLimits())
		if err != nil || format != tt.want || img.Bounds().Empty() {
			t.Errorf("%s: format %q, error %v", tt.name, format, err)
		}
	}
}

// bomb is a PNG that says it is very large.
func bomb(t *testing.T) []byte {
	data := bytes.Clone(read(t, "tiny.png"))
	header := data[12:29] // "IHDR" and its 13 bytes
	binary.BigEndian.PutUint32(header[4:], 100_000)
	binary.BigEndian.PutUint32(header[8:], 100_000)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(header))
	return data
}

func TestDecodeErrors(t *testing.T) {
	photo := read(t, "photo.png")
	tests := []struct {
		name   string
		data   []byte
		limits Limits
		want   string
	}{
		{"nothing", nil, DefaultLimits(), "empty"},
		{"text", []byte("hello, world"), DefaultLimits(), "not a JPEG"},
		{"a broken header", photo[:20], DefaultLimits(), "header of the png"},
		{"a truncated PNG", photo[:len(photo)/2], DefaultLimits(), "truncated"},
		{"a truncated JPEG", read(t, "jpeg420.jpg")[:1500], DefaultLimits(), "truncated"},
		{"a truncated WebP", read(t, "webp_lossless.webp")[:1500], DefaultLimits(), "truncated"},
		{"too many bytes", photo, Limits{Bytes: 100, Pixels: 1 << 20}, "more than 100"},
		{"too many pixels", photo, Limits{Bytes: 1 << 20, Pixels: 100}, "150x110"},
		{"a bomb", bomb(t), DefaultLimits(), "100000x100000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := Decode(tt.data, tt.limits); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// FuzzDecode wants an image that can be prepared, or an error.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"tiny.png", "la.png", "palette.png", "gray16.png", "webp_lossless.webp", "jpeg420.jpg"} {
		f.Add(read(f, name))
	}
	f.Add(animation(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, _, err := Decode(data, Limits{Bytes: 1 << 20, Pixels: 1 << 20})
		if err != nil {
			return
		}
		s := half()
		s.Height, s.Width = 8, 8
		if _, err := Preprocess(img, s); err != nil {
			t.Error(err)
		}
	})
}
