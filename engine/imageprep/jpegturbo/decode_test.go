package jpegturbo

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// images are the JPEG files of imageprep's tests, which also compare their pixels.
func images(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/decode/*.jpg")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d images, error %v", len(names), err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = data
	}
	return all
}

// TestTruncated: no prefix of an image is decoded, nor makes the decoder panic, but
// one that only lacks the end marker.
func TestTruncated(t *testing.T) {
	for name, data := range images(t) {
		if strings.HasPrefix(name, "sampling") && !strings.HasPrefix(name, "sampling2") {
			continue // enough without
		}
		for n := range len(data) - 2 {
			if m, err := Decode(data[:n]); err == nil && n < len(data)-4 {
				t.Errorf("%s: %d of %d bytes make an image of %dx%d", name, n, len(data), m.Width, m.Height)
			}
		}
	}
}

// TestErrors: what a header can ask for that is refused.
func TestErrors(t *testing.T) {
	header := func(frame string) string { return "\xff\xd8\xff" + frame }
	tests := []struct{ name, data, want string }{
		{"another format", "GIF89a", "start-of-image"},
		{"nothing behind the start", "\xff\xd8", "ends within"},
		{"no scan", "\xff\xd8\xff\xd9", "before its first scan"},
		{"a scan without frame", header("\xda\x00\x08\x01\x01\x00\x00\x3f\x00"), "before the frame"},
		{"arithmetic coding", header("\xc9\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"), "arithmetic"},
		{"12 bits", header("\xc1\x00\x0b\x0c\x00\x01\x00\x01\x01\x01\x11\x00"), "12 bits"},
		{"no area", header("\xc0\x00\x0b\x08\x00\x00\x00\x01\x01\x01\x11\x00"), "no area"},
		{"two components", header("\xc0\x00\x0e\x08\x00\x01\x00\x01\x02\x01\x11\x00\x02\x11\x00"), "2 components"},
		{"sampling factors of 0", header("\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x10\x00"), "1x0"},
		{"fractional sampling", header("\xc0\x00\x11\x08\x00\x01\x00\x01\x03\x01\x31\x00\x02\x21\x00\x03\x11\x00"), "do not divide"},
		{"too many codes", header("\xc4\x00\x16\x00\x03" + strings.Repeat("\x00", 15) + "abc"), "too many codes"},
		{"a short segment", header("\xdb\x00\x01"), "length 1"},
	}
	for _, tt := range tests {
		if _, err := Decode([]byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestDecodeConfig: the header tells what the image is.
func TestDecodeConfig(t *testing.T) {
	for name, data := range images(t) {
		c, err := DecodeConfig(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Height != c.Height || m.Width != c.Width || int(m.Space) != c.Components || len(m.Pix) != c.Height*c.Width*c.Components {
			t.Errorf("%s: header %+v, but the image is %dx%d in %d channels, %d bytes", name, c, m.Height, m.Width, m.Space, len(m.Pix))
		}
	}
}

// TestFlatBlocks: a block of one level takes a shorter way through the transform than
// one with a coefficient that happens to be zero, to the same result.
func TestFlatBlocks(t *testing.T) {
	for dc := int32(-3000); dc <= 3000; dc += 7 {
		short := component{blocksX: 1, blocksY: 1, plane: make([]uint8, 64)}
		long := component{blocksX: 1, blocksY: 1, plane: make([]uint8, 64)}
		short.store(&[64]int32{dc}, 0, 0, 0)
		long.store(&[64]int32{dc}, 63, 0, 0)
		if string(short.plane) != string(long.plane) {
			t.Fatalf("DC %d: %v, want %v", dc, short.plane[:2], long.plane[:2])
		}
	}
}

// BenchmarkDecode decodes a photograph's usual form, of one megapixel.
func BenchmarkDecode(b *testing.B) {
	img := image.NewYCbCr(image.Rect(0, 0, 1152, 864), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		x, y := i%img.YStride, i/img.YStride
		img.Y[i] = uint8(128 + 80*math.Sin(float64(x*y)/4000) + float64(i*2654435761>>7&15))
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(i/97), uint8(i/53)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 85}); err != nil {
		b.Fatal(err)
	}
	b.Run("pixels=1M/chroma=420", func(b *testing.B) {
		b.SetBytes(int64(data.Len()))
		for b.Loop() {
			if _, err := Decode(data.Bytes()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzDecode wants an image or an error, soon.
func FuzzDecode(f *testing.F) {
	for _, data := range images(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeConfig(data)
		if err != nil || c.Height*c.Width > 1<<14 {
			return
		}
		if m, err := Decode(data); err == nil && len(m.Pix) != c.Height*c.Width*c.Components {
			t.Errorf("%d bytes for %+v", len(m.Pix), c)
		}
	})
}
