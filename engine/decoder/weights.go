package decoder

import (
	"fmt"

	"siglab/engine/tensor"
)

// Source hands out the tensors of a checkpoint by name. weights.Loader does; it
// collects what is missing or misshapen, so that nothing is checked here.
type Source interface {
	Vector(name string, shape ...int) []float32
	Matrix(name string, out int, in ...int) tensor.Matrix
}

// Weights are a decoder's tensors. Matrices are named with their shape in the
// checkpoint, [out, in].
type Weights struct {
	Embeddings tensor.Matrix // [Vocab, Hidden]
	Norm       []float32     // [Hidden]
	Head       tensor.Matrix // [Vocab, Hidden]; the embeddings if they are tied
	Blocks     []Block       // [Layers]
}

// Block are one block's tensors. Q is Heads·HeadDim, KV is KVHeads·HeadDim. A bias or
// norm that the configuration leaves out is nil.
type Block struct {
	AttentionNorm      []float32     // [Hidden]
	Query              tensor.Matrix // [Q, Hidden]
	QueryBias          []float32     // [Q]
	Key, Value         tensor.Matrix // [KV, Hidden]
	KeyBias, ValueBias []float32     // [KV]
	QueryNorm, KeyNorm []float32     // [HeadDim]
	Out                tensor.Matrix // [Hidden, Q]
	OutBias            []float32     // [Hidden]
	AttentionPostNorm  []float32     // [Hidden]

	MLPNorm          []float32     // [Hidden]
	Gate, Up         tensor.Matrix // [MLP, Hidden]
	GateBias, UpBias []float32     // [MLP]
	Down             tensor.Matrix // [Hidden, MLP]
	DownBias         []float32     // [Hidden]
	MLPPostNorm      []float32     // [Hidden]
}

// Load takes a decoder out of a source, by the names that transformers gives its
// tensors, the model's behind a prefix such as "language_model." and the head's alone.
func Load(s Source, c Config, prefix string) *Weights {
	l := loader{s, c}
	w := &Weights{
		Embeddings: s.Matrix(prefix+"embed_tokens.weight", c.Vocab, c.Hidden),
		Norm:       l.norm(prefix+"norm.weight", c.Hidden),
	}
	if w.Head = w.Embeddings; !c.TiedHead {
		w.Head = s.Matrix("lm_head.weight", c.Vocab, c.Hidden)
	}
	for i := range c.Layers {
		w.Blocks = append(w.Blocks, l.block(fmt.Sprintf("%slayers.%d.", prefix, i)))
	}
	return w
}

type loader struct {
	Source
	config Config
}

func (l loader) block(prefix string) Block {
	c, attention, mlp := l.config, prefix+"self_attn.", prefix+"mlp."
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	b := Block{
		AttentionNorm: l.norm(prefix+"input_layernorm.weight", c.Hidden),
		Query:         l.Matrix(attention+"q_proj.weight", q, c.Hidden),
		QueryBias:     l.bias(QueryKeyValue, attention+"q_proj.bias", q),
		Key:           l.Matrix(attention+"k_proj.weight", kv, c.Hidden),
		KeyBias:       l.bias(QueryKeyValue, attention+"k_proj.bias", kv),
		Value:         l.Matrix(attention+"v_proj.weight", kv, c.Hidden),
		ValueBias:     l.bias(QueryKeyValue, attention+"v_proj.bias", kv),
		Out:           l.Matrix(attention+"o_proj.weight", c.Hidden, q),
		OutBias:       l.bias(AttentionOut, attention+"o_proj.bias", c.Hidden),
	}
	if c.Norms == SandwichNorm {
		b.QueryNorm = l.norm(attention+"q_norm.weight", c.HeadDim)
		b.KeyNorm = l.norm(attention+"k_norm.weight", c.HeadDim)
		b.AttentionPostNorm = l.norm(prefix+"post_attention_layernorm.weight", c.Hidden)
		b.MLPNorm = l.norm(prefix+"pre_feedforward_layernorm.weight", c.Hidden)
		b.MLPPostNorm = l.norm(prefix+"post_feedforward_layernorm.weight", c.Hidden)
	} else {
		b.MLPNorm = l.norm(prefix+"post_attention_layernorm.weight", c.Hidden)
	}
	b.Gate = l.Matrix(mlp+"gate_proj.weight", c.MLP, c.Hidden)
	b.GateBias = l.bias(GatedMLP, mlp+"gate_proj.bias", c.MLP)
	b.Up = l.Matrix(mlp+"up_proj.weight", c.MLP, c.Hidden)
	b.UpBias = l.bias(GatedMLP, mlp+"up_proj.bias", c.MLP)
	b.Down = l.Matrix(mlp+"down_proj.weight", c.Hidden, c.MLP)
	b.DownBias = l.bias(GatedMLP, mlp+"down_proj.bias", c.Hidden)
	return b
}

// bias is nil where the configuration has none.
func (l loader) bias(which Biases, name string, n int) []float32 {
	if l.config.Biases&which == 0 {
		return nil
	}
	return l.Vector(name, n)
}

// norm is a norm's weights, with the offset added.
func (l loader) norm(name string, n int) []float32 {
	w := l.Vector(name, n)
	for i := range w {
		w[i] += l.config.NormOffset
	}
	return w
}
