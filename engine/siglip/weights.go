package siglip

import "fmt"

// Weights are a tower's tensors, matrices as [inputs, outputs]: the transpose of
// what checkpoints hold.
type Weights struct {
	Patch     []float32 // [3·Patch², Hidden], inputs by channel, row, column
	PatchBias []float32 // [Hidden]
	Positions []float32 // [Trained.Rows, Trained.Cols, Hidden]

	Blocks []Block // [Layers]

	PostNorm, PostNormBias []float32 // [Hidden]
}

// Block are one block's tensors.
type Block struct {
	AttentionNorm, AttentionNormBias []float32 // [Hidden]
	Query, Key, Value, Out           []float32 // [Hidden, Hidden]
	QueryBias, KeyBias               []float32 // [Hidden]
	ValueBias, OutBias               []float32 // [Hidden]

	MLPNorm, MLPNormBias []float32 // [Hidden]
	Up                   []float32 // [Hidden, MLP]
	UpBias               []float32 // [MLP]
	Down                 []float32 // [MLP, Hidden]
	DownBias             []float32 // [Hidden]
}

// tensor is a slice with the name and the size that it should have.
type tensor struct {
	name   string
	values []float32
	size   int
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
	tensors := []tensor{
		{"Patch", w.Patch, channels * c.Patch * c.Patch * c.Hidden},
		{"PatchBias", w.PatchBias, c.Hidden},
		{"Positions", w.Positions, c.Trained.Len() * c.Hidden},
		{"PostNorm", w.PostNorm, c.Hidden},
		{"PostNormBias", w.PostNormBias, c.Hidden},
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
	square := c.Hidden * c.Hidden
	return []tensor{
		{prefix + "AttentionNorm", b.AttentionNorm, c.Hidden},
		{prefix + "AttentionNormBias", b.AttentionNormBias, c.Hidden},
		{prefix + "Query", b.Query, square},
		{prefix + "QueryBias", b.QueryBias, c.Hidden},
		{prefix + "Key", b.Key, square},
		{prefix + "KeyBias", b.KeyBias, c.Hidden},
		{prefix + "Value", b.Value, square},
		{prefix + "ValueBias", b.ValueBias, c.Hidden},
		{prefix + "Out", b.Out, square},
		{prefix + "OutBias", b.OutBias, c.Hidden},
		{prefix + "MLPNorm", b.MLPNorm, c.Hidden},
		{prefix + "MLPNormBias", b.MLPNormBias, c.Hidden},
		{prefix + "Up", b.Up, c.Hidden * c.MLP},
		{prefix + "UpBias", b.UpBias, c.MLP},
		{prefix + "Down", b.Down, c.MLP * c.Hidden},
		{prefix + "DownBias", b.DownBias, c.Hidden},
	}
}
