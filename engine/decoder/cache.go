package decoder

import "siglab/engine/tensor"

// Cache holds the keys and values of one sequence, for every block. It is used by
// the decoder that made it, and never by two calls at a time.
type Cache struct {
	capacity, length int
	blocks           []tensor.KeyValues // [Layers]
}

// NewCache makes room for the given number of positions.
func (d *Decoder) NewCache(capacity int) *Cache {
	capacity = max(capacity, 0)
	c := &Cache{capacity: capacity, blocks: make([]tensor.KeyValues, d.config.Layers)}
	for i := range c.blocks {
		c.blocks[i] = d.ops.NewKeyValues(d.config.KVHeads, d.config.HeadDim, capacity)
	}
	return c
}

// Len is the number of positions that the cache holds.
func (c *Cache) Len() int { return c.length }

// Capacity is the number of positions that the cache has room for.
func (c *Cache) Capacity() int { return c.capacity }

// Reset empties the cache, to be used for another sequence.
func (c *Cache) Reset() { c.length = 0 }
