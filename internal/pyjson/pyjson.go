// Package pyjson reads JSON as Python programs write it: with NaN and Infinity,
// which JSON does not know, numbers in quotes where a default encoder was used,
// several values in one file, byte order marks, and UTF-16 where PowerShell
// redirected.
//
// Values are looked up one level at a time in the bytes that were read, without a
// copy, so that a report of some hundred megabytes costs little more than its size.
// The syntax is checked once by encoding/json, whose limit of nesting also holds
// here.
package pyjson

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// Text drops a byte order mark and decodes UTF-16.
func Text(raw []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xEF, 0xBB, 0xBF}):
		return raw[3:]
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return raw
	}
	units := make([]uint16, 0, len(raw)/2)
	for rest := raw[2:]; len(rest) >= 2; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return []byte(string(utf16.Decode(units)))
}

// Values splits text into the JSON values that it holds one after the other, as a
// file of JSON Lines does. The error tells the number of the broken value, and
// whether the text ended too early. Bare NaN and Infinity become empty strings.
func Values(text []byte) ([]json.RawMessage, error) {
	text = withoutBareNumbers(text)
	var values []json.RawMessage
	for at := skipBlanks(text, 0); at < len(text); at = skipBlanks(text, at) {
		end := valueEnd(text, at)
		value := json.RawMessage(text[at:end])
		if !json.Valid(value) {
			var unused json.RawMessage
			return values, fmt.Errorf("JSON value %d: %w; is the file complete?", len(values)+1, json.Unmarshal(value, &unused))
		}
		values = append(values, value)
		at = end
	}
	return values, nil
}

// valueEnd returns the index after the value that starts at text[at]. Of text that is
// no JSON it returns some index behind at.
func valueEnd(text []byte, at int) int {
	switch text[at] {
	case '"':
		return stringEnd(text, at)
	case '{', '[':
		return nestedEnd(text, at)
	}
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case ',', ':', '{', '}', '[', ']', '"', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return len(text)
}

// nestedEnd counts brackets of both kinds alike: that they match is checked by
// encoding/json.
func nestedEnd(text []byte, at int) int {
	depth := 0
	for i := at; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func stringEnd(text []byte, at int) int {
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func skipBlanks(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// withoutBareNumbers replaces NaN and Infinity outside strings by an empty string
// and blanks: not a number, and no longer than the shortest of them, so that the
// text keeps its length.
func withoutBareNumbers(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	out := bytes.Clone(text)
	for i := 0; i < len(out); i++ {
		if out[i] == '"' {
			i = stringEnd(out, i) - 1
		} else if n := bareNumber(out[i:]); n > 0 {
			copy(out[i:], fmt.Sprintf("%-*s", n, `""`))
			i += n - 1
		}
	}
	return out
}

// bareNumber returns the length of the word for no number that text starts with, 0
// if it starts with none.
func bareNumber(text []byte) int {
	for _, word := range [...]string{"-Infinity", "Infinity", "NaN"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
