package imageprep

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden is what Pillow and transformers' SiglipImageProcessor made of an image.
type golden struct {
	File          string `json:"file"`
	Decoded       string `json:"decoded_sha256"` // of the RGB bytes
	Height        int    `json:"height"`
	Width         int    `json:"width"`
	ResizedSHA256 string `json:"resized_sha256"`
	PixelsSHA256  string `json:"pixels_sha256"` // of the float32 values, little-endian
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t testing.TB, name string) image.Image {
	t.Helper()
	img, _, err := Decode(read(t, name), DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func half() Spec {
	return Spec{Mean: [3]float32{.5, .5, .5}, Std: [3]float32{.5, .5, .5}}
}

// TestGoldens: every step is equal to Pillow's, bit for bit.
func TestGoldens(t *testing.T) {
	var goldens []golden
	if err := json.Unmarshal(read(t, "goldens.json"), &goldens); err != nil {
		t.Fatal(err)
	}
	if len(goldens) < 30 {
		t.Fatalf("only %d golden values", len(goldens))
	}
	for _, g := range goldens {
		img := decode(t, g.File)
		rgb := ToRGB(img)
		if got := hash(rgb.Pix); got != g.Decoded {
			t.Errorf("%s: the RGB pixels differ", g.File)
			continue
		}
		if got := hash(rgb.Resize(g.Height, g.Width, Bicubic).Pix); got != g.ResizedSHA256 {
			t.Errorf("%s to %dx%d: the resized pixels differ", g.File, g.Height, g.Width)
		}
		spec := half()
		spec.Height, spec.Width = g.Height, g.Width
		p, err := Preprocess(img, spec)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, p.Data); err != nil {
			t.Fatal(err)
		}
		if hash(b.Bytes()) != g.PixelsSHA256 {
			t.Errorf("%s to %dx%d: the values differ", g.File, g.Height, g.Width)
		}
	}
}

func TestPreprocessErrors(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	for _, s := range []Spec{{}, {Height: 5}, {Height: -1, Width: 4}, {Height: 1 << 21, Width: 4}} {
		if _, err := Preprocess(img, s); err == nil || !strings.Contains(err.Error(), "pixels") {
			t.Errorf("spec %+v: error %v", s, err)
		}
	}
	s := half()
	s.Height, s.Width = 4, 4
	if _, err := Preprocess(image.NewGray(image.Rect(0, 0, 0, 3)), s); err == nil {
		t.Error("an image without area was accepted")
	}
}

// TestSubImage: bounds need not begin at the origin.
func TestSubImage(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for y := range 8 {
		for x := range 8 {
			img.Set(x, y, color.NRGBA{uint8(x * 30), uint8(y * 30), 7, uint8(40 * (x % 3))})
		}
	}
	rgb := ToRGB(img.SubImage(image.Rect(3, 5, 5, 6)))
	if got, want := string(rgb.Pix), string([]byte{90, 150, 7, 120, 150, 7}); got != want {
		t.Errorf("pixels %v, want %v", []byte(got), []byte(want))
	}
}

func BenchmarkPreprocess(b *testing.B) {
	img := decode(b, "photo.png")
	s := half()
	s.Height, s.Width = 192, 192
	for b.Loop() {
		if _, err := Preprocess(img, s); err != nil {
			b.Fatal(err)
		}
	}
}
