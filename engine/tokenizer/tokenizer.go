// Package tokenizer turns text into token ids and back for the engine's tiny
// models: 1024 ids of bytes, special tokens and word pieces.
//
// The vocabulary is this project's own, so a tiny model needs no downloaded
// files. Ids lie in three ranges, in this order:
//
//	0 … 255     single bytes; id i is byte i
//	256 … 259   special tokens, which have no text
//	260 … 1023  word pieces of at least two bytes, from pieces.jsonl
//
// # Deviations
//
// Published models split text with byte-pair merges; this tokenizer takes the
// longest piece that matches at each position instead. Both are lossless, and
// only token counts differ.
package tokenizer

import "unicode/utf8"

// The layout of the id space; a test holds pieces.jsonl to it.
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

// Tokenizer maps text to token ids and ids to text. It is immutable and safe
// for concurrent use; make one with [NewTiny].
type Tokenizer struct {
	texts   []string       // bytes of each id; "" for special tokens
	ids     map[string]int // piece of two bytes or more → id
	longest int            // length of the longest piece, in bytes
}

// NewTiny returns the tokenizer of the 1024-id vocabulary.
func NewTiny() *Tokenizer {
	t := &Tokenizer{
		texts: make([]string, firstPiece, tinySize),
		ids:   make(map[string]int, tinySize-firstPiece),
	}
	for b := range byteCount {
		t.texts[b] = string([]byte{byte(b)})
	}
	for _, piece := range embeddedPieces() {
		t.ids[piece] = len(t.texts)
		t.texts = append(t.texts, piece)
		t.longest = max(t.longest, len(piece))
	}
	return t
}

// Encode splits text into ids whose bytes, joined, are text again. At each
// position it takes the longest matching piece, or the single byte when none
// matches. It accepts any string, invalid UTF-8 included, and never yields a
// special token: "<|im_end|>" written by a user stays ordinary text.
func (t *Tokenizer) Encode(text string) []int {
	ids := make([]int, 0, len(text)/2+1)
	for len(text) > 0 {
		id, size := t.longestMatch(text)
		ids = append(ids, id)
		text = text[size:]
	}
	return ids
}

// longestMatch returns the id of the longest token that begins text, and its
// length in bytes. text is not empty.
func (t *Tokenizer) longestMatch(text string) (id, size int) {
	for size := min(t.longest, len(text)); size > 1; size-- {
		if id, ok := t.ids[text[:size]]; ok {
			return id, size
		}
	}
	return int(text[0]), 1
}

// VocabSize returns the number of ids; every id is in [0, VocabSize()).
func (t *Tokenizer) VocabSize() int { return len(t.texts) }

// EOS returns the id that ends a turn, <|im_end|>, at which generation stops.
func (t *Tokenizer) EOS() int { return imEnd }

// ImageToken returns the id of <|image_pad|>, the placeholder whose embedding
// is replaced by one image feature vector.
func (t *Tokenizer) ImageToken() int { return imagePad }

// Suppressed returns, in ascending order, the ids that generation must never
// sample, like suppress_tokens in Hugging Face's GenerationConfig: bytes that
// are not printable ASCII, and every special token but EOS. The caller owns
// the slice.
func (t *Tokenizer) Suppressed() []int {
	var ids []int
	for id := range byteCount {
		if id < ' ' || id > '~' {
			ids = append(ids, id)
		}
	}
	return append(ids, imStart, endOfText, imagePad)
}

// Text returns what id shows on its own: "" for a special token or an id out
// of range, U+FFFD for a byte that is no rune by itself. Texts of consecutive
// ids do not join into the text of the sequence; a [Decoder] does that.
func (t *Tokenizer) Text(id int) string {
	if id >= utf8.RuneSelf && id < byteCount {
		return string(utf8.RuneError)
	}
	return t.raw(id)
}

// Bytes returns the bytes that id stands for, in a new slice: nil for a
// special token or an id out of range.
func (t *Tokenizer) Bytes(id int) []byte {
	raw := t.raw(id)
	if raw == "" {
		return nil
	}
	return []byte(raw)
}

// raw returns the bytes of id as a string, "" where it has none.
func (t *Tokenizer) raw(id int) string {
	if id < 0 || id >= len(t.texts) {
		return ""
	}
	return t.texts[id]
}
