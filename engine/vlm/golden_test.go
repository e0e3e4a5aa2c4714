package vlm_test

import (
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"siglab/engine/vlm"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// goldenCase is a prompt with its images and what transformers 5.19 computes of it in
// float32, with Pillow's image processors; NAME.safetensors holds the tensors.
type goldenCase struct {
	Name   string `json:"name"`
	Image  string `json:"image"`
	Images []string
	IDs    []int         `json:"input_ids"`
	Tokens []int         `json:"greedy_tokens"`
	Top5   [][][]float64 `json:"top5"` // [step][5] of id and logit
}

// goldenModels are the directories of models with a cases.json.
func goldenModels(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/*/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if more := os.Getenv("SIGLAB_GOLDEN_MODELS"); more != "" { // a folder of more such models
		found, err := filepath.Glob(filepath.Join(more, "*", "cases.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no models in %s: %v", more, err)
		}
		dirs = append(dirs, found...)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

// TestGolden wants transformers' tokens exactly, its features within 2e-4, its logits
// within 1e-3 and its five largest logits of every step in their order.
func TestGolden(t *testing.T) {
	for _, dir := range goldenModels(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var golden struct {
				Cases []goldenCase `json:"cases"`
			}
			data, err := os.ReadFile(filepath.Join(dir, "cases.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &golden); err != nil {
				t.Fatal(err)
			}
			m, err := vlm.Open(dir, vlm.Options{PosEmbed: posembed.Exact, Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for _, warning := range m.Warnings() {
				t.Error(warning)
			}
			for _, c := range golden.Cases {
				t.Run(c.Name, func(t *testing.T) { checkCase(t, m, dir, c) })
			}
		})
	}
}

// checkCase compares one prompt, taken in at once and in chunks.
func checkCase(t *testing.T, m *vlm.Model, dir string, c goldenCase) {
	file, err := safetensors.Open(filepath.Join(dir, c.Name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read-only
	if c.Image != "" {
		c.Images = []string{c.Image}
	}
	features, pixels := encodeFiles(t, m, dir, c.Images)
	if want, ok := values(t, file, "pixel_values"); ok {
		if worst := distance(t, pixels, want); worst > 0 {
			t.Errorf("pixel values are off by %g, want none", worst)
		}
	}
	if want, ok := values(t, file, "image_features"); ok {
		if worst := distance(t, slices.Concat(features...), want); worst > 2e-4 {
			t.Errorf("features are off by %g, want at most 2e-4", worst)
		}
	}
	logits, chunked := make([]float32, m.VocabSize()), make([]float32, m.VocabSize())
	s := m.NewSequence(len(c.IDs) + len(c.Tokens))
	if err := m.Prefill(s, c.IDs, features, logits); err != nil {
		t.Fatal(err)
	}
	if want, ok := values(t, file, "first_step_logits"); ok {
		if worst := distance(t, logits, want); worst > 1e-3 {
			t.Errorf("first logits are off by %g, want at most 1e-3", worst)
		}
	}
	inChunks(t, m, c.IDs, features, chunked)
	if !slices.Equal(logits, chunked) {
		t.Error("a prompt in chunks has other logits")
	}
	for _, most := range []int{1, len(c.IDs) / 2, len(c.IDs) - 1} {
		checkReuse(t, m, s, c.IDs, features, logits, most)
	}
	for i, want := range c.Tokens {
		checkTop(t, i, logits, c.Top5[i])
		if token := slices.Index(logits, slices.Max(logits)); token != want {
			t.Fatalf("step %d: token %d, want %d", i, token, want)
		}
		step(t, m, s, want, logits)
	}
}

// checkReuse takes in a prompt that goes on otherwise, with what it has in common with
// a sequence that there is, and without: the bits must be the same.
func checkReuse(t *testing.T, m *vlm.Model, from *vlm.Sequence, ids []int, features []vlm.Features, logits []float32, most int) {
	t.Helper()
	n := m.PrefixEnd(ids, most)
	if n < 0 || n > most {
		t.Fatalf("the prefix of at most %d tokens ends at %d", most, n)
	}
	got, want := make([]float32, m.VocabSize()), make([]float32, m.VocabSize())
	p, err := m.Begin(m.NewSequence(len(ids)), ids, features)
	if err == nil {
		err = m.Reuse(p, from, n)
	}
	if err == nil {
		err = m.Advance(p, len(ids), got)
	}
	if err != nil || !slices.Equal(got, logits) {
		t.Errorf("with %d tokens reused the prompt has other logits, or %v", n, err)
	}
	if slices.Contains(ids[n:], m.ImageToken()) { // what follows must be text, to be another
		return
	}
	other := append(slices.Clone(ids[:n]), 5, 6, 7)
	if err := m.Prefill(m.NewSequence(len(other)), other, features, want); err != nil {
		t.Fatal(err)
	}
	if p, err = m.Begin(m.NewSequence(len(other)), other, features); err == nil {
		if err = m.Reuse(p, from, n); err == nil {
			err = m.Advance(p, len(other), got)
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("with %d tokens reused another prompt has other logits, or %v", n, err)
	}
}

// inChunks takes a prompt in, at most seven tokens at a time.
func inChunks(t *testing.T, m *vlm.Model, ids []int, features []vlm.Features, logits []float32) {
	t.Helper()
	p, err := m.Begin(m.NewSequence(len(ids)), ids, features)
	if err != nil {
		t.Fatal(err)
	}
	for p.Left() > 0 {
		left := p.Left()
		if err := m.Advance(p, 7, logits); err != nil {
			t.Fatal(err)
		}
		if p.Left() >= left {
			t.Fatalf("%d tokens left after %d", p.Left(), left)
		}
	}
}

// encodeFiles are the features of a prompt's images, and their pixels.
func encodeFiles(t *testing.T, m *vlm.Model, dir string, names []string) ([]vlm.Features, []float32) {
	t.Helper()
	var images []image.Image
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // read-only
		images = append(images, img)
	}
	inputs, err := m.PreparePrompt(images)
	if err != nil {
		t.Fatal(err)
	}
	var all []vlm.Features
	var pixels []float32
	for _, in := range inputs {
		features, _, err := m.EncodeImage(in)
		if err != nil {
			t.Fatal(err)
		}
		if rows, want := len(features), m.ImageTokens(in); rows%want != 0 || rows == 0 {
			t.Errorf("features of %d values for %d image tokens", rows, want)
		}
		all, pixels = append(all, features), append(pixels, in.Data...)
	}
	return all, pixels
}

// checkTop compares the five largest logits of a step.
func checkTop(t *testing.T, step int, logits []float32, want [][]float64) {
	t.Helper()
	rest := slices.Clone(logits)
	for k, pair := range want {
		id := slices.Index(rest, slices.Max(rest))
		if id != int(pair[0]) || math.Abs(float64(rest[id])-pair[1]) > 1e-3 {
			t.Errorf("step %d: number %d from the top is %d with %g, want %g with %g", step, k, id, rest[id], pair[0], pair[1])
		}
		rest[id] = float32(math.Inf(-1))
	}
}

// values is a float32 tensor of a file that may have it.
func values(t *testing.T, f *safetensors.File, name string) ([]float32, bool) {
	t.Helper()
	if !slices.Contains(f.Names(), name) {
		return nil, false
	}
	tensor, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, tensor.Len())
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(tensor.Data[4*i:]))
	}
	return x, true
}

// distance is the largest difference of two equally long slices.
func distance(t *testing.T, a, b []float32) float64 {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d values, want %d", len(a), len(b))
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

// TestNarrowImage: of an image narrower than a feature nothing is left in the tiles
// but the ends of their rows, as in transformers: 4x4 features of the whole image,
// then a newline for each of the 12 rows of three tiles.
func TestNarrowImage(t *testing.T) {
	const hidden, whole, rows = 32, 16, 12
	m, err := vlm.Open("testdata/onevision_tied", vlm.Options{PosEmbed: posembed.Exact, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in, err := m.Prepare(image.NewGray(image.Rect(0, 0, 3, 90)))
	if err != nil {
		t.Fatal(err)
	}
	features, _, err := m.EncodeImage(in)
	if err != nil {
		t.Fatal(err)
	}
	if n := m.ImageTokens(in); n != whole+rows || len(features) != n*hidden {
		t.Fatalf("%d tokens, %d features, want %d of each", n, len(features)/hidden, whole+rows)
	}
	newline := features[whole*hidden:][:hidden]
	for r := range rows {
		if !slices.Equal(features[(whole+r)*hidden:][:hidden], newline) {
			t.Errorf("row %d of the tiles is not the newline", r)
		}
	}
}
