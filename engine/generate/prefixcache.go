package generate

import (
	"slices"
	"sync"
)

// prefixCache keeps the keys and values of sequences that have ended, for prompts that
// begin as they did. Their memory is of what is reserved for keys and values: the engine
// drops the least recently used ones when a request needs it. It is safe for concurrent
// use.
type prefixCache struct {
	on  bool
	end func(tokens []int, most int) int // the model's PrefixEnd

	mu      sync.Mutex
	bytes   int64
	entries []*prefix // the most recently used last
	stats   CacheStats
}

// prefix is a sequence that has ended.
type prefix struct {
	tokens   []int   // whose keys and values it has
	images   []Image // of their placeholders, without the inputs
	sequence Sequence
	bytes    int64
}

const (
	// prefixBlock is the unit of what is reused, in tokens, as vLLM's block_size.
	prefixBlock = 16
	// mostPrefixes bounds the time of a search.
	mostPrefixes = 256
)

// find returns the sequence that has the most whole blocks of a prompt in common, and how
// many tokens of it may be reused: at least one of the prompt is left to be computed.
// The queries and hits that it counts are tokens.
func (c *prefixCache) find(prompt []int, images []Image, placeholder int) (Sequence, int) {
	if !c.on {
		return nil, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Queries += uint64(len(prompt))
	best, most := -1, 0
	for i, p := range slices.Backward(c.entries) {
		n := min(common(p.tokens, prompt, p.images, images, placeholder), len(prompt)-1) / prefixBlock * prefixBlock
		for n > most { // to an end that is one in both
			end := c.end(prompt, c.end(p.tokens, n))
			if end == n {
				best, most = i, n
				break
			}
			n = end / prefixBlock * prefixBlock
		}
	}
	if best < 0 {
		return nil, 0
	}
	found := c.entries[best]
	c.entries = append(slices.Delete(c.entries, best, best+1), found)
	c.stats.Hits += uint64(most)
	return found.sequence, most
}

// common is the number of tokens that two sequences have in common at their begin.
// Placeholders are equal if their images are, and those before them.
func common(a, b []int, ofA, ofB []Image, placeholder int) int {
	left := 0 // placeholders of the image that has begun
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
		if a[i] != placeholder {
			continue
		}
		if left == 0 {
			if len(ofA) == 0 || len(ofB) == 0 || ofA[0].Key == "" || ofA[0].Key != ofB[0].Key || ofA[0].Tokens != ofB[0].Tokens {
				return i
			}
			left, ofA, ofB = ofA[0].Tokens, ofA[1:], ofB[1:]
		}
		left--
	}
	return min(len(a), len(b))
}

// put keeps a sequence that has ended, in the place of those that it begins with.
func (c *prefixCache) put(p *prefix, placeholder int) {
	if !c.on || len(p.tokens) < prefixBlock {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = slices.DeleteFunc(c.entries, func(old *prefix) bool {
		within := common(old.tokens, p.tokens, old.images, p.images, placeholder) == len(old.tokens)
		if within {
			c.bytes -= old.bytes
		}
		return within
	})
	if len(c.entries) == mostPrefixes {
		c.drop()
	}
	c.entries = append(c.entries, p)
	c.bytes += p.bytes
}

// drop forgets the least recently used sequence. c.mu is held.
func (c *prefixCache) drop() {
	c.bytes -= c.entries[0].bytes
	c.entries = slices.Delete(c.entries, 0, 1)
}

// shrink drops sequences until the others have at most so many bytes.
func (c *prefixCache) shrink(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.bytes > bytes && len(c.entries) > 0 {
		c.drop()
	}
}

// reset drops everything; the counts go on.
func (c *prefixCache) reset() { c.shrink(0) }

func (c *prefixCache) counted() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}
