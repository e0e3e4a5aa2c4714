package imageprep

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
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

// decodeGolden is what Pillow read from an image.
type decodeGolden struct {
	File    string
	Size    [2]int // height, width
	SHA256  string // first half, of the RGB bytes
	Upright string // the same, turned as EXIF or XMP says; "" if equal
}

func decodeGoldens(t testing.TB) []decodeGolden {
	t.Helper()
	var goldens []decodeGolden
	readJSON(t, "decode.json", &goldens)
	if len(goldens) < 90 {
		t.Fatalf("only %d golden images", len(goldens))
	}
	return goldens
}

// TestDecodeGoldens: PNG of every colour type and depth, GIF, WebP and JPEG have
// Pillow's pixels, bit for bit, in either orientation.
func TestDecodeGoldens(t *testing.T) {
	for _, g := range decodeGoldens(t) {
		t.Run(g.File, func(t *testing.T) {
			data := read(t, "decode/"+g.File)
			img, _, err := Decode(data, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if img.Height != g.Size[0] || img.Width != g.Size[1] {
				t.Fatalf("%dx%d pixels, want %v", img.Height, img.Width, g.Size)
			}
			if hash(img.Pix)[:32] != g.SHA256 {
				t.Error("the pixels differ")
			}
			upright, _, err := DecodeUpright(data, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if want := cmp.Or(g.Upright, g.SHA256); hash(upright.Pix)[:32] != want {
				t.Error("the upright pixels differ")
			}
		})
	}
}

// TestDecodePhotographs: larger JPEG images, against Pillow's own PNG of them.
func TestDecodePhotographs(t *testing.T) {
	for _, name := range []string{"exif", "jpeg420"} {
		got, want := decode(t, name+".jpg"), decode(t, name+"-decoded.png")
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the pixels differ", name)
		}
	}
}

// bomb is a PNG that says it is very large.
func bomb(t *testing.T) []byte { return sized(t, 100_000, 100_000) }

// sized is a PNG that says it has this size.
func sized(t *testing.T, width, height uint32) []byte {
	data := bytes.Clone(read(t, "tiny.png"))
	header := data[12:29] // "IHDR" and its 13 bytes
	binary.BigEndian.PutUint32(header[4:], width)
	binary.BigEndian.PutUint32(header[8:], height)
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
		{"a bomb in PNG", bomb(t), DefaultLimits(), "100000x100000"},
		{"a bomb in GIF", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"), DefaultLimits(), "65535x65535"},
		{"a bomb in JPEG", []byte("\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00"), DefaultLimits(), "65535x65535"},
		{"a bomb in WebP", []byte("RIFF\x1e\x00\x00\x00WEBPVP8L\x11\x00\x00\x00\x2f\xff\xff\xff\x0f\x00"), DefaultLimits(), "16384x16384"},
		{"a long side", sized(t, 1<<21, 1), DefaultLimits(), "more than 1048576 a side"},
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
	for _, g := range decodeGoldens(f) {
		f.Add(read(f, "decode/"+g.File))
	}
	f.Add(animation(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, _, err := DecodeUpright(data, Limits{Bytes: 1 << 20, Pixels: 1 << 14})
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
