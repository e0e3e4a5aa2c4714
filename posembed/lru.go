package posembed

import (
	"slices"
	"sync"
)

// lru keeps what was computed for the most recently used grids. It is safe for
// concurrent use.
type lru[V any] struct {
	budget  int // the most that the costs of the entries may add up to
	compute func(Grid) (V, error)

	mu      sync.Mutex
	entries []lruEntry[V] // most recently used first
	stats   CacheStats
}

// lruEntry is the value of one grid. The first caller computes it, outside the
// lock; others that want it meanwhile wait.
type lruEntry[V any] struct {
	grid  Grid
	cost  int
	value func() (V, error)
}

// CacheStats counts what a cache did since it was made. What was asked for is
// Hits + Misses.
type CacheStats struct {
	Hits, Misses uint64
	Evicted      uint64 // entries dropped for others
	Entries      int    // held now
	Used, Budget int    // their cost and its bound: plans, or values of results
}

// newLRU is an empty cache.
func newLRU[V any](budget int, compute func(Grid) (V, error)) *lru[V] {
	return &lru[V]{budget: budget, compute: compute}
}

// get is the value for a grid, computed if it is not there. One whose cost is
// above the budget is computed for this call only. An error is kept like a value.
func (c *lru[V]) get(g Grid, cost int) (V, error) { return c.entry(g, cost).value() }

// entry finds or makes a grid's entry, moves it to the front and drops those at
// the end that no longer fit.
func (c *lru[V]) entry(g Grid, cost int) lruEntry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := slices.IndexFunc(c.entries, func(e lruEntry[V]) bool { return e.grid == g }); at >= 0 {
		c.stats.Hits++
		e := c.entries[at]
		copy(c.entries[1:at+1], c.entries[:at])
		c.entries[0] = e
		return e
	}
	c.stats.Misses++
	e := lruEntry[V]{grid: g, cost: cost, value: sync.OnceValues(func() (V, error) { return c.compute(g) })}
	if cost > c.budget {
		return e
	}
	c.entries = slices.Insert(c.entries, 0, e)
	used := 0
	for i, e := range c.entries {
		if used += e.cost; used > c.budget {
			c.stats.Evicted += uint64(len(c.entries) - i)
			c.entries = slices.Delete(c.entries, i, len(c.entries))
			break
		}
	}
	return e
}

// counted is what the cache did until now.
func (c *lru[V]) counted() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries, s.Budget = len(c.entries), c.budget
	for _, e := range c.entries {
		s.Used += e.cost
	}
	return s
}
