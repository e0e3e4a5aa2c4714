package generate

import (
	"container/list"
	"sync"

	"siglab/engine/vlm"
)

// CacheStats counts what was asked of a cache, and what it had.
type CacheStats struct{ Queries, Hits uint64 }

// encoderCache keeps the features of images that were encoded, the most recently
// used ones, up to a number of bytes. It is safe for concurrent use.
type encoderCache struct {
	limit int64 // bytes; 0: it keeps and counts nothing

	mu      sync.Mutex
	bytes   int64
	entries map[string]*list.Element
	recent  list.List // of *cachedImage, the most recently used first
	stats   CacheStats
}

type cachedImage struct {
	key      string
	features vlm.Features
}

// entryOverhead is what an entry takes beside its features, roughly.
const entryOverhead = 256

func (c *cachedImage) bytes() int64 {
	return 4*int64(len(c.features)) + int64(len(c.key)) + entryOverhead
}

// get returns an image's features, nil if they are not there. Asking again for the
// same image of a request is not counted as another query, finding it is a hit.
func (c *encoderCache) get(key string, first bool) vlm.Features {
	if c.limit == 0 || key == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first {
		c.stats.Queries++
	}
	entry, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.stats.Hits++
	c.recent.MoveToFront(entry)
	return entry.Value.(*cachedImage).features
}

// put keeps an image's features, which must not change any more.
func (c *encoderCache) put(key string, features vlm.Features) {
	image := &cachedImage{key, features}
	if key == "" || image.bytes() > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return
	}
	if c.entries == nil {
		c.entries = make(map[string]*list.Element)
	}
	c.entries[key] = c.recent.PushFront(image)
	c.bytes += image.bytes()
	for c.bytes > c.limit {
		oldest := c.recent.Remove(c.recent.Back()).(*cachedImage)
		delete(c.entries, oldest.key)
		c.bytes -= oldest.bytes()
	}
}

// reset drops everything; the counts go on.
func (c *encoderCache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.Init()
	c.entries, c.bytes = nil, 0
}

func (c *encoderCache) counted() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}
