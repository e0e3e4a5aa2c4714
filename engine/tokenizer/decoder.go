package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// Decoder joins the bytes of consecutive ids into text, holding back the
// bytes of a rune until it is whole. It serves one sequence and one goroutine;
// make one with [Tokenizer.NewDecoder].
//
// Invalid bytes become U+FFFD, one for each maximal part that could have begun
// a rune (Unicode 17, section 3.9, "Substitution of Maximal Subparts"), as in
// Python's and Rust's lossy decoding. The text of a sequence is the same
// however its bytes are spread over tokens.
type Decoder struct {
	tokens  *Tokenizer
	pending []byte // the incomplete start of one rune, at most 3 bytes
}

// NewDecoder returns a decoder at the start of a sequence.
func (t *Tokenizer) NewDecoder() *Decoder { return &Decoder{tokens: t} }

// Push appends one id and returns the text that it completes, possibly "".
// Special tokens and ids out of range add nothing.
func (d *Decoder) Push(id int) string {
	raw := d.tokens.raw(id)
	if len(d.pending) == 0 && utf8.ValidString(raw) {
		return raw
	}
	d.pending = append(d.pending, raw...)
	rest := d.pending
	var text strings.Builder
	for utf8.FullRune(rest) {
		size := runeOrInvalid(rest)
		r, _ := utf8.DecodeRune(rest[:size])
		text.WriteRune(r)
		rest = rest[size:]
	}
	d.pending = rest
	return text.String()
}

// Flush ends the sequence: it returns U+FFFD when the last rune stayed
// incomplete, else "". The decoder is then ready for another sequence.
func (d *Decoder) Flush() string {
	if len(d.pending) == 0 {
		return ""
	}
	d.pending = nil
	return string(utf8.RuneError)
}

// runeOrInvalid returns the length of the rune that begins p, or of the
// invalid part to replace by one U+FFFD: the longest prefix that is itself the
// start of some rune, else one byte. utf8.FullRune(p) holds.
func runeOrInvalid(p []byte) int {
	if _, size := utf8.DecodeRune(p); size > 1 {
		return size
	}
	size := 1
	for size < len(p) && !utf8.FullRune(p[:size+1]) {
		size++
	}
	return size
}
