package pipeline

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a part of a normalised text on its way to the model.
type word struct {
	text  string
	first bool // begins where the whole text begins
}

// preTokenizer splits words into smaller ones.
type preTokenizer func(words []word) ([]word, error)

// behavior is what becomes of a match that splits a word. The names are those
// of tokenizer.json.
type behavior string

const (
	removed            behavior = "Removed"
	isolated           behavior = "Isolated"
	mergedWithPrevious behavior = "MergedWithPrevious"
	mergedWithNext     behavior = "MergedWithNext"
	contiguous         behavior = "Contiguous"
)

// wordPattern splits as GPT-2 does; ByteLevel uses it.
const wordPattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// newPreTokenizers builds the steps of a pre-tokenizer of tokenizer.json.
func newPreTokenizers(c component) ([]preTokenizer, error) {
	switch c.Type {
	case "Sequence":
		var steps []preTokenizer
		for _, inner := range c.PreTokenizers {
			more, err := newPreTokenizers(inner)
			if err != nil {
				return nil, err
			}
			steps = append(steps, more...)
		}
		return steps, nil
	case "Split":
		p, err := c.pattern()
		if err != nil {
			return nil, err
		}
		b, err := parseBehavior(c.Type, c.Behavior, removed, isolated, mergedWithPrevious, mergedWithNext, contiguous)
		if err != nil {
			return nil, err
		}
		return []preTokenizer{splitBy(p.parts, b, c.Invert)}, nil
	case "ByteLevel":
		return byteLevel(c)
	case "Metaspace":
		return metaspace(c)
	case "Digits":
		b := contiguous
		if c.IndividualDigits {
			b = isolated
		}
		return []preTokenizer{splitBy(eachRune(unicode.IsNumber), b, false)}, nil
	case "Punctuation":
		b, err := parseBehavior(c.Type, c.Behavior, isolated, removed, mergedWithPrevious, mergedWithNext, contiguous)
		if err != nil {
			return nil, err
		}
		return []preTokenizer{splitBy(eachRune(isPunctuation), b, false)}, nil
	case "WhitespaceSplit":
		return []preTokenizer{splitBy(eachRune(unicode.IsSpace), removed, false)}, nil
	case "Whitespace":
		return []preTokenizer{splitBy(wordsAndSymbols, removed, true)}, nil
	case "CharDelimiterSplit":
		if utf8.RuneCountInString(c.Delimiter) != 1 {
			return nil, fmt.Errorf("%s has the delimiter %q, which is not one character", c.Type, c.Delimiter)
		}
		return []preTokenizer{splitBy(pattern{text: c.Delimiter}.parts, removed, false)}, nil
	}
	return nil, fmt.Errorf("pre_tokenizer %q is not supported", c.Type)
}

// parseBehavior accepts the given names; the first is the default.
func parseBehavior(component, name string, known ...behavior) (behavior, error) {
	if name == "" {
		return known[0], nil
	}
	for _, b := range known {
		if name == string(b) {
			return b, nil
		}
	}
	return "", fmt.Errorf("%s has the behavior %q, which is not supported", component, name)
}

// splitBy splits each word at what find calls a match (or not, with invert).
func splitBy(find func(string) ([]part, error), b behavior, invert bool) preTokenizer {
	return func(words []word) ([]word, error) {
		var out []word
		for _, w := range words {
			parts, err := find(w.text)
			if err != nil {
				return nil, err
			}
			if invert {
				for i := range parts {
					parts[i].match = !parts[i].match
				}
			}
			for _, p := range applyBehavior(parts, b) {
				if p.start < p.end {
					out = append(out, word{w.text[p.start:p.end], w.first && p.start == 0})
				}
			}
		}
		return out, nil
	}
}

