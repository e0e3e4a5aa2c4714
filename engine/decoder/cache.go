package decoder

// Cache holds the keys and values of one sequence, for every block. It is used by
// the decoder that made it, and never by two calls at a time.
type Cache struct {
	capacity, length int
	blocks           []blockCache
}

// blockCache is one block's part, in the shapes of cpu.Device's CausalAttention.
type blockCache struct {
	keys   []float32 // [KVHeads, HeadDim, capacity]
	values []float32 // [capacity, KVHeads·HeadDim]
}

// NewCache makes room for the given number of positions.
func (d *Decoder) NewCache(capacity int) *Cache {
	capacity = max(capacity, 0)
	kv := d.config.KVHeads * d.config.headDim()
	c := &Cache{capacity: capacity, blocks: make([]blockCache, d.config.Layers)}
	for i := range c.blocks {
		c.blocks[i] = blockCache{keys: make([]float32, kv*capacity), values: make([]float32, capacity*kv)}
	}
	return c
}

// Len is the number of positions that the cache holds.
func (c *Cache) Len() int { return c.length }

// Capacity is the number of positions that the cache has room for.
func (c *Cache) Capacity() int { return c.capacity }

// store writes the keys and values [rows, kv] of the positions from first on.
func (b *blockCache) store(keys, values []float32, first, kv int) {
	copy(b.values[first*kv:], values)
	capacity := len(b.values) / kv
	for r := range len(keys) / kv {
		for i, v := range keys[r*kv:][:kv] {
			b.keys[i*capacity+first+r] = v
		}
	}
}
