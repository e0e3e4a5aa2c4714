package decoder_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// shape is the golden model's.
func shape() decoder.Config {
	return decoder.Config{Hidden: 64, Layers: 2, Heads: 4, KVHeads: 2, MLP: 112, Vocab: 428, MaxPositions: 512}
}

// goldenImage is the token that stands for a row of image features in its prompts.
const goldenImage = 423

// golden are the weights of a small LLaVA's Qwen2, written by transformers 5.19:
// testdata holds its tensors in bfloat16, in the order in which they are read here.
func golden(t *testing.T, device *cpu.Device) *decoder.Weights {
	t.Helper()
	data, err := os.ReadFile("testdata/qwen2.bf16")
	if err != nil {
		t.Fatal(err)
	}
	vector := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = posembed.BFloat16(binary.LittleEndian.Uint16(data[2*i:])).Float32()
		}
		data = data[2*n:]
		return x
	}
	matrix := func(in, out int) tensor.Matrix {
		n := 2 * in * out
		m, err := device.Pack(safetensors.Tensor{Name: "weight", DType: safetensors.BF16, Shape: []int{out, in}, Data: data[:n]})
		if err != nil {
			t.Fatal(err)
		}
		data = data[n:]
		return m
	}
	c, kv := shape(), shape().Hidden/shape().Heads*shape().KVHeads
	w := &decoder.Weights{Embeddings: matrix(c.Hidden, c.Vocab)}
	for range c.Layers {
		w.Blocks = append(w.Blocks, decoder.Block{
			AttentionNorm: vector(c.Hidden),
			Query:         matrix(c.Hidden, c.Hidden), QueryBias: vector(c.Hidden),
			Key: matrix(c.Hidden, kv), KeyBias: vector(kv),
			Value: matrix(c.Hidden, kv), ValueBias: vector(kv),
			Out:     matrix(c.Hidden, c.Hidden),
			MLPNorm: vector(c.Hidden),
			Gate:    matrix(c.Hidden, c.MLP), Up: matrix(c.Hidden, c.MLP), Down: matrix(c.MLP, c.Hidden),
		})
	}
	w.Norm, w.Head = vector(c.Hidden), matrix(c.Hidden, c.Vocab)
	if len(data) != 0 {
		t.Fatalf("testdata/qwen2.bf16 has %d bytes more than the model", len(data))
	}
	return w
}

// goldenCase is a prompt with its image's features and what transformers answers,
// greedily, in float32.
type goldenCase struct {
	Name     string
	Prompt   []int
	Features []float32 // [16, Hidden], for the image tokens
	Tokens   []int     // the answer
	Top5     []float64 // [len(Tokens), 5], the largest logits of every step
}

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	data, err := os.ReadFile("testdata/qwen2.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// embed is the decoder's input for tokens, with features in place of image tokens.
func embed(t *testing.T, d *decoder.Decoder, tokens []int, features []float32) []float32 {
	t.Helper()
	x := make([]float32, len(tokens)*shape().Hidden)
	for i, token := range tokens {
		row := x[i*shape().Hidden:][:shape().Hidden]
		if token == goldenImage {
			features = features[copy(row, features):]
			continue
		}
		if err := d.Embed(row, token); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// newDecoder is the golden decoder on a number of threads.
func newDecoder(t *testing.T, threads int) *decoder.Decoder {
	t.Helper()
	device := cpu.New(cpu.Options{Threads: threads})
	t.Cleanup(device.Close)
	d, err := decoder.New(shape(), golden(t, device), device)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGolden wants transformers' tokens exactly (the two largest logits are never
// closer than 0.02) and its five largest logits of every step within 1e-3.
func TestGolden(t *testing.T) {
	d := newDecoder(t, 2)
	for _, c := range goldenCases(t) {
		cache := d.NewCache(len(c.Prompt) + len(c.Tokens))
		logits := make([]float32, shape().Vocab)
		if err := d.Prefill(cache, embed(t, d, c.Prompt, c.Features), logits); err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Tokens {
			top := slices.Sorted(slices.Values(logits))
			slices.Reverse(top)
			for k, w := range c.Top5[5*i:][:5] {
				if math.Abs(float64(top[k])-w) > 1e-3 {
					t.Errorf("%s: step %d: logit %d from the top is %v, want %v", c.Name, i, k, top[k], w)
				}
			}
			token := slices.Index(logits, top[0])
			if token != want {
				t.Fatalf("%s: step %d: token %d, want %d", c.Name, i, token, want)
			}
			if err := d.Step([]*decoder.Cache{cache}, embed(t, d, []int{token}, nil), [][]float32{logits}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
