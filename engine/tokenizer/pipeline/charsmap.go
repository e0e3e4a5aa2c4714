package pipeline

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// charsMap are SentencePiece's precompiled rules of normalisation: strings and what
// replaces them, the longest match first (normalizer.cc). They are a double-array trie
// of darts-clone, whose values are offsets into texts that end with a zero byte.
type charsMap struct {
	units []uint32
	texts string
}

// newCharsMap reads rules: the trie's size in bytes, the trie, the texts.
func newCharsMap(data []byte) (*charsMap, error) {
	const word = 4
	if len(data) < word {
		return nil, errors.New("its rules of normalisation are shorter than their size")
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[word:]
	if size < word || size%word != 0 || int64(size) >= int64(len(data)) {
		return nil, errors.New("its rules of normalisation have a wrong size")
	}
	m := &charsMap{units: make([]uint32, size/word), texts: string(data[size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[i*word:])
	}
	if m.texts[len(m.texts)-1] != 0 || !utf8.ValidString(m.texts) {
		return nil, errors.New("its rules of normalisation have a broken text")
	}
	return m, nil
}

// replace applies the rules to a text.
func (m *charsMap) replace(text string) (string, error) {
	var b strings.Builder
	for len(text) > 0 {
		with, n := m.longest(text)
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text)
			with = text[:n]
		}
		b.WriteString(with)
		text = text[n:]
	}
	return strings.ToValidUTF8(b.String(), "\ufffd"), nil // hostile rules may cut runes
}

// longest is what replaces the longest beginning of text that a rule has, and that
// beginning's length, 0 without one. Positions out of the trie end the search: a
// hostile file may have them.
func (m *charsMap) longest(text string) (with string, length int) {
	// A unit: bits 0 to 7 are its label, bit 8 says that a value follows, bit 9 that
	// the offset in the bits from 10 on is in steps of 256, bit 31 marks a value.
	offset := func(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
	at := offset(m.units[0])
	for i := range len(text) {
		at ^= uint32(text[i])
		if int64(at) >= int64(len(m.units)) {
			break
		}
		unit := m.units[at]
		if unit&(1<<31|0xff) != uint32(text[i]) {
			break
		}
		at ^= offset(unit)
		if int64(at) >= int64(len(m.units)) {
			break
		}
		if value := m.units[at] &^ (1 << 31); unit>>8&1 == 1 && int64(value) < int64(len(m.texts)) {
			with, _, _ = strings.Cut(m.texts[value:], "\x00")
			length = i + 1
		}
	}
	return with, length
}

// oneSpace removes spaces from both ends and all but one in between, as
// remove_extra_whitespaces says.
func oneSpace(text string) (string, error) {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " "), nil
}
