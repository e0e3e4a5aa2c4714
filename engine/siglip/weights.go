package siglip

import (
	"fmt"

	"siglab/engine/tensor"
)

// Source hands out the tensors of a checkpoint by name. weights.Loader does; it
// collects what is missing or misshapen, so that nothing is checked here.
type Source interface {
	Vector(name string, shape ...int) []float32
	Matrix(name string, out int, in ...int) tensor.Matrix
	Rows(name string, total, in, first, count int) tensor.Matrix
}

// Weights are a vision tower's tensors. Matrices are named with their shape in the
// checkpoint, [out, in].
type Weights struct {
	Patch     tensor.Matrix // [Hidden, 3·Patch²], inputs in the order of Config.Order
	PatchBias []float32     // [Hidden]
	Positions []float32     // [Trained.Rows, Trained.Cols, Hidden]

	PostNorm, PostNormBias []float32 // [Hidden]; nil if States leave it out

	Blocks []Block
	Head   *Head // nil if there is none
}

// Block are one block's tensors.
type Block struct {
	AttentionNorm, AttentionNormBias []float32     // [Hidden]
	Query, Key, Value, Out           tensor.Matrix // [Hidden, Hidden]
	QueryBias, KeyBias               []float32     // [Hidden]
	ValueBias, OutBias               []float32     // [Hidden]

	MLPNorm, MLPNormBias []float32 // [Hidden]
	MLP                  MLP
}

// MLP is a layer up, an activation, a layer down.
type MLP struct {
	Up       tensor.Matrix // [MLP, Hidden]
	UpBias   []float32     // [MLP]
	Down     tensor.Matrix // [Hidden, MLP]
	DownBias []float32     // [Hidden]
}

// Head are the tensors of the attention-pooling head: one learned query looks at all
// positions.
type Head struct {
	Probe                  []float32     // [Hidden]
	Query, Key, Value, Out tensor.Matrix // [Hidden, Hidden]
	QueryBias, KeyBias     []float32     // [Hidden]
	ValueBias, OutBias     []float32     // [Hidden]
	Norm, NormBias         []float32     // [Hidden]
	MLP                    MLP
}

// Load takes a vision tower out of a source, by the names that transformers gives its
// tensors, behind a prefix such as "vision_tower.".
func Load(s Source, c Config, prefix string) *Weights {
	w := &Weights{}
	if c.Order == ByPixel {
		w.Patch = s.Matrix(prefix+"embeddings.patch_embedding.weight", c.Hidden, channels*c.Patch*c.Patch)
	} else {
		w.Patch = s.Matrix(prefix+"embeddings.patch_embedding.weight", c.Hidden, channels, c.Patch, c.Patch)
	}
	w.PatchBias = s.Vector(prefix+"embeddings.patch_embedding.bias", c.Hidden)
	w.Positions = s.Vector(prefix+"embeddings.position_embedding.weight", c.Trained.Len(), c.Hidden)
	if len(c.States) == 0 {
		w.PostNorm = s.Vector(prefix+"post_layernorm.weight", c.Hidden)
		w.PostNormBias = s.Vector(prefix+"post_layernorm.bias", c.Hidden)
	}
	w.Blocks = loadBlocks(s, prefix, c.Blocks(), c.Hidden, c.MLP)
	if c.Head {
		w.Head = loadHead(s, prefix+"head.", c.Hidden, c.MLP)
	}
	return w
}

func loadBlocks(s Source, prefix string, n, hidden, mlp int) []Block {
	blocks := make([]Block, n)
	for i := range blocks {
		p := fmt.Sprintf("%sencoder.layers.%d.", prefix, i)
		attention := p + "self_attn."
		blocks[i] = Block{
			AttentionNorm:     s.Vector(p+"layer_norm1.weight", hidden),
			AttentionNormBias: s.Vector(p+"layer_norm1.bias", hidden),
			Query:             s.Matrix(attention+"q_proj.weight", hidden, hidden),
			QueryBias:         s.Vector(attention+"q_proj.bias", hidden),
			Key:               s.Matrix(attention+"k_proj.weight", hidden, hidden),
			KeyBias:           s.Vector(attention+"k_proj.bias", hidden),
			Value:             s.Matrix(attention+"v_proj.weight", hidden, hidden),
			ValueBias:         s.Vector(attention+"v_proj.bias", hidden),
			Out:               s.Matrix(attention+"out_proj.weight", hidden, hidden),
			OutBias:           s.Vector(attention+"out_proj.bias", hidden),
			MLPNorm:           s.Vector(p+"layer_norm2.weight", hidden),
			MLPNormBias:       s.Vector(p+"layer_norm2.bias", hidden),
			MLP:               loadMLP(s, p+"mlp.", hidden, mlp),
		}
	}
	return blocks
}

func loadMLP(s Source, prefix string, hidden, mlp int) MLP {
	return MLP{
		Up:       s.Matrix(prefix+"fc1.weight", mlp, hidden),
		UpBias:   s.Vector(prefix+"fc1.bias", mlp),
		Down:     s.Matrix(prefix+"fc2.weight", hidden, mlp),
		DownBias: s.Vector(prefix+"fc2.bias", hidden),
	}
}

// loadHead takes the head's tensors. Its attention is torch's, which keeps query, key
// and value in one tensor.
func loadHead(s Source, prefix string, hidden, mlp int) *Head {
	h := &Head{
		Probe:    s.Vector(prefix+"probe", 1, 1, hidden),
		Query:    s.Rows(prefix+"attention.in_proj_weight", 3*hidden, hidden, 0, hidden),
		Key:      s.Rows(prefix+"attention.in_proj_weight", 3*hidden, hidden, hidden, hidden),
		Value:    s.Rows(prefix+"attention.in_proj_weight", 3*hidden, hidden, 2*hidden, hidden),
		Out:      s.Matrix(prefix+"attention.out_proj.weight", hidden, hidden),
		OutBias:  s.Vector(prefix+"attention.out_proj.bias", hidden),
		Norm:     s.Vector(prefix+"layernorm.weight", hidden),
		NormBias: s.Vector(prefix+"layernorm.bias", hidden),
		MLP:      loadMLP(s, prefix+"mlp.", hidden, mlp),
	}
	if bias := s.Vector(prefix+"attention.in_proj_bias", 3*hidden); bias != nil {
		h.QueryBias, h.KeyBias, h.ValueBias = bias[:hidden], bias[hidden:2*hidden], bias[2*hidden:]
	}
	return h
}
