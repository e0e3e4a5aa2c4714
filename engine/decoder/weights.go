package decoder

import (
	"fmt"

	"siglab/engine/tensor"
)

// Weights are a decoder's tensors, matrices as [outputs, inputs], packed by the device
// that the decoder computes with.
type Weights struct {
	Embeddings tensor.Matrix // [Vocab, Hidden]
	Blocks     []Block       // [Layers]
	Norm       []float32     // [Hidden]
	Head       tensor.Matrix // [Vocab, Hidden]; not tied to the embeddings
}

// Block are one block's tensors. KV is KVHeads·HeadDim.
type Block struct {
	AttentionNorm      []float32     // [Hidden]
	Query              tensor.Matrix // [Hidden, Hidden]
	QueryBias          []float32     // [Hidden]
	Key, Value         tensor.Matrix // [KV, Hidden]
	KeyBias, ValueBias []float32     // [KV]
	Out                tensor.Matrix // [Hidden, Hidden]

	MLPNorm  []float32     // [Hidden]
	Gate, Up tensor.Matrix // [MLP, Hidden]
	Down     tensor.Matrix // [Hidden, MLP]
}

// vector is a slice with the name and the size that it should have.
type vector struct {
	name   string
	values []float32
	size   int
}

// matrix is a matrix with the name and the sides that it should have.
type matrix struct {
	name    string
	packed  tensor.Matrix
	out, in int
}

func (m matrix) check() error {
	if m.packed == nil {
		return fmt.Errorf("weights: %s is missing, want [%d, %d]", m.name, m.out, m.in)
	}
	if m.packed.Out() != m.out || m.packed.In() != m.in {
		return fmt.Errorf("weights: %s is [%d, %d], want [%d, %d]", m.name, m.packed.Out(), m.packed.In(), m.out, m.in)
	}
	return nil
}

// check reports the first tensor that has not the configuration's size.
func (w *Weights) check(c Config) error {
	if len(w.Blocks) != c.Layers {
		return fmt.Errorf("weights have %d blocks, want %d", len(w.Blocks), c.Layers)
	}
	matrices := []matrix{{"Embeddings", w.Embeddings, c.Vocab, c.Hidden}, {"Head", w.Head, c.Vocab, c.Hidden}}
	vectors := []vector{{"Norm", w.Norm, c.Hidden}}
	for i := range w.Blocks {
		prefix := fmt.Sprintf("Blocks[%d].", i)
		matrices = append(matrices, w.Blocks[i].matrices(c, prefix)...)
		vectors = append(vectors, w.Blocks[i].vectors(c, prefix)...)
	}
	for _, v := range vectors {
		if len(v.values) != v.size {
			return fmt.Errorf("weights: %s has %d values, want %d", v.name, len(v.values), v.size)
		}
	}
	for _, m := range matrices {
		if err := m.check(); err != nil {
			return err
		}
	}
	return nil
}

// matrices lists a block's, their names after the prefix.
func (b *Block) matrices(c Config, prefix string) []matrix {
	kv := c.KVHeads * c.headDim()
	return []matrix{
		{prefix + "Query", b.Query, c.Hidden, c.Hidden},
		{prefix + "Key", b.Key, kv, c.Hidden},
		{prefix + "Value", b.Value, kv, c.Hidden},
		{prefix + "Out", b.Out, c.Hidden, c.Hidden},
		{prefix + "Gate", b.Gate, c.MLP, c.Hidden},
		{prefix + "Up", b.Up, c.MLP, c.Hidden},
		{prefix + "Down", b.Down, c.Hidden, c.MLP},
	}
}

// vectors lists a block's, their names after the prefix.
func (b *Block) vectors(c Config, prefix string) []vector {
	kv := c.KVHeads * c.headDim()
	return []vector{
		{prefix + "AttentionNorm", b.AttentionNorm, c.Hidden},
		{prefix + "QueryBias", b.QueryBias, c.Hidden},
		{prefix + "KeyBias", b.KeyBias, kv},
		{prefix + "ValueBias", b.ValueBias, kv},
		{prefix + "MLPNorm", b.MLPNorm, c.Hidden},
	}
}
