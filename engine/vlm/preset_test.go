package vlm

import (
	"image"
	"math"
	"slices"
	"testing"

	"siglab/engine/projector"
	"siglab/internal/safetensors"
)

// small is a preset in the way of the large ones: bfloat16, drawn in parallel, a Gemma
// with more tokens than the tokenizer.
func small() preset {
	return preset{
		name:      "small",
		tower:     tower(24, 2, 3, 40, 14, 3),
		decoder:   gemma(32, 2, 4, 1, 8, 48, tinyVocab+100, 256),
		projector: projector.OneLayer,
		prompt:    wholePrompt,
		served:    56, maxImages: 1, dtype: safetensors.BF16, scales: tinyScales(),
	}
}

// TestSmall: such a preset answers, in tokens that have text, and equal seeds give equal
// answers on any number of threads.
func TestSmall(t *testing.T) {
	logits := func(seed uint64, threads int) []float32 {
		m, err := small().open("random:small", Options{Seed: seed, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		input, err := m.Prepare(image.NewGray(image.Rect(0, 0, 60, 40)))
		if err != nil {
			t.Fatal(err)
		}
		features, _, err := m.EncodeImage(input)
		if err != nil {
			t.Fatal(err)
		}
		prompt := append(slices.Repeat([]int{m.ImageToken()}, m.ImageTokens(input)), 7, 8, 9)
		s, logits := m.NewSequence(len(prompt)+1), make([]float32, m.VocabSize())
		if err := m.Prefill(s, prompt, []Features{features}, logits); err != nil {
			t.Fatal(err)
		}
		if err := m.Step([]*Sequence{s}, []int{3}, [][]float32{logits}); err != nil {
			t.Fatal(err)
		}
		if want := int64(2 * (24*588 + 2*(4*24*24+2*24*40) + 24*32 + (tinyVocab+100)*32 + 2*(2*32*32+2*32*8+3*32*48))); m.WeightBytes() < want || m.WeightBytes() > want+want/10 {
			t.Errorf("%d bytes of weights, want %d and the vectors", m.WeightBytes(), want)
		}
		if want := int64(2 * 2 * 8 * 4 * 100); m.KVBytes(100) != want {
			t.Errorf("%d bytes of keys and values, want %d", m.KVBytes(100), want)
		}
		return logits
	}
	first := logits(1, 1)
	for id, v := range first {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), -1) != (id >= tinyVocab) {
			t.Fatalf("logit %d is %v", id, v)
		}
	}
	if !slices.Equal(first, logits(1, 2)) {
		t.Error("equal seeds give different logits")
	}
	if slices.Equal(first, logits(2, 1)) {
		t.Error("different seeds give equal logits")
	}
}

// TestBFloat16s: values drawn fast have the deviation that they are asked for, no mean,
// and no row is another's.
func TestBFloat16s(t *testing.T) {
	d := newDraw(small(), 1, nil)
	const out, in = 64, 513
	values, err := safetensors.Tensor{DType: safetensors.BF16, Shape: []int{out, in}, Data: d.bfloat16s(out, in, 0.25)}.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	sum, squares := 0.0, 0.0
	for _, v := range values {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	if mean, deviation := sum/out/in, math.Sqrt(squares/out/in); math.Abs(mean) > 0.005 || math.Abs(deviation-0.25) > 0.005 {
		t.Errorf("mean %g and deviation %g, want 0 and 0.25", mean, deviation)
	}
	for r := range out {
		for q := range r {
			if slices.Equal(values[r*in:][:16], values[q*in:][:16]) {
				t.Errorf("rows %d and %d begin equally", q, r)
			}
		}
	}
}
