package pipeline

import (
	"strings"
	"unicode"
)

// Siglip builds the pipeline of SigLIP's spiece.model, to which its tokenizer gives
// text in lower case, without punctuation and with single spaces (transformers 5.19,
// models/siglip/tokenization_siglip.py, canonicalize_text).
func Siglip(data []byte) (*Pipeline, error) {
	p, err := ParseSentencePiece(data)
	if err != nil {
		return nil, err
	}
	p.normalizers = append([]normalizer{canonical}, p.normalizers...)
	p.prefix = spaceMark // which the tokenizer itself writes
	return p, nil
}

// Lowercase makes the pipeline see text in lower case, as SigLIP2's tokenizer does
// whatever its file says (models/siglip2/tokenization_siglip2.py). It belongs to
// building.
func (p *Pipeline) Lowercase() {
	lower := func(text string) (string, error) { return lowercase(text), nil }
	p.normalizers = append([]normalizer{lower}, p.normalizers...)
}

// canonical is SigLIP's canonicalize_text.
func canonical(text string) (string, error) {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)): // Python's string.punctuation
			return -1
		case r >= 0x1c && r <= 0x1f: // spaces to Python alone
			return ' '
		}
		return r
	}, lowercase(strings.ReplaceAll(text, spaceMark, " ")))
	return strings.Join(strings.Fields(kept), " "), nil
}
