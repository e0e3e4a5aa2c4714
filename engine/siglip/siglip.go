// Package siglip computes SigLIP's towers, as transformers' SiglipVisionModel,
// Siglip2VisionModel (NaFlex) and SiglipTextModel do: embeddings with learned
// positions, pre-norm blocks with biases in which every position sees every other, a
// last norm, and a head.
//
// The position table is resampled to the image's grid again for every image: that
// computation is what this project measures, so nothing of it is kept here. A
// posembed.Resampler keeps what its mode says.
package siglip

import (
	"fmt"
	"time"

	"siglab/posembed"
)

// Tower is a vision tower. It is not safe for concurrent use: it keeps its
// intermediate values from image to image.
type Tower struct {
	encoder
	config    Config
	weights   *Weights
	positions *posembed.Resampler

	unfolded []float32 // [patches, 3·Patch²]
}

// New binds loaded weights, which must not change afterwards, to the operations that
// compute with them. The position table is resampled in the given mode.
func New(c Config, w *Weights, mode posembed.Mode, ops Ops) (*Tower, error) {
	positions, err := posembed.NewResampler(mode, w.Positions, c.Trained, c.Hidden)
	if err != nil {
		return nil, fmt.Errorf("vision tower: %w", err)
	}
	return &Tower{
		encoder:   encoder{shape: shape{c.Hidden, c.Layers, c.Heads, c.MLP, c.Activation, c.Eps}, ops: ops},
		config:    c,
		weights:   w,
		positions: positions,
	}, nil
}

// PositionCaches counts what was asked of the caches of the position table: plans, and
// results where the mode keeps them. It may be called at any time.
func (t *Tower) PositionCaches() (plans, results posembed.CacheStats) { return t.positions.Stats() }

// Resample says how the position table came to an image's grid.
type Resample struct {
	Mode     posembed.Mode
	From, To posembed.Grid
	Took     time.Duration
	Skipped  bool // the table was copied: it was trained for this grid, in a mode that keeps it
}

// Output is all that a tower computes of an image.
type Output struct {
	States   [][]float32 // [Layers+1] of [rows, Hidden]: the embeddings, then the output of each block
	Last     []float32   // [rows, Hidden], the last norm's output
	Pooled   []float32   // [Hidden], the head's; nil without a head
	Resample Resample
}

// Features is the features [patches, FeatureSize] of an image without padding, as
// Config.States says. They belong to the caller.
func (t *Tower) Features(p Patches) ([]float32, Resample, error) {
	states, resample, err := t.run(p, t.config.States)
	if err != nil {
		return nil, Resample{}, err
	}
	if len(t.config.States) == 0 {
		last := states[0]
		t.ops.LayerNorm(last, last, t.weights.PostNorm, t.weights.PostNormBias, t.eps)
		return last, resample, nil
	}
	return sideBySide(states, t.hidden), resample, nil
}

// Encode is everything of an image. The tower must have been loaded without States.
// Padded rows see the patches and are not seen, as in transformers; their embeddings
// have the position of the first patch.
func (t *Tower) Encode(p Patches) (Output, error) {
	all := make([]int, t.config.Layers+1)
	for i := range all {
		all[i] = i
	}
	states, resample, err := t.run(p, all)
	if err != nil {
		return Output{}, err
	}
	last := make([]float32, len(states[0]))
	t.ops.LayerNorm(last, states[t.config.Layers], t.weights.PostNorm, t.weights.PostNormBias, t.eps)
	out := Output{States: states, Last: last, Resample: resample}
	if t.weights.Head != nil {
		out.Pooled = t.pool(last[:p.Grid.Len()*t.hidden])
	}
	return out, nil
}

// run computes the hidden states with the given numbers, [rows, Hidden] each; without
// any, the last one.
func (t *Tower) run(p Patches, wanted []int) ([][]float32, Resample, error) {
	x, resample, err := t.embed(p)
	if err != nil {
		return nil, Resample{}, err
	}
	if len(wanted) == 0 {
		for i := range t.weights.Blocks {
			t.block(x, &t.weights.Blocks[i], p.Grid.Len())
		}
		return [][]float32{x}, resample, nil
	}
	states := make([][]float32, len(wanted))
	for i := 0; ; i++ {
		for k, w := range wanted {
			if w == i {
				states[k] = append([]float32(nil), x...)
			}
		}
		if i == len(t.weights.Blocks) {
			return states, resample, nil
		}
		t.block(x, &t.weights.Blocks[i], p.Grid.Len())
	}
}

// embed is the embeddings [rows, Hidden]: patches and positions.
func (t *Tower) embed(p Patches) ([]float32, Resample, error) {
	size, patches := channels*t.config.Patch*t.config.Patch, p.Grid.Len()
	rows := len(p.Values) / size
	if p.Grid.Rows < 1 || p.Grid.Cols < 1 || rows < patches || len(p.Values)%size != 0 {
		return nil, Resample{}, fmt.Errorf("%d pixel values for a grid of %v patches: want %d for each of at least %d patches", len(p.Values), p.Grid, size, max(1, patches))
	}
	x := make([]float32, rows*t.hidden)
	start := time.Now()
	err := t.positions.Resample(x[:patches*t.hidden], p.Grid)
	resample := Resample{
		Mode:    t.positions.Mode(),
		From:    t.config.Trained,
		To:      p.Grid,
		Took:    time.Since(start),
		Skipped: t.positions.Identity(p.Grid),
	}
	if err != nil {
		return nil, Resample{}, err
	}
	for r := patches; r < rows; r++ {
		copy(x[r*t.hidden:][:t.hidden], x[:t.hidden])
	}
	t.ops.LinearAdd(x, p.Values, t.weights.Patch, t.weights.PatchBias)
	return x, resample, nil
}

// pool is the head's output [Hidden] for the last norm's output x [patches, Hidden]:
//
//	y = attention(probe, x);  y + mlp(norm(y))
func (t *Tower) pool(x []float32) []float32 {
	h, hidden := t.weights.Head, t.hidden
	query, attended, pooled := make([]float32, hidden), make([]float32, hidden), make([]float32, hidden)
	t.reserve(len(x) / hidden)
	t.ops.Linear(query, h.Probe, h.Query, h.QueryBias)
	t.ops.Linear(t.key, x, h.Key, h.KeyBias)
	t.ops.Linear(t.val, x, h.Value, h.ValueBias)
	t.attend(attended, query, t.key, t.val, len(x)/hidden)
	t.ops.Linear(pooled, attended, h.Out, h.OutBias)
	t.ops.LayerNorm(query, pooled, h.Norm, h.NormBias, t.eps)
	t.mlpAdd(pooled, query, &h.MLP)
	return pooled
}

// sideBySide joins states [rows, hidden] to [rows, len(states)·hidden].
func sideBySide(states [][]float32, hidden int) []float32 {
	if len(states) == 1 {
		return states[0]
	}
	joined := make([]float32, 0, len(states)*len(states[0]))
	for r := 0; r < len(states[0]); r += hidden {
		for _, s := range states {
			joined = append(joined, s[r:][:hidden]...)
		}
	}
	return joined
}
