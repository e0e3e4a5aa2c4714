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
