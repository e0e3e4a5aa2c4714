package vlm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/imageprep"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/tokenizer"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// presetPrefix begins the names of presets.
const presetPrefix = "random:"

// preset is a model's shape, with the scales of its random weights.
type preset struct {
	name      string
	tower     siglip.Config
	decoder   decoder.Config
	projector projector.Kind
	prompt    sight
	served    int               // pixels of an image's side
	maxImages int               // in a prompt
	dtype     safetensors.DType // of the matrices
	scales    scales
}

// tinyVocab is the vocabulary of the tokenizer that presets share.
const tinyVocab = 1024

// presets are all shapes that come with random weights.
func presets() []preset {
	tiny := preset{
		name:    "tiny",
		tower:   tower(64, 3, 4, 256, 16, 8),
		decoder: qwen2(96, 2, 4, 2, 256, tinyVocab, 2048),
		served:  192, maxImages: 4, dtype: safetensors.F32, scales: tinyScales(),
	}
	// An image of 1024 pixels takes 4096 tokens of tiny, more than its context.
	tinyLong := tiny
	tinyLong.name, tinyLong.decoder.MaxPositions = "tiny-8k", 8192
	// The others have the shapes of published models, and the tower of So400m/14.
	like := func(name string, pixels, layers int, d decoder.Config) preset {
		return preset{
			name:    name,
			tower:   tower(1152, layers, 16, 4304, 14, pixels/14),
			decoder: d,
			served:  pixels, maxImages: 4, dtype: safetensors.BF16, scales: tinyScales(),
		}
	}
	paliGemma := func(name string, pixels int) preset {
		p := like(name, pixels, 27, gemma(2048, 18, 8, 1, 256, 16384, 257216, 8192))
		p.projector, p.prompt = projector.OneLayer, wholePrompt
		p.decoder.FirstPosition = 1
		return p
	}
	oneVision := like("llava-onevision-0.5b", 384, 26, qwen2(896, 24, 14, 2, 4864, 151936, 32768))
	oneVision.decoder.TiedHead = true
	decode := tiny
	decode.name, decode.dtype = "decode-2g", safetensors.BF16
	decode.decoder = qwen2(2048, 16, 16, 2, 8192, tinyVocab, 8192)
	return []preset{
		tiny,
		tinyLong,
		like("so400m-224", 224, 27, tiny.decoder),
		like("so400m-384", 384, 27, tiny.decoder),
		paliGemma("paligemma-3b-224", 224),
		paliGemma("paligemma-3b-448", 448),
		oneVision,
		decode,
	}
}

// tower is a SigLIP tower that was trained on grids of side by side patches.
func tower(hidden, layers, heads, mlp, patch, side int) siglip.Config {
	return siglip.Config{
		Hidden: hidden, Layers: layers, Heads: heads, MLP: mlp, Eps: 1e-6, Patch: patch,
		Trained: posembed.Grid{Rows: side, Cols: side},
	}
}

func qwen2(hidden, layers, heads, kvHeads, mlp, vocab, positions int) decoder.Config {
	return decoder.Config{
		Hidden: hidden, Layers: layers, Heads: heads, KVHeads: kvHeads, HeadDim: hidden / heads, MLP: mlp,
		Vocab: vocab, MaxPositions: positions, Eps: 1e-6, EmbeddingScale: 1, Biases: decoder.QueryKeyValue,
		Scale: float32(1 / math.Sqrt(float64(hidden/heads))), Rotary: decoder.Rotary{Theta: 1e6},
	}
}

func gemma(hidden, layers, heads, kvHeads, dim, mlp, vocab, positions int) decoder.Config {
	return decoder.Config{
		Hidden: hidden, Layers: layers, Heads: heads, KVHeads: kvHeads, HeadDim: dim, MLP: mlp,
		Vocab: vocab, MaxPositions: positions, Eps: 1e-6, Activation: decoder.GELUTanh,
		EmbeddingScale: float32(math.Sqrt(float64(hidden))), TiedHead: true, NormOffset: 1,
		Scale: float32(1 / math.Sqrt(float64(dim))), Rotary: decoder.Rotary{Theta: 1e4},
	}
}

// presetNames are the names of all presets.
func presetNames() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, presetPrefix+p.name)
	}
	return names
}

// findPreset is the preset that a name stands for.
func findPreset(name string) (preset, error) {
	names := presetNames()
	i := slices.Index(names, name)
	if i < 0 {
		return preset{}, fmt.Errorf("model %q: no such preset of random weights; presets: %s", name, strings.Join(names, ", "))
	}
	return presets()[i], nil
}

// PresetGrids are the grids of a preset's tower: the one that its position table is for,
// and the one that every image comes to when it is made that size; the zero grid where
// images keep their own.
func PresetGrids(name string, size ImageSize) (trained, fed posembed.Grid, err error) {
	p, err := findPreset(name)
	if err != nil || size.Native {
		return p.tower.Trained, fed, err
	}
	if size == (ImageSize{}) {
		size.Height, size.Width = p.served, p.served
	}
	return p.tower.Trained, posembed.Grid{Rows: size.Height / p.tower.Patch, Cols: size.Width / p.tower.Patch}, nil
}

// IsPreset reports whether a name is meant as that of a preset.
func IsPreset(name string) bool { return strings.HasPrefix(name, presetPrefix) }

// openPreset makes a model with random weights.
func openPreset(name string, o Options) (*Model, error) {
	p, err := findPreset(name)
	if err != nil {
		return nil, err
	}
	return p.open(name, o)
}

func (p preset) open(name string, o Options) (*Model, error) {
	m := &Model{name: name, maxImages: p.maxImages, tokenizer: tokenizer.NewTiny(), processor: p.processor()}
	m.spoken = m.tokenizer.VocabSize()
	m.arch = architecture{
		tower:      p.tower,
		projector:  projector.Config{Kind: p.projector, Vision: p.tower.FeatureSize(), Hidden: p.decoder.Hidden, Bias: true},
		decoder:    p.decoder,
		imageToken: m.tokenizer.ImageToken(),
		prompt:     p.prompt,
	}
	m.device = cpu.New(cpu.Options{Threads: o.Threads, Arithmetic: o.Arithmetic})
	d := newDraw(p, o.Seed, m.device)
	if err := m.load(d, d.finish, o); err != nil {
		m.Close()
		return nil, err
	}
	m.bytes = d.bytes
	return m, nil
}

// processor prepares images as SigLIP's does.
func (p preset) processor() *imageprep.Processor {
	const half = 0.5
	return &imageprep.Processor{
		Resize: true, Size: imageprep.Size{Height: p.served, Width: p.served}, Filter: imageprep.Bicubic,
		Rescale: true, Factor: 1. / 255,
		Normalize: true, Mean: [3]float64{half, half, half}, Std: [3]float64{half, half, half},
	}
}
