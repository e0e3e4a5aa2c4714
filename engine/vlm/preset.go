package vlm

import (
	"siglab/engine/decoder"
	"siglab/engine/siglip"
	"siglab/posembed"
)

// preset is a model's shape, with the scales of its random weights.
type preset struct {
	name      string
	tower     siglip.Config
	decoder   decoder.Config
	served    posembed.Grid // of the images
	maxImages int           // in a prompt
	scales    scales
}

// presets are all shapes that come with random weights.
func presets() []preset {
	return []preset{{
		name: "tiny",
		tower: siglip.Config{
			Hidden: 64, Layers: 3, Heads: 4, MLP: 256, Patch: 16,
			Trained: posembed.Grid{Rows: 8, Cols: 8},
		},
		decoder: decoder.Config{
			Hidden: 96, Layers: 2, Heads: 4, KVHeads: 2, MLP: 256,
			Vocab: 1024, MaxPositions: 2048,
		},
		served:    posembed.Grid{Rows: 12, Cols: 12},
		maxImages: 4,
		scales:    tinyScales(),
	}}
}
