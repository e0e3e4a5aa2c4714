package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalizer rewrites text before it is split.
type normalizer func(text string) (string, error)

// maxGrowth bounds how much longer than its text a normalised text may be, in
// bytes, past 64 KiB: a hostile file could multiply it at every step.
const maxGrowth = 32

func normalize(steps []normalizer, text string) (string, error) {
	limit := maxGrowth*len(text) + 64<<10
	for _, step := range steps {
		var err error
		if text, err = step(text); err != nil {
			return "", err
		}
		if len(text) > limit {
			return "", fmt.Errorf("the tokenizer's normalizer makes %d bytes of a text", len(text))
		}
	}
	return text, nil
}

// component is any component of tokenizer.json; each type uses some fields.
type component struct {
	Type string `json:"type"`

	// Replace, Split and their kin
	Pattern  *patternSpec `json:"pattern"`
	Content  string       `json:"content"`
	Behavior string       `json:"behavior"`
	Invert   bool         `json:"invert"`

	Prepend string `json:"prepend"` // Prepend

	StripLeft  *bool `json:"strip_left"` // Strip, of a normalizer
	StripRight *bool `json:"strip_right"`
	Start      int   `json:"start"` // Strip, of a decoder
	Stop       int   `json:"stop"`

	// ByteLevel and Metaspace
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	UseRegex       *bool  `json:"use_regex"`
	Replacement    string `json:"replacement"`
	PrependScheme  string `json:"prepend_scheme"`
	Split          *bool  `json:"split"`

	IndividualDigits bool   `json:"individual_digits"` // Digits
	Delimiter        string `json:"delimiter"`         // CharDelimiterSplit

	// TemplateProcessing
	Single        []templateItem         `json:"single"`
	SpecialTokens map[string]templateIDs `json:"special_tokens"`

	// Sequence, by what it is a sequence of
	Normalizers   []component `json:"normalizers"`
	PreTokenizers []component `json:"pretokenizers"`
	Processors    []component `json:"processors"`
	Decoders      []component `json:"decoders"`
}

// patternSpec is {"String": …} or {"Regex": …}, or a bare string.
type patternSpec struct {
	String *string
	Regex  *string
}

func (p *patternSpec) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		p.String = &text
		return nil
	}
	type plain patternSpec
	return json.Unmarshal(data, (*plain)(p))
}

func (c component) pattern() (pattern, error) {
	switch {
	case c.Pattern == nil || c.Pattern.String == nil && c.Pattern.Regex == nil:
		return pattern{}, fmt.Errorf("%s has no pattern", c.Type)
	case c.Pattern.Regex != nil:
		p, err := newRegex(*c.Pattern.Regex)
		if err != nil {
			return p, fmt.Errorf("%s: %w", c.Type, err)
		}
		return p, nil
	}
	return pattern{text: *c.Pattern.String}, nil
}

func orTrue(b *bool) bool { return b == nil || *b }

// newNormalizers builds the steps of a normalizer of tokenizer.json.
func newNormalizers(c component) ([]normalizer, error) {
	plain := func(f func(string) string) []normalizer {
		return []normalizer{func(text string) (string, error) { return f(text), nil }}
	}
	switch c.Type {
	case "Sequence":
		var steps []normalizer
		for _, inner := range c.Normalizers {
			more, err := newNormalizers(inner)
			if err != nil {
				return nil, err
			}
			steps = append(steps, more...)
		}
		return steps, nil
	case "NFC":
		return plain(func(s string) string { return normalForm(norm.NFC, s) }), nil
	case "NFKC":
		return plain(func(s string) string { return normalForm(norm.NFKC, s) }), nil
	case "NFD":
		return plain(func(s string) string { return normalForm(norm.NFD, s) }), nil
	case "NFKD":
		return plain(func(s string) string { return normalForm(norm.NFKD, s) }), nil
	case "Lowercase":
		return plain(lowercase), nil
	case "StripAccents":
		return plain(stripAccents), nil
	case "Strip":
		return plain(func(s string) string {
			if orTrue(c.StripLeft) {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if orTrue(c.StripRight) {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}), nil
	case "Prepend":
		return plain(func(s string) string {
			if s == "" {
				return s
			}
			return c.Prepend + s
		}), nil
	case "ByteLevel":
		return plain(bytesToRunes), nil
	case "Replace":
		p, err := c.pattern()
		if err != nil {
			return nil, err
		}
		return []normalizer{func(text string) (string, error) { return p.replace(text, c.Content) }}, nil
	}
	return nil, fmt.Errorf("normalizer %q is not supported", c.Type)
}

// lowercase maps each rune alone, as Rust does; only İ becomes two runes.
func lowercase(s string) string {
	return strings.ReplaceAll(strings.Map(func(r rune) rune {
		if r == 'İ' {
			return r
		}
		return unicode.ToLower(r)
	}, s), "İ", "i\u0307")
}

// stripAccents removes combining marks.
func stripAccents(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) {
			return -1
		}
		return r
	}, s)
}

// normalForm returns s in a normal form, without grapheme joiners that s did
// not have.
func normalForm(form norm.Form, s string) string {
	if form.IsNormalString(s) {
		return s
	}
	normal := form.String(s)
	const joiner = "\u034f"
	if strings.Count(normal, joiner) == strings.Count(s, joiner) {
		return normal
	}
	return longMarks(form, s)
}

// longMarks is normalForm for text with long runs of marks: it sorts and
// composes by the definition (Unicode 17, section 3.11).
func longMarks(form norm.Form, s string) string {
	decompose := norm.NFD
	if form == norm.NFKC || form == norm.NFKD {
		decompose = norm.NFKD
	}
	var runes []rune
	for _, r := range s {
		runes = append(runes, []rune(decompose.String(string(r)))...)
	}
	sortMarks(runes)
	if form == norm.NFC || form == norm.NFKC {
		runes = compose(runes)
	}
	return string(runes)
}
