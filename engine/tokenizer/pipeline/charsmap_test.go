package pipeline

import (
	"encoding/binary"
	"testing"
	"unicode/utf8"
)

// trieOf is a trie of one byte and the text that replaces it: the root's children are
// at 0 ^ label, since its offset is 0, and the value is at that ^ an offset of 1.
func trieOf(label byte, text string) []byte {
	units := make([]uint32, 256)
	units[label] = uint32(label) | 1<<8 | 1<<10
	units[label^1] = 1 << 31
	data := binary.LittleEndian.AppendUint32(nil, uint32(4*len(units)))
	for _, u := range units {
		data = binary.LittleEndian.AppendUint32(data, u)
	}
	return append(data, text+"\x00"...)
}

func TestCharsMap(t *testing.T) {
	m, err := newCharsMap(trieOf('x', "two words"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"": "", "axé": "atwo wordsé", "xx": "two wordstwo words", "写": "写"} {
		if got, err := m.replace(text); got != want || err != nil {
			t.Errorf("%q becomes %q, error %v, want %q", text, got, err, want)
		}
	}
	for why, data := range map[string][]byte{
		"no texts":             trieOf('x', "")[:4+4*256],
		"a trie past the end":  {0xff, 0xff, 0xff, 0xff, 0},
		"an empty trie":        {0, 0, 0, 0, 0},
		"a text without end":   append(trieOf('x', "a"), 'b'),
		"texts that are bytes": append(trieOf('x', "\xff"), 0),
	} {
		if _, err := newCharsMap(data); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}

// FuzzCharsMap: no rules make a text panic, or valid text invalid.
func FuzzCharsMap(f *testing.F) {
	f.Add(trieOf('x', "two words"), "axx")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		m, err := newCharsMap(data)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		if got, err := m.replace(text); err != nil || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q, error %v", text, got, err)
		}
	})
}
