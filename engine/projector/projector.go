// Package projector turns a vision tower's features into a decoder's inputs, as the
// published models do: LLaVA by two layers, PaliGemma by one, Gemma 3 by averaging
// neighbours and one.
package projector

import "siglab/engine/tensor"

// Ops are the operations that projectors are made of; cpu.Device states their shapes.
type Ops interface {
	Linear(y, x []float32, weight tensor.Matrix, bias []float32)
	RMSNorm(y, x, weight []float32, eps float64)
	GELU(x []float32)
	GELUTanh(x []float32)
}

// Source hands out the tensors of a checkpoint by name. weights.Loader does; it
// collects what is missing or misshapen, so that nothing is checked here.
type Source interface {
	Vector(name string, shape ...int) []float32
	Matrix(name string, out int, in ...int) tensor.Matrix
	Transposed(name string, in, out int) tensor.Matrix
}

// Config is a projector's kind and shape.
type Config struct {
	Kind       Kind
	Vision     int        // values of a feature
	Hidden     int        // values of a decoder's input
	Activation Activation // of TwoLayers
	Bias       bool       // of TwoLayers' layers
	Eps        float64    // of Pooled's norm
	Side       int        // of the square of features that Pooled averages, in features
}

// Kind is what a projector computes.
type Kind uint8

// The kinds.
const (
	TwoLayers Kind = iota // a layer, an activation, a layer: LLaVA
	OneLayer              // a layer with bias: PaliGemma
	Pooled                // averages of squares, a norm, a layer: Gemma 3
)

// Activation is the function between the layers of TwoLayers.
type Activation uint8

// The activations, with transformers' names.
const (
	GELU     Activation = iota // gelu, in its exact form with erf
	GELUTanh                   // gelu_pytorch_tanh
)

// Weights are a projector's tensors; those that its kind has not are nil. Matrices are
// named with their shape, [out, in].
type Weights struct {
	First     tensor.Matrix // [Hidden, Vision]
	FirstBias []float32     // [Hidden]
	Last      tensor.Matrix // [Hidden, Hidden]
	LastBias  []float32     // [Hidden]
	Norm      []float32     // [Vision]
}

// Load takes a projector out of a source, by the names that transformers gives its
// tensors, behind a prefix such as "multi_modal_projector.".
func Load(s Source, c Config, prefix string) *Weights {
	bias := func(name string) []float32 {
		if !c.Bias {
			return nil
		}
		return s.Vector(name, c.Hidden)
	}
	w := &Weights{}
	switch c.Kind {
	case TwoLayers:
		w.First, w.FirstBias = s.Matrix(prefix+"linear_1.weight", c.Hidden, c.Vision), bias(prefix+"linear_1.bias")
		w.Last, w.LastBias = s.Matrix(prefix+"linear_2.weight", c.Hidden, c.Hidden), bias(prefix+"linear_2.bias")
	case OneLayer:
		w.First, w.FirstBias = s.Matrix(prefix+"linear.weight", c.Hidden, c.Vision), s.Vector(prefix+"linear.bias", c.Hidden)
	case Pooled:
		w.First = s.Transposed(prefix+"mm_input_projection_weight", c.Vision, c.Hidden)
		w.Norm = s.Vector(prefix+"mm_soft_emb_norm.weight", c.Vision)
		for i := range w.Norm {
			w.Norm[i]++ // Gemma's norms multiply by 1 + weight
		}
	}
	return w
}

// Projector maps features of one width to another.
type Projector struct {
	config  Config
	weights *Weights
	ops     Ops
}

// New binds loaded weights to the operations that compute with them.
func New(c Config, w *Weights, ops Ops) *Projector {
	return &Projector{config: c, weights: w, ops: ops}
}

// Forward projects the features [rows, Vision] of an image to [tokens, Hidden], which
// belongs to the caller. cols is the width of the image's grid; Pooled makes a token
// of every whole square of Side by Side features, the others one of each.
func (p *Projector) Forward(features []float32, cols int) []float32 {
	c, w, ops := p.config, p.weights, p.ops
	if c.Kind == Pooled {
		features = average(features, cols, c.Vision, c.Side)
		ops.RMSNorm(features, features, w.Norm, c.Eps)
	}
	tokens := make([]float32, len(features)/c.Vision*c.Hidden)
	ops.Linear(tokens, features, w.First, w.FirstBias)
	if c.Kind != TwoLayers {
		return tokens
	}
	if c.Activation == GELUTanh {
		ops.GELUTanh(tokens)
	} else {
		ops.GELU(tokens)
	}
	y := make([]float32, len(tokens))
	ops.Linear(y, tokens, w.Last, w.LastBias)
	return y
}

// average is the mean of every square of side by side features of a grid x
// [rows, cols, dim]; a row or column that fills no square is left out.
func average(x []float32, cols, dim, side int) []float32 {
	rows := len(x) / dim / cols
	y := make([]float32, (rows/side)*(cols/side)*dim)
	scale := 1 / float32(side*side)
	for r := range rows / side * side {
		for c := range cols / side * side {
			to := y[((r/side)*(cols/side)+c/side)*dim:][:dim]
			for i, v := range x[(r*cols+c)*dim:][:dim] {
				to[i] += v
			}
		}
	}
	for i := range y {
		y[i] *= scale
	}
	return y
}
