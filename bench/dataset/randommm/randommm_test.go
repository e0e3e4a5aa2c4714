package randommm

import (
	"bytes"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/dataset"
)

func TestParseBuckets(t *testing.T) {
	tests := []struct {
		text string
		want []Bucket // nil: an error
	}{
		{"", defaultBuckets},
		{"{(256, 256, 1): 0.5, (720, 1280, 1): 0.5}", defaultBuckets},
		{"64x32=1,8x8=3", []Bucket{{64, 32, 1}, {8, 8, 3}}},
		{" 64x32=0 , 8x8=1e-3", []Bucket{{64, 32, 0}, {8, 8, 1e-3}}},
		{"{(64,32,1):1}", []Bucket{{32, 64, 1}}},
		{"{(64, 32, 8): 1}", nil},
		{"64x32", nil},
		{"64x32=-1", nil},
		{"64x32=0", nil},
		{"0x32=1", nil},
		{"99999999999999999999x32=1", nil},
		{"64x32=1e999", nil},
		{"{}", nil},
		{strings.Repeat("8x8=1,", 100) + "8x8=1", nil},
	}
	for _, tt := range tests {
		got, err := ParseBuckets(tt.text)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.want == nil) {
			t.Errorf("%q: error %v (-want +got):\n%s", tt.text, err, diff)
		}
	}
}

func TestMake(t *testing.T) {
	buckets := []Bucket{{64, 32, 3}, {48, 48, 1}, {8, 8, 0}}
	make := func(n int, seed uint64) []dataset.Row {
		set, err := Make(t.Context(), "random-mm:x", n, seed, buckets, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		return set.Rows()
	}
	rows := make(400, 1)
	if diff := cmp.Diff(rows[:10], make(10, 1)); diff != "" {
		t.Errorf("fewer rows are not the first ones:\n%s", diff)
	}
	if cmp.Equal(rows[0].Image, make(1, 2)[0].Image) {
		t.Error("seeds 1 and 2 make the same image")
	}
	count, seen := map[int]int{}, map[string]bool{}
	for _, r := range rows {
		count[r.Image.Width]++
		if seen[r.Image.SHA256] || strings.TrimSpace(r.Prompt) == "" {
			t.Errorf("row %s repeats an image or has no prompt", r.ID)
		}
		seen[r.Image.SHA256] = true
	}
	if count[8] != 0 || count[64] < 260 || count[64] > 340 { // 300 expected, 4.6 standard deviations
		t.Errorf("widths %v", count)
	}
	if _, err := Make(t.Context(), "x", 100, 1, buckets, 10_000); err == nil || !strings.Contains(err.Error(), "ask for fewer rows") {
		t.Errorf("error %v", err)
	}
}

// TestNoiseIsNoise: the mean and spread of an image's luminance are those of uniform
// noise.
func TestNoiseIsNoise(t *testing.T) {
	img, err := noise(Bucket{128, 128, 1}, 5, 0)
	if err != nil {
		t.Fatal(err)
	}
	decoded, _, err := image.Decode(bytes.NewReader(img.Data))
	if err != nil {
		t.Fatal(err)
	}
	var sum, squares float64
	luminance := decoded.(*image.YCbCr).Y
	for _, y := range luminance {
		sum += float64(y)
		squares += float64(y) * float64(y)
	}
	n := float64(len(luminance))
	mean := sum / n
	// The spread of 0.299 R + 0.587 G + 0.114 B with each uniform in 0..255.
	want := 255 / math.Sqrt(12) * math.Sqrt(0.299*0.299+0.587*0.587+0.114*0.114)
	if spread := math.Sqrt(squares/n - mean*mean); math.Abs(mean-127.5) > 3 || math.Abs(spread-want) > 5 {
		t.Errorf("luminance has mean %.1f and spread %.1f, want 127.5 and %.1f", mean, spread, want)
	}
}

// FuzzParseBuckets checks that buckets that are taken are within the bounds.
func FuzzParseBuckets(f *testing.F) {
	f.Add("{(256, 256, 1): 0.5, (720, 1280, 1): 0.5}")
	f.Add("64x32=1,8x8=3")
	f.Add("{(1,1,1):NaN}")
	f.Fuzz(func(t *testing.T, text string) {
		buckets, err := ParseBuckets(text)
		if err != nil {
			return
		}
		var total float64
		for _, b := range buckets {
			if total += b.Share; b.Width < 1 || b.Height < 1 || b.Width > mostEdge || b.Height > mostEdge || !(b.Share >= 0) {
				t.Errorf("bucket %+v", b)
			}
		}
		if !(total > 0) {
			t.Errorf("shares of %q add up to %v", text, total)
		}
	})
}
