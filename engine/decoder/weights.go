package decoder

import "fmt"

// Weights are a decoder's tensors, matrices as [inputs, outputs] (the transpose of
// what checkpoints hold) except the embeddings.
type Weights struct {
	Embeddings []float32 // [Vocab, Hidden]
	Blocks     []Block   // [Layers]
	Norm       []float32 // [Hidden]
	Head       []float32 // [Hidden, Vocab]; not tied to the embeddings
}

// Block are one block's tensors. KV is KVHeads·HeadDim.
type Block struct {
	AttentionNorm      []float32 // [Hidden]
	Query              []float32 // [Hidden, Hidden]
	QueryBias          []float32 // [Hidden]
	Key, Value         []float32 // [Hidden, KV]
	KeyBias, ValueBias []float32 // [KV]
	Out                []float32 // [Hidden, Hidden]

	MLPNorm  []float32 // [Hidden]
	Gate, Up []float32 // [Hidden, MLP]
	Down     []float32 // [MLP, Hidden]
}

// tensor is a slice with the name and the size that it should have.
type tensor struct {
	name   string
	values []float32
	size   int
}

// check reports the first tensor that has not the configuration's size.
func (w *Weights) check(c Config) error {
	if len(w.Blocks) != c.Layers {
		return fmt.Errorf("weights have %d blocks, want %d", len(w.Blocks), c.Layers)
	}
	tensors := []tensor{
		{"Embeddings", w.Embeddings, c.Vocab * c.Hidden},
		{"Norm", w.Norm, c.Hidden},
		{"Head", w.Head, c.Hidden * c.Vocab},
	}
	for i := range w.Blocks {
		tensors = append(tensors, w.Blocks[i].tensors(c, fmt.Sprintf("Blocks[%d].", i))...)
	}
	for _, t := range tensors {
		if len(t.values) != t.size {
			return fmt.Errorf("weights: %s has %d values, want %d", t.name, len(t.values), t.size)
		}
	}
	return nil
}

// tensors lists a block's, their names after the prefix.
func (b *Block) tensors(c Config, prefix string) []tensor {
	kv := c.KVHeads * c.headDim()
	return []tensor{
		{prefix + "AttentionNorm", b.AttentionNorm, c.Hidden},
		{prefix + "Query", b.Query, c.Hidden * c.Hidden},
		{prefix + "QueryBias", b.QueryBias, c.Hidden},
		{prefix + "Key", b.Key, c.Hidden * kv},
		{prefix + "KeyBias", b.KeyBias, kv},
		{prefix + "Value", b.Value, c.Hidden * kv},
		{prefix + "ValueBias", b.ValueBias, kv},
		{prefix + "Out", b.Out, c.Hidden * c.Hidden},
		{prefix + "MLPNorm", b.MLPNorm, c.Hidden},
		{prefix + "Gate", b.Gate, c.Hidden * c.MLP},
		{prefix + "Up", b.Up, c.Hidden * c.MLP},
		{prefix + "Down", b.Down, c.MLP * c.Hidden},
	}
}
