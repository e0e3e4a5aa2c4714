package pipeline

// trie finds which of a set of strings begin a text. The zero value is empty.
type trie struct {
	next   map[uint64]int32 // node<<8 | byte → node; node 0 is the root
	values []int32          // of each node, -1 where no string ends
	first  [256]bool        // bytes that begin a string: rules out most positions
}

// insert adds a string that is not empty and says whether it is new.
func (t *trie) insert(s string, value int) bool {
	if t.next == nil {
		t.next = map[uint64]int32{}
		t.values = []int32{-1}
	}
	t.first[s[0]] = true
	node := int32(0)
	for i := range len(s) {
		key := uint64(node)<<8 | uint64(s[i])
		next, ok := t.next[key]
		if !ok {
			next = int32(len(t.values))
			t.values = append(t.values, -1)
			t.next[key] = next
		}
		node = next
	}
	if t.values[node] >= 0 {
		return false
	}
	t.values[node] = int32(value)
	return true
}

// prefixes calls found for each string that begins text, shortest first.
func (t *trie) prefixes(text string, found func(value, length int)) {
	if text == "" || !t.first[text[0]] {
		return
	}
	node := int32(0)
	for i := range len(text) {
		next, ok := t.next[uint64(node)<<8|uint64(text[i])]
		if !ok {
			return
		}
		node = next
		if v := t.values[node]; v >= 0 {
			found(int(v), i+1)
		}
	}
}

// longest returns the value and the length of the longest string that begins
// text, or a negative value.
func (t *trie) longest(text string) (value, length int) {
	value = -1
	t.prefixes(text, func(v, n int) { value, length = v, n })
	return value, length
}
