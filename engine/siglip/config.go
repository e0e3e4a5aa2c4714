package siglip

import (
	"math"

	"siglab/engine/modelconfig"
	"siglab/posembed"
)

// Config is a vision tower's shape.
type Config struct {
	Hidden     int           // values of a position; a multiple of Heads
	Layers     int           // blocks of the checkpoint
	Heads      int           // attention heads of a block
	MLP        int           // hidden values of a block's MLP
	Activation Activation    // of the MLPs
	Eps        float64       // of the norms
	Patch      int           // pixels of a patch's side
	Order      PatchOrder    // of a patch's values
	Trained    posembed.Grid // grid of the position table
	Side       int           // pixels of the sides of the images that it was trained with; 0 of SigLIP2
	Head       bool          // whether there is an attention-pooling head

	// States, if there are any, are the hidden states that make up the features, side
	// by side: 0 is the embeddings, i the output of block i, which the last norm has
	// not seen. Blocks behind them are neither loaded nor computed. Without States the
	// features are the last norm's output.
	States []int
}

// Activation is the function between the two layers of an MLP.
type Activation uint8

// The activations, with transformers' names.
const (
	GELUTanh Activation = iota // gelu_pytorch_tanh
	GELU                       // gelu, in its exact form with erf
)

// PatchOrder is the order of the values of a patch, as the patch embedding reads them.
type PatchOrder uint8

// The orders.
const (
	ByChannel PatchOrder = iota // channel, row, column: SigLIP's convolution
	ByPixel                     // row, column, channel: SigLIP2's linear layer
)

// FeatureSize is the number of values of a position's features.
func (c Config) FeatureSize() int { return c.Hidden * max(1, len(c.States)) }

// Blocks is the number of blocks that are computed.
func (c Config) Blocks() int {
	if len(c.States) == 0 {
		return c.Layers
	}
	last := 0
	for _, s := range c.States {
		last = max(last, s)
	}
	return last
}

// The largest sizes that are believed; published towers are far smaller.
const (
	maxSide   = 1 << 16 // of an image in pixels
	maxHidden = 1 << 16
	maxMLP    = 1 << 20
	maxLayers = 1 << 10
)

// ParseConfig reads the configuration of a SiglipVisionModel or Siglip2VisionModel,
// with transformers' defaults. What is wrong is in the object's Err.
func ParseConfig(o *modelconfig.Object) Config {
	kind := o.OneOf("model_type", "siglip_vision_model", "siglip_vision_model", "siglip2_vision_model")
	c := Config{
		Patch: o.Int("patch_size", 16, 1, maxSide),
		Head:  o.Bool("vision_use_head", true),
	}
	shape := parseShape(o)
	c.Hidden, c.Layers, c.Heads, c.MLP, c.Activation, c.Eps = shape.hidden, shape.layers, shape.heads, shape.mlp, shape.activation, shape.eps
	if n := o.Int("num_channels", channels, 1, maxSide); n != channels {
		o.Reject("num_channels", "want 3: red, green, blue")
	}
	if kind == "siglip2_vision_model" {
		c.Order = ByPixel
		n := o.Int("num_patches", 256, 1, maxSide)
		side := int(math.Round(math.Sqrt(float64(n))))
		if side*side != n {
			o.Reject("num_patches", "want a square, the size of the position table")
		}
		c.Trained = posembed.Grid{Rows: side, Cols: side}
		return c
	}
	c.Side = o.Int("image_size", 224, 1, maxSide)
	if c.Patch > 0 {
		c.Trained = posembed.Grid{Rows: c.Side / c.Patch, Cols: c.Side / c.Patch}
	}
	if c.Trained.Rows < 1 {
		o.Reject("image_size", "want at least one patch of %d pixels", c.Patch)
	}
	return c
}

// shape is what vision and text towers have in common.
type shape struct {
	hidden, layers, heads, mlp int
	activation                 Activation
	eps                        float64
}

func parseShape(o *modelconfig.Object) shape {
	s := shape{
		hidden: o.Int("hidden_size", 768, 1, maxHidden),
		layers: o.Int("num_hidden_layers", 12, 1, maxLayers),
		heads:  o.Int("num_attention_heads", 12, 1, maxHidden),
		mlp:    o.Int("intermediate_size", 3072, 1, maxMLP),
		eps:    o.Float("layer_norm_eps", 1e-6),
	}
	if s.heads > 0 && s.hidden%s.heads != 0 {
		o.Reject("num_attention_heads", "hidden_size %d does not split into as many heads", s.hidden)
	}
	if o.OneOf("hidden_act", "gelu_pytorch_tanh", "gelu_pytorch_tanh", "gelu") == "gelu" {
		s.activation = GELU
	}
	return s
}
