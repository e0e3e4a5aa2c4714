package tokenizer

import "unicode/utf8"

// The layout of the tiny id space; a test holds pieces.jsonl to it.
const (
	byteCount    = 256
	firstSpecial = byteCount
	imStart      = firstSpecial
	imEnd        = firstSpecial + 1
	endOfText    = firstSpecial + 2
	imagePad     = firstSpecial + 3
	specialCount = 4
	firstPiece   = firstSpecial + specialCount
	tinySize     = 1024
)

// specialNames are the tiny special tokens, in the order of their ids.
var specialNames = [specialCount]string{"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|image_pad|>"}

// tinyVocabulary is this project's own vocabulary of 1024 ids, so that a tiny
// model needs no downloaded files. Ids lie in three ranges, in this order:
//
//	0 … 255     single bytes; id i is byte i
//	256 … 259   special tokens, which have no text
//	260 … 1023  word pieces of at least two bytes, from pieces.jsonl
//
// Published models split text with byte-pair merges; this takes the longest
// piece that matches at each position. Both lose nothing.
type tinyVocabulary struct {
	texts   []string       // bytes of each id; "" for special tokens
	pieces  map[string]int // piece of two bytes or more → id
	longest int            // length of the longest piece, in bytes
}

// NewTiny returns the tokenizer of the built-in 1024-id vocabulary.
func NewTiny() *Tokenizer {
	v := &tinyVocabulary{
		texts:  make([]string, firstPiece, tinySize),
		pieces: make(map[string]int, tinySize-firstPiece),
	}
	for b := range byteCount {
		v.texts[b] = string([]byte{byte(b)})
	}
	for _, piece := range embeddedPieces() {
		v.pieces[piece] = len(v.texts)
		v.texts = append(v.texts, piece)
		v.longest = max(v.longest, len(piece))
	}
	return &Tokenizer{
		vocabulary: v, layout: layoutTiny, eos: []int{imEnd},
		image: imagePad, imageText: specialNames[imagePad-firstSpecial], suppressed: v.suppressed(),
	}
}

// encode splits text into ids whose bytes, joined, are text again. At each
// position it takes the longest matching piece, or the single byte when none
// matches. It accepts any string, invalid UTF-8 included, and never yields a
// special token: "<|im_end|>" written by a user stays ordinary text.
func (v *tinyVocabulary) encode(text string) []int {
	ids := make([]int, 0, len(text)/2+1)
	for len(text) > 0 {
		id, size := v.longestMatch(text)
		ids = append(ids, id)
		text = text[size:]
	}
	return ids
}

// longestMatch returns the id of the longest token that begins text, and its
// length in bytes. text is not empty.
func (v *tinyVocabulary) longestMatch(text string) (id, size int) {
	for size := min(v.longest, len(text)); size > 1; size-- {
		if id, ok := v.pieces[text[:size]]; ok {
			return id, size
		}
	}
	return int(text[0]), 1
}

// Encode is encode; the vocabulary has no frame.
func (v *tinyVocabulary) Encode(text string, _ bool) ([]int, error) { return v.encode(text), nil }

// Size returns the number of ids; every id is in [0, Size()).
func (v *tinyVocabulary) Size() int { return len(v.texts) }

// ID returns the id of a piece, of a byte, or of a special token by its name.
func (v *tinyVocabulary) ID(token string) (int, bool) {
	for i, name := range specialNames {
		if token == name {
			return firstSpecial + i, true
		}
	}
	if len(token) == 1 {
		return int(token[0]), true
	}
	id, ok := v.pieces[token]
	return id, ok
}

// suppressed returns, in ascending order, bytes that are not printable ASCII,
// and every special token but the end of a turn.
func (v *tinyVocabulary) suppressed() []int {
	var ids []int
	for id := range byteCount {
		if id < ' ' || id > '~' {
			ids = append(ids, id)
		}
	}
	return append(ids, imStart, endOfText, imagePad)
}

// text returns what id shows on its own: "" for a special token or an id out
// of range, U+FFFD for a byte that is no rune by itself.
func (v *tinyVocabulary) text(id int) string {
	if id >= utf8.RuneSelf && id < byteCount {
		return string(utf8.RuneError)
	}
	return v.raw(id)
}

// bytes returns the bytes that id stands for, nil where it has none.
func (v *tinyVocabulary) bytes(id int) []byte {
	raw := v.raw(id)
	if raw == "" {
		return nil
	}
	return []byte(raw)
}

// raw returns the bytes of id as a string, "" where it has none.
func (v *tinyVocabulary) raw(id int) string {
	if id < 0 || id >= len(v.texts) {
		return ""
	}
	return v.texts[id]
}
