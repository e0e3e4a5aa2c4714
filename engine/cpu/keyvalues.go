package cpu

import "siglab/engine/tensor"

// keyValues are the keys and values [capacity, kvHeads, dim] of a sequence's block.
type keyValues struct {
	kvHeads, dim, capacity int
	keys, values           []float32 // [kvHeads, capacity, dim]
}

func (kv *keyValues) Capacity() int { return kv.capacity }

// NewKeyValues makes room for the keys and values of capacity positions, with kvHeads
// heads of dim values each. Its memory is allocated at once.
func (d *Device) NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues {
	size := kvHeads * dim * capacity
	return &keyValues{kvHeads, dim, capacity, make([]float32, size), make([]float32, size)}
}

// Store writes the keys and values [rows, kvHeads·dim] of the positions first,
// first+1, ….
func (d *Device) Store(kv tensor.KeyValues, keys, values []float32, first int) {
	s := kv.(*keyValues)
	width := s.kvHeads * s.dim
	for r := range len(keys) / width {
		for head := range s.kvHeads {
			to, from := (head*s.capacity+first+r)*s.dim, r*width+head*s.dim
			copy(s.keys[to:][:s.dim], keys[from:])
			copy(s.values[to:][:s.dim], values[from:])
		}
	}
}
