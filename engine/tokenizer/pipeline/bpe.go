package pipeline

import (
	"fmt"
	"unicode/utf8"
)

// bpe is byte-pair encoding: a word begins as its runes, and the adjacent pair
// of the lowest rank, leftmost first, is merged until none is left (Sennrich,
// Haddow and Birch 2016, section 3.2).
type bpe struct {
	vocabulary
	merges map[uint64]merge // pairKey of two ids

	unk          int // id of the unknown token, -1 without one
	fuseUnk      bool
	byteFallback bool
	bytes        [256]int // ids of <0x00> … <0xFF>, -1 where missing
	ignoreMerges bool     // a word that is a token is that token
	prefix       string   // of all runes of a word but the first
	suffix       string   // of the last rune of a word
}

// merge says how urgent a pair is, and what it becomes.
type merge struct{ rank, id int32 }

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// addMerge makes a pair of tokens mergeable; a later rule replaces an earlier
// one of the same pair, as in the library.
func (b *bpe) addMerge(rank int, left, right string) error {
	l, ok := b.ids[left]
	if !ok {
		return fmt.Errorf("merge %d: %q is not in the vocabulary", rank, left)
	}
	r, ok := b.ids[right]
	if !ok {
		return fmt.Errorf("merge %d: %q is not in the vocabulary", rank, right)
	}
	if len(right) < len(b.prefix) {
		return fmt.Errorf("merge %d: %q is shorter than the continuing_subword_prefix %q", rank, right, b.prefix)
	}
	joined := left + right[len(b.prefix):]
	id, ok := b.ids[joined]
	if !ok {
		return fmt.Errorf("merge %d: %q and %q make %q, which is not in the vocabulary", rank, left, right, joined)
	}
	b.merges[pairKey(l, r)] = merge{int32(rank), id}
	return nil
}

// findBytes looks up the tokens of single bytes.
func (b *bpe) findBytes() {
	for i := range b.bytes {
		b.bytes[i] = -1
		if id, ok := b.ids[fmt.Sprintf("<0x%02X>", i)]; ok {
			b.bytes[i] = int(id)
		}
	}
}

// symbol is a node of the linked list of a word's parts.
type symbol struct {
	id         int32
	prev, next int32 // indices, -1 at the ends
	gone       bool  // merged into the symbol before it
}

func (b *bpe) encode(ids []int, word string) ([]int, error) {
	if b.ignoreMerges {
		if id, ok := b.ids[word]; ok {
			return append(ids, int(id)), nil
		}
	}
	symbols := b.symbols(word)
	b.mergeAll(symbols)
	for _, s := range symbols {
		if !s.gone {
			ids = append(ids, int(s.id))
		}
	}
	return ids, nil
}

// symbols returns the tokens of a word's runes, in a linked list.
func (b *bpe) symbols(word string) []symbol {
	symbols := make([]symbol, 0, len(word))
	add := func(id int) {
		n := int32(len(symbols))
		symbols = append(symbols, symbol{id: int32(id), prev: n - 1, next: n + 1})
	}
	pending := false // an unknown token that waits for its successors
	for i := 0; i < len(word); {
		_, size := utf8.DecodeRuneInString(word[i:])
		part := word[i : i+size]
		if i > 0 && b.prefix != "" {
			part = b.prefix + part
		}
		i += size
		if i == len(word) && b.suffix != "" {
			part += b.suffix
		}
		if id, ok := b.ids[part]; ok {
			if pending {
				add(b.unk)
				pending = false
			}
			add(int(id))
			continue
		}
		// Bytes overtake a pending unknown token, as in the library.
		if b.byteFallback && b.addBytes(part, add) {
			continue
		}
		if b.unk < 0 {
			continue // without an unknown token the rune is lost
		}
		if pending && !b.fuseUnk {
			add(b.unk)
		}
		pending = true
	}
	if pending {
		add(b.unk)
	}
	if len(symbols) > 0 {
		symbols[len(symbols)-1].next = -1
	}
	return symbols
}

// addBytes adds the byte tokens of part if all of them exist.
func (b *bpe) addBytes(part string, add func(id int)) bool {
	for i := range len(part) {
		if b.bytes[part[i]] < 0 {
			return false
		}
	}
	for i := range len(part) {
		add(b.bytes[part[i]])
	}
	return true
}

// mergeAll merges symbols in place, in O(n log n).
func (b *bpe) mergeAll(symbols []symbol) {
	var queue mergeQueue
	consider := func(left int32) {
		if left < 0 || symbols[left].next < 0 {
			return
		}
		m, ok := b.merges[pairKey(symbols[left].id, symbols[symbols[left].next].id)]
		if ok {
			queue.push(candidate{m.rank, left, m.id})
		}
	}
	for i := range symbols {
		consider(int32(i))
	}
	for len(queue) > 0 {
		top := queue.pop()
		left := &symbols[top.left]
		if left.gone || left.next < 0 {
			continue
		}
		right := &symbols[left.next]
		// The pair may have changed since it was queued.
		if m, ok := b.merges[pairKey(left.id, right.id)]; !ok || m.id != top.id {
			continue
		}
		left.id, left.next = top.id, right.next
		right.gone = true
		if right.next >= 0 {
			symbols[right.next].prev = top.left
		}
		consider(left.prev)
		consider(top.left)
	}
}

// candidate is a pair that could be merged.
type candidate struct{ rank, left, id int32 }

// before orders candidates: lower rank first, then the one further left.
func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.left < d.left
}

// mergeQueue is a binary heap of candidates. container/heap would allocate
// for each of them.
type mergeQueue []candidate

func (q *mergeQueue) push(c candidate) {
	h := append(*q, c)
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
	*q = h
}

func (q *mergeQueue) pop() candidate {
	h := *q
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[i]) {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	*q = h
	return top
}
