package decoder

import (
	"fmt"

	"siglab/engine/tensor"
)

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

// CopyPrefix makes an empty cache begin with the first positions of another's sequence.
// The error is that the cache is not empty, that the other has fewer positions, or that
// they do not fit.
func (d *Decoder) CopyPrefix(c, from *Cache, positions int) error {
	if c.length > 0 {
		return fmt.Errorf("copy of a prefix: the cache has %d positions, want an empty one", c.length)
	}
	if positions < 0 || positions > from.length {
		return fmt.Errorf("copy of a prefix of %d positions: the other cache has %d", positions, from.length)
	}
	if err := d.room(c, positions); err != nil {
		return err
	}
	for i := range c.blocks {
		d.ops.CopyKeyValues(c.blocks[i], from.blocks[i], positions)
	}
	c.length = positions
	return nil
}
