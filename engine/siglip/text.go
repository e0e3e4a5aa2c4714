package siglip

import (
	"fmt"

	"siglab/engine/modelconfig"
	"siglab/engine/tensor"
)

// TextConfig is a text tower's shape.
type TextConfig struct {
	Hidden     int        // values of a position; a multiple of Heads
	Layers     int        // blocks
	Heads      int        // attention heads of a block
	MLP        int        // hidden values of a block's MLP
	Activation Activation // of the MLPs
	Eps        float64    // of the norms
	Vocab      int        // tokens
	Length     int        // positions; SigLIP was trained with texts padded to all of them
	Projection int        // values of the result
	Pad        int        // the token that fills texts up
}

// ParseTextConfig reads the configuration of a SiglipTextModel or Siglip2TextModel,
// with transformers' defaults. What is wrong is in the object's Err.
func ParseTextConfig(o *modelconfig.Object) TextConfig {
	o.OneOf("model_type", "siglip_text_model", "siglip_text_model", "siglip2_text_model")
	s := parseShape(o)
	c := TextConfig{
		Hidden: s.hidden, Layers: s.layers, Heads: s.heads, MLP: s.mlp, Activation: s.activation, Eps: s.eps,
		Vocab:      o.Int("vocab_size", 32000, 1, 1<<24),
		Length:     o.Int("max_position_embeddings", 64, 1, maxSide),
		Projection: o.Int("projection_size", s.hidden, 1, maxHidden),
	}
	c.Pad = o.Int("pad_token_id", 1, 0, max(0, c.Vocab-1))
	return c
}

// TextWeights are a text tower's tensors.
type TextWeights struct {
	Tokens                   tensor.Matrix // [Vocab, Hidden]
	Positions                []float32     // [Length, Hidden]
	Blocks                   []Block       // [Layers]
	FinalNorm, FinalNormBias []float32     // [Hidden]
	Head                     tensor.Matrix // [Projection, Hidden]
	HeadBias                 []float32     // [Projection]
}

// LoadText takes a text tower out of a source, by the names behind a prefix such as
// "text_model.".
func LoadText(s Source, c TextConfig, prefix string) *TextWeights {
	return &TextWeights{
		Tokens:        s.Matrix(prefix+"embeddings.token_embedding.weight", c.Vocab, c.Hidden),
		Positions:     s.Vector(prefix+"embeddings.position_embedding.weight", c.Length, c.Hidden),
		Blocks:        loadBlocks(s, prefix, c.Layers, c.Hidden, c.MLP),
		FinalNorm:     s.Vector(prefix+"final_layer_norm.weight", c.Hidden),
		FinalNormBias: s.Vector(prefix+"final_layer_norm.bias", c.Hidden),
		Head:          s.Matrix(prefix+"head.weight", c.Projection, c.Hidden),
		HeadBias:      s.Vector(prefix+"head.bias", c.Projection),
	}
}

// Text is a text tower. It is not safe for concurrent use.
type Text struct {
	encoder
	config  TextConfig
	weights *TextWeights
}

// NewText binds loaded weights to the operations that compute with them.
func NewText(c TextConfig, w *TextWeights, ops Ops) *Text {
	return &Text{
		encoder: encoder{shape: shape{c.Hidden, c.Layers, c.Heads, c.MLP, c.Activation, c.Eps}, ops: ops},
		config:  c,
		weights: w,
	}
}

// Length is the number of tokens that texts are filled up to.
func (t *Text) Length() int { return t.config.Length }

// Encode is the result [Projection] for a text's tokens: the last position of the
// text, filled up to Length, through a linear layer. The error names a text that is
// too long or a token that the vocabulary has not.
func (t *Text) Encode(tokens []int) ([]float32, error) {
	c, hidden := t.config, t.config.Hidden
	if len(tokens) > c.Length {
		return nil, fmt.Errorf("text of %d tokens: the text tower takes at most %d", len(tokens), c.Length)
	}
	x := make([]float32, c.Length*hidden)
	for i := range c.Length {
		token := c.Pad
		if i < len(tokens) {
			token = tokens[i]
		}
		if token < 0 || token >= c.Vocab {
			return nil, fmt.Errorf("token %d: the text tower's vocabulary has 0 to %d", token, c.Vocab-1)
		}
		row := x[i*hidden:][:hidden]
		t.ops.Row(row, t.weights.Tokens, token)
		for k, p := range t.weights.Positions[i*hidden:][:hidden] {
			row[k] += p
		}
	}
	for i := range t.weights.Blocks {
		t.block(x, &t.weights.Blocks[i], c.Length)
	}
	last := x[len(x)-hidden:]
	t.ops.LayerNorm(last, last, t.weights.FinalNorm, t.weights.FinalNormBias, c.Eps)
	pooled := make([]float32, c.Projection)
	t.ops.Linear(pooled, last, t.weights.Head, t.weights.HeadBias)
	return pooled, nil
}