// applyBehavior joins or drops matches.
func applyBehavior(parts []part, b behavior) []part {
	out := make([]part, 0, len(parts))
	switch b {
	case isolated:
		return parts
	case removed:
		for _, p := range parts {
			if !p.match {
				out = append(out, p)
			}
		}
	case contiguous:
		for i, p := range parts {
			if i > 0 && p.match == parts[i-1].match {
				out[len(out)-1].end = p.end
			} else {
				out = append(out, p)
			}
		}
	case mergedWithPrevious:
		for i, p := range parts {
			if p.match && i > 0 && !parts[i-1].match {
				out[len(out)-1].end = p.end
			} else {
				out = append(out, p)
			}
		}
	case mergedWithNext:
		for i := 0; i < len(parts); i++ {
			p := parts[i]
			if p.match && i+1 < len(parts) && !parts[i+1].match {
				i++
				p.end = parts[i].end
			}
			out = append(out, p)
		}
	}
	return out
}

// eachRune makes a match of every rune that is.
func eachRune(is func(rune) bool) func(string) ([]part, error) {
	return func(text string) ([]part, error) {
		var parts []part
		end := 0
		for i, r := range text {
			if !is(r) {
				continue
			}
			if end < i {
				parts = append(parts, part{end, i, false})
			}
			end = i + utf8.RuneLen(r)
			parts = append(parts, part{i, end, true})
		}
		if end < len(text) {
			parts = append(parts, part{end, len(text), false})
		}
		return parts, nil
	}
}

// wordsAndSymbols makes a match of every run of word characters, and of what is
// neither that nor white space.
func wordsAndSymbols(text string) ([]part, error) {
	var parts []part
	last := -1
	for i, r := range text {
		kind := 2
		switch {
		case isWord(r):
			kind = 0
		case unicode.IsSpace(r):
			kind = 1
		}
		if kind != last {
			parts = append(parts, part{start: i, match: kind != 1})
			last = kind
		}
		parts[len(parts)-1].end = i + utf8.RuneLen(r)
	}
	return parts, nil
}

func isPunctuation(r rune) bool {
	ascii := r < utf8.RuneSelf && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r)
	return ascii || unicode.IsPunct(r)
}

// byteLevel splits into words and writes each byte as a visible rune.
func byteLevel(c component) ([]preTokenizer, error) {
	var steps []preTokenizer
	if orTrue(c.AddPrefixSpace) {
		steps = append(steps, eachWord(func(w word) string {
			if strings.HasPrefix(w.text, " ") {
				return w.text
			}
			return " " + w.text
		}))
	}
	if orTrue(c.UseRegex) {
		p, err := newRegex(wordPattern)
		if err != nil {
			return nil, err
		}
		steps = append(steps, splitBy(p.parts, isolated, false))
	}
	return append(steps, eachWord(func(w word) string { return bytesToRunes(w.text) })), nil
}

// metaspace writes spaces as a visible rune, puts one in front, and splits
// before each.
func metaspace(c component) ([]preTokenizer, error) {
	mark, scheme, err := c.metaspace()
	if err != nil {
		return nil, err
	}
	steps := []preTokenizer{eachWord(func(w word) string {
		text := strings.ReplaceAll(w.text, " ", mark)
		if scheme == "always" || scheme == "first" && w.first {
			if !strings.HasPrefix(text, mark) {
				text = mark + text
			}
		}
		return text
	})}
	if orTrue(c.Split) {
		steps = append(steps, splitBy(pattern{text: mark}.parts, mergedWithNext, false))
	}
	return steps, nil
}

// metaspace returns the settings of a Metaspace component. Older files say
// add_prefix_space where newer ones name a scheme.
func (c component) metaspace() (mark, scheme string, err error) {
	mark, scheme = c.Replacement, c.PrependScheme
	if mark == "" {
		mark = "▁"
	}
	if utf8.RuneCountInString(mark) != 1 {
		return "", "", fmt.Errorf("%s has the replacement %q, which is not one character", c.Type, mark)
	}
	switch scheme {
	case "":
		scheme = "always"
		if !orTrue(c.AddPrefixSpace) {
			scheme = "never"
		}
	case "always", "first", "never":
	default:
		return "", "", fmt.Errorf("%s has the prepend_scheme %q, which is not supported", c.Type, scheme)
	}
	return mark, scheme, nil
}

// eachWord rewrites words that are not empty.
func eachWord(f func(word) string) preTokenizer {
	return func(words []word) ([]word, error) {
		for i, w := range words {
			words[i].text = f(w)
		}
		return words, nil
	}
}
