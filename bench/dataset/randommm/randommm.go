// Package randommm makes images of random noise, as the data set random-mm of vLLM
// does: every pixel's three channels are independent and uniform, and sizes are drawn
// from buckets with shares.
//
// What is meant is vLLM's, the bytes are not: the noise comes from this program's
// generator and is encoded by Go's image/jpeg (quality 75, 4:2:0), and the prompts are
// words, not random token ids, since no tokenizer is at hand. Noise is the worst case
// of JPEG's compression and very unlike photographs: bodies are many times larger, so
// a run with it says little about real traffic.
package randommm

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"

	"siglab/bench/dataset"
)

// Name is the data set's name; after a colon may follow buckets.
const Name = "random-mm"

// Bucket is a size of images and how often it is drawn, relative to the others.
type Bucket struct {
	Width, Height int // pixels
	Share         float64
}

// defaultBuckets are vLLM's: half small and square, half of a video's size.
var defaultBuckets = []Bucket{{256, 256, .5}, {1280, 720, .5}}

// Bounds of an image and of a set.
const (
	mostEdge    = 8192
	mostBuckets = 64
)

var (
	pythonBucket = regexp.MustCompile(`^\(\s*(\d+)\s*,\s*(\d+)\s*,\s*1\s*\)\s*:\s*([0-9.eE+-]+)$`)
	plainBucket  = regexp.MustCompile(`^(\d+)x(\d+)=([0-9.eE+-]+)$`)
	betweenItems = regexp.MustCompile(`,\s*\(`)
)

// ParseBuckets reads buckets as WIDTHxHEIGHT=SHARE,… or as vLLM's
// --random-mm-bucket-config, {(height, width, 1): share, …}; "" is vLLM's default.
func ParseBuckets(text string) ([]Bucket, error) {
	wrong := func(why string) error {
		return fmt.Errorf("buckets of %s %.100q: %s; write WIDTHxHEIGHT=SHARE, separated by commas, such as 256x256=0.5,1280x720=0.5, or vLLM's {(height, width, 1): share}", Name, text, why)
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return defaultBuckets, nil
	}
	pattern, python := plainBucket, strings.HasPrefix(trimmed, "{") && strings.HasSuffix(trimmed, "}")
	items := strings.Split(trimmed, ",")
	if python {
		pattern = pythonBucket
		items = strings.Split(betweenItems.ReplaceAllString(trimmed[1:len(trimmed)-1], ";("), ";")
	}
	if len(items) > mostBuckets {
		return nil, wrong(fmt.Sprintf("there are %d, at most %d", len(items), mostBuckets))
	}
	var buckets []Bucket
	var total float64
	for _, item := range items {
		parts := pattern.FindStringSubmatch(strings.TrimSpace(item))
		if parts == nil {
			return nil, wrong(fmt.Sprintf("%q is not one (images only: the last number of a triple is 1)", item))
		}
		first, _ := strconv.Atoi(parts[1]) // digits; one too large is out of bounds
		second, _ := strconv.Atoi(parts[2])
		share, err := strconv.ParseFloat(parts[3], 64)
		b := Bucket{Width: first, Height: second, Share: share}
		if python {
			b.Width, b.Height = second, first
		}
		switch {
		case err != nil || !(share >= 0) || math.IsInf(share, 0):
			return nil, wrong(fmt.Sprintf("the share %s is not a number from 0", parts[3]))
		case b.Width < 1 || b.Height < 1 || b.Width > mostEdge || b.Height > mostEdge:
			return nil, wrong(fmt.Sprintf("edges are 1 to %d pixels", mostEdge))
		}
		total += share
		buckets = append(buckets, b)
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, wrong("the shares add up to nothing")
	}
	return buckets, nil
}

// Make makes n rows, each with its own image. The same n, seed and buckets give the
// same set; a larger n gives the same rows first. Images together have at most
// mostBytes.
func Make(ctx context.Context, name string, n int, seed uint64, buckets []Bucket, mostBytes int64) (*dataset.Set, error) {
	var rows []dataset.Row
	var total int64
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(seed, streamRow+uint64(i)))
		img, err := noise(pick(buckets, rng), seed, uint64(i))
		if err != nil {
			return nil, fmt.Errorf("make image %d of %s: %w", i, Name, err)
		}
		if total += int64(len(img.Data)); total > mostBytes {
			return nil, fmt.Errorf("%s: %d images of noise hold more than %d MB; ask for fewer rows or smaller images", Name, i+1, mostBytes>>20)
		}
		rows = append(rows, dataset.Row{ID: fmt.Sprintf("random-%06d", i), Prompt: prompt(rng), Language: "none", Image: img})
	}
	return dataset.NewSet(dataset.About{
		Name: name, Selection: fmt.Sprintf("%d images of noise, seed %d, encoded by Go's image/jpeg (quality 75, 4:2:0)", n, seed),
	}, rows, false), nil
}

// streamRow is the first stream of the seed that rows use.
const streamRow = 0x6d6d << 32

func pick(buckets []Bucket, rng *rand.Rand) Bucket {
	var total float64
	for _, b := range buckets {
		total += b.Share
	}
	x := rng.Float64() * total
	for _, b := range buckets {
		if x -= b.Share; x < 0 {
			return b
		}
	}
	return buckets[len(buckets)-1]
}

// noise is an image whose every byte of colour is uniform.
func noise(b Bucket, seed, number uint64) (dataset.Image, error) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], number)
	pixels := image.NewRGBA(image.Rect(0, 0, b.Width, b.Height))
	if _, err := rand.NewChaCha8(key).Read(pixels.Pix); err != nil {
		return dataset.Image{}, err
	}
	for i := 3; i < len(pixels.Pix); i += 4 {
		pixels.Pix[i] = 255
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, pixels, &jpeg.Options{Quality: 75}); err != nil {
		return dataset.Image{}, err
	}
	img, _, err := dataset.Inspect(out.Bytes())
	img.Name = fmt.Sprintf("noise-%06d-%dx%d.jpeg", number, b.Width, b.Height)
	return img, err
}

// prompt is a request of random words.
func prompt(rng *rand.Rand) string {
	words := strings.Fields("apple river stone cloud lantern garden window copper winter paper engine forest harbour mirror silver tower")
	var text strings.Builder
	text.WriteString("Describe this image. Words to use:")
	for range 8 + rng.IntN(24) {
		text.WriteString(" " + words[rng.IntN(len(words))])
	}
	return text.String()
}
