package pipeline

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Lossy turns bytes that arrive in pieces into whole runes. Invalid bytes
// become U+FFFD, one for each maximal part that could have begun a rune
// (Unicode 17, section 3.9, "Substitution of Maximal Subparts"), as in
// Python's and Rust's lossy decoding, however the bytes were cut. The zero
// value is ready.
type Lossy struct {
	pending []byte // the incomplete start of one rune, at most 3 bytes
}

// Push appends bytes and returns the runes that they complete.
func (l *Lossy) Push(raw string) string {
	if len(l.pending) == 0 && utf8.ValidString(raw) {
		return raw
	}
	var text strings.Builder
	rest := slices.Concat(l.pending, []byte(raw))
	for len(rest) > 0 && utf8.FullRune(rest) {
		size := runeOrInvalid(rest)
		r, _ := utf8.DecodeRune(rest[:size])
		text.WriteRune(r)
		rest = rest[size:]
	}
	l.pending = rest
	return text.String()
}

// Flush ends the bytes: it returns U+FFFD when the last rune stayed
// incomplete, else "".
func (l *Lossy) Flush() string {
	if len(l.pending) == 0 {
		return ""
	}
	l.pending = nil
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
