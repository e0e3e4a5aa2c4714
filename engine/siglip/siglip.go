// Package siglip computes the features of a SigLIP vision tower, as transformers'
// SiglipVisionModel does without its pooling head: patches, positions, pre-norm
// blocks with biases, a last norm.
//
// The position table is resampled to the image's grid again for every image: that
// computation is what this project measures, so nothing of it is kept here. A
// posembed.Resampler keeps what its mode says.
package siglip

import (
	"fmt"
	"time"

	"siglab/engine/tensor"
	"siglab/posembed"
)

// Ops are the operations that a tower is made of; cpu.Device states their shapes.
type Ops interface {
	Linear(y, x []float32, w tensor.Matrix, bias []float32)
	LinearAdd(y, x []float32, w tensor.Matrix, bias []float32)
	LayerNorm(y, x, weight, bias []float32, eps float64)
	Attention(out, q, k, v []float32, heads, dim int)
	GELUTanh(x []float32)
}

// Config is a tower's shape.
type Config struct {
	Hidden  int           // values of a position; a multiple of Heads
	Layers  int           // blocks
	Heads   int           // attention heads of a block
	MLP     int           // hidden values of a block's MLP
	Patch   int           // pixels of a patch's side
	Trained posembed.Grid // grid of the position table
}

// eps is SigLIP's layer_norm_eps.
const eps = 1e-6

// channels of an image: red, green, blue.
const channels = 3

// Tower is a vision tower. It is not safe for concurrent use: it keeps its
// intermediate values from image to image.
type Tower struct {
	config    Config
	weights   *Weights
	ops       Ops
	positions *posembed.Resampler

	patches                      []float32 // [patches, 3·Patch²]
	normed, query, key, val, att []float32 // [patches, Hidden]
	mlp                          []float32 // [patches, MLP]
}

// New binds weights, which must not change afterwards, to the operations that
// compute with them. The position table is resampled in the given mode. The error
// names the first tensor whose size is not the configuration's.
func New(c Config, w *Weights, mode posembed.Mode, ops Ops) (*Tower, error) {
	if err := w.check(c); err != nil {
		return nil, fmt.Errorf("vision tower: %w", err)
	}
	positions, err := posembed.NewResampler(mode, w.Positions, c.Trained, c.Hidden)
	if err != nil {
		return nil, fmt.Errorf("vision tower: %w", err)
	}
	return &Tower{config: c, weights: w, ops: ops, positions: positions}, nil
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

// Forward is the features [patches, Hidden] of an image with the given normalised
// pixels [3, height, width], patches row by row. Pixels at the right and lower edge
// that fill no patch are ignored. The features belong to the caller.
func (t *Tower) Forward(pixels []float32, height, width int) ([]float32, Resample, error) {
	grid, err := t.grid(pixels, height, width)
	if err != nil {
		return nil, Resample{}, err
	}
	x := make([]float32, grid.Len()*t.config.Hidden)
	resample, err := t.resample(x, grid)
	if err != nil {
		return nil, Resample{}, err
	}
	t.reserve(grid.Len())
	unfold(t.patches, pixels, height, width, t.config.Patch)
	t.ops.LinearAdd(x, t.patches, t.weights.Patch, t.weights.PatchBias)
	for i := range t.weights.Blocks {
		t.block(x, &t.weights.Blocks[i])
	}
	t.ops.LayerNorm(x, x, t.weights.PostNorm, t.weights.PostNormBias, eps)
	return x, resample, nil
}

// grid is an image's grid of patches.
func (t *Tower) grid(pixels []float32, height, width int) (posembed.Grid, error) {
	patch := t.config.Patch
	if height < patch || width < patch {
		return posembed.Grid{}, fmt.Errorf("image of %dx%d pixels (height x width): want at least one patch of %dx%d", height, width, patch, patch)
	}
	if want := channels * height * width; len(pixels) != want {
		return posembed.Grid{}, fmt.Errorf("image of %dx%d pixels (height x width) has %d values: want %d, three for each", height, width, len(pixels), want)
	}
	return posembed.Grid{Rows: height / patch, Cols: width / patch}, nil
}

// resample writes the position table for the grid to x [patches, Hidden] and
// measures how long that takes.
func (t *Tower) resample(x []float32, grid posembed.Grid) (Resample, error) {
	start := time.Now()
	err := t.positions.Resample(x, grid)
	return Resample{
		Mode:    t.positions.Mode(),
		From:    t.config.Trained,
		To:      grid,
		Took:    time.Since(start),
		Skipped: t.positions.Identity(grid),
	}, err
}
