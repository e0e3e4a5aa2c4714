package posembed

import (
	"slices"
	"sync"
)

// lru keeps what was computed for the most recently used grids. The zero value
// with a budget is empty and ready; it is safe for concurrent use.
type lru[V any] struct {
	budget int // the most that the costs of the entries may add up to

	mu      sync.Mutex
	entries []lruEntry[V] // most recently used first
}

// lruEntry is the value of one grid. The first caller computes it, outside the
// lock; others that want it meanwhile wait.
type lruEntry[V any] struct {
	grid  Grid
	cost  int
	value func() (V, error)
}

// get is the value for a grid, computed if it is not there. One whose cost is
// above the budget is computed for this call only. An error is kept like a value.
func (c *lru[V]) get(g Grid, cost int, compute func() (V, error)) (V, error) {
	if cost > c.budget {
		return compute()
	}
	return c.entry(g, cost, compute).value()
}

// entry finds or makes a grid's entry, moves it to the front and drops those at
// the end that no longer fit.
func (c *lru[V]) entry(g Grid, cost int, compute func() (V, error)) lruEntry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var e lruEntry[V]
	if at := slices.IndexFunc(c.entries, func(e lruEntry[V]) bool { return e.grid == g }); at >= 0 {
		e = c.entries[at]
		c.entries = slices.Delete(c.entries, at, at+1)
	} else {
		e = lruEntry[V]{grid: g, cost: cost, value: sync.OnceValues(compute)}
	}
	c.entries = slices.Insert(c.entries, 0, e)

	used := 0
	for i, e := range c.entries {
		if used += e.cost; used > c.budget {
			c.entries = slices.Delete(c.entries, i, len(c.entries))
			break
		}
	}
	return e
}
