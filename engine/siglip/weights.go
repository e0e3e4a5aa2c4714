package siglip

import (
	"fmt"

	"siglab/engine/tensor"
)

// Weights are a tower's tensors, matrices as [outputs, inputs], packed by the device
// that the tower computes with.
type Weights struct {
	Patch     tensor.Matrix // [Hidden, 3·Patch²], inputs by channel, row, column
	PatchBias []float32     // [Hidden]
	Positions []float32     // [Trained.Rows, Trained.Cols, Hidden]

	Blocks []Block // [Layers]

	PostNorm, PostNormBias []float32 // [Hidden]
}

// Block are one block's tensors.
type Block struct {
	AttentionNorm, AttentionNormBias []float32     // [Hidden]
	Query, Key, Value, Out           tensor.Matrix // [Hidden, Hidden]
	QueryBias, KeyBias               []float32     // [Hidden]
	ValueBias, OutBias               []float32     // [Hidden]

	MLPNorm, MLPNormBias []float32     // [Hidden]
	Up                   tensor.Matrix // [MLP, Hidden]
	UpBias               []float32     // [MLP]
	Down                 tensor.Matrix // [Hidden, MLP]
	DownBias             []float32     // [Hidden]
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
	if c.Heads < 1 || c.Hidden%c.Heads != 0 {
		return fmt.Errorf("%d values do not split into %d heads", c.Hidden, c.Heads)
	}
	if c.Patch < 1 {
		return fmt.Errorf("patches of %d pixels: want at least 1", c.Patch)
	}
	if len(w.Blocks) != c.Layers {
		return fmt.Errorf("weights have %d blocks, want %d", len(w.Blocks), c.Layers)
	}
	matrices := []matrix{{"Patch", w.Patch, c.Hidden, channels * c.Patch * c.Patch}}
	vectors := []vector{
		{"PatchBias", w.PatchBias, c.Hidden},
		{"Positions", w.Positions, c.Trained.Len() * c.Hidden},
		{"PostNorm", w.PostNorm, c.Hidden},
		{"PostNormBias", w.PostNormBias, c.Hidden},
	}
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
	return []matrix{
		{prefix + "Query", b.Query, c.Hidden, c.Hidden},
		{prefix + "Key", b.Key, c.Hidden, c.Hidden},
		{prefix + "Value", b.Value, c.Hidden, c.Hidden},
		{prefix + "Out", b.Out, c.Hidden, c.Hidden},
		{prefix + "Up", b.Up, c.MLP, c.Hidden},
		{prefix + "Down", b.Down, c.Hidden, c.MLP},
	}
}

// vectors lists a block's, their names after the prefix.
func (b *Block) vectors(c Config, prefix string) []vector {
	return []vector{
		{prefix + "AttentionNorm", b.AttentionNorm, c.Hidden},
		{prefix + "AttentionNormBias", b.AttentionNormBias, c.Hidden},
		{prefix + "QueryBias", b.QueryBias, c.Hidden},
		{prefix + "KeyBias", b.KeyBias, c.Hidden},
		{prefix + "ValueBias", b.ValueBias, c.Hidden},
		{prefix + "OutBias", b.OutBias, c.Hidden},
		{prefix + "MLPNorm", b.MLPNorm, c.Hidden},
		{prefix + "MLPNormBias", b.MLPNormBias, c.Hidden},
		{prefix + "UpBias", b.UpBias, c.MLP},
		{prefix + "DownBias", b.DownBias, c.Hidden},
	}
}
