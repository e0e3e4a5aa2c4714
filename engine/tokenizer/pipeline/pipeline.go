// Package pipeline turns text into token ids and back as a tokenizer.json
// describes it: the file format of Hugging Face's tokenizers library.
//
// A pipeline has five steps: added tokens are cut out of the text, the rest is
// normalised, split into words, each word encoded by a model (BPE or Unigram),
// and the ids framed by special tokens. A sixth turns ids into text again.
// The behaviour follows tokenizers 0.23, which transformers 5.19 uses; ids are
// compared with that library's.
//
// # Deviations
//
// A component that is not supported is an error at load. Text that is not
// valid UTF-8 is encoded with U+FFFD for each invalid run, since Python's
// strings hold none. Truncation, padding and dropout of the file are not
// applied: they serve training.
package pipeline

import (
	"fmt"
	"strings"
)

// Pipeline maps text to ids and ids to text. It does not change once it is
// built, and is then safe for concurrent use. Make one with [Parse],
// [ParseSentencePiece], [Siglip] or [Qwen2]; [Pipeline.Add] and [Pipeline.Lowercase] belong
// to building.
type Pipeline struct {
	normalizers   []normalizer
	prefix        string // of the normalised start of a text: SentencePiece's dummy prefix
	preTokenizers []preTokenizer
	model         model
	template      []templatePiece
	decoder       func() []stage

	added *addedTokens
}

// model is what encodes one word.
type model interface {
	// encode appends the ids of word, which is not empty.
	encode(ids []int, word string) ([]int, error)
	id(token string) (int, bool)
	token(id int) (string, bool)
	size() int // number of tokens
	highest() int
}

// Encode returns the ids of text. With frame, the special tokens of the
// file's post-processor (such as a beginning of sequence) are added. Text that
// spells an added token becomes that token. It fails when a pattern of the
// file takes too long on text, or the model has no token for a part of it.
func (p *Pipeline) Encode(text string, frame bool) ([]int, error) {
	text = strings.ToValidUTF8(text, "\ufffd")
	ids := make([]int, 0, len(text)/3+4)
	if !frame || len(p.template) == 0 {
		return p.encodeText(ids, text)
	}
	for _, piece := range p.template {
		if !piece.text {
			ids = append(ids, piece.ids...)
			continue
		}
		var err error
		if ids, err = p.encodeText(ids, text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// encodeText appends the ids of text without a frame.
func (p *Pipeline) encodeText(ids []int, text string) ([]int, error) {
	for _, raw := range p.added.raw.split(text) {
		if raw.id >= 0 {
			ids = append(ids, raw.id)
			continue
		}
		normal, err := normalize(p.normalizers, text[raw.start:raw.end])
		if err != nil {
			return nil, err
		}
		if raw.start == 0 && normal != "" {
			normal = p.prefix + normal
		}
		for _, span := range p.added.normalized.split(normal) {
			if span.id >= 0 {
				ids = append(ids, span.id)
				continue
			}
			w := word{text: normal[span.start:span.end], first: raw.start == 0 && span.start == 0}
			if ids, err = p.encodeSpan(ids, w); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

// encodeSpan appends the ids of normalised text that holds no added token.
func (p *Pipeline) encodeSpan(ids []int, span word) ([]int, error) {
	words := []word{span}
	var err error
	for _, split := range p.preTokenizers {
		if words, err = split(words); err != nil {
			return nil, err
		}
	}
	for _, w := range words {
		if w.text == "" {
			continue
		}
		if ids, err = p.model.encode(ids, w.text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// Decode returns the text of a whole sequence, without special tokens if
// skipSpecial. Ids without a token add nothing.
func (p *Pipeline) Decode(ids []int, skipSpecial bool) string {
	stream := p.NewStream(skipSpecial)
	var text strings.Builder
	for _, id := range ids {
		text.WriteString(stream.Push(id))
	}
	text.WriteString(stream.Flush())
	return text.String()
}

// ID returns the id of a token as the file spells it, added tokens included.
func (p *Pipeline) ID(token string) (int, bool) {
	if id, ok := p.added.ids[token]; ok {
		return id, true
	}
	return p.model.id(token)
}

// Token returns the token of an id, as decoders see it: the spelling of the
// file, normalised where an added token is looked for in normalised text.
func (p *Pipeline) Token(id int) (string, bool) {
	if shown, ok := p.added.shown[id]; ok {
		return shown, true
	}
	return p.model.token(id)
}

// Special reports whether id is a special token, which a decoder can skip. As
// in the library, one whose normalised form is spelled differently is not.
func (p *Pipeline) Special(id int) bool {
	token, ok := p.added.tokens[id]
	return ok && token.Special && p.added.shown[id] == token.Content
}

// Framed reports whether the file asks for special tokens around a text.
func (p *Pipeline) Framed() bool {
	for _, piece := range p.template {
		if !piece.text {
			return true
		}
	}
	return false
}

// Size returns the highest id plus one.
func (p *Pipeline) Size() int { return max(p.model.highest(), p.added.highest()) + 1 }

// Frame replaces the post-processor: ids before and after every framed text.
// Ids without a token are an error.
func (p *Pipeline) Frame(before, after []int) error {
	for _, id := range append(before[:len(before):len(before)], after...) {
		if _, ok := p.Token(id); !ok {
			return fmt.Errorf("id %d, to frame a text with, has no token", id)
		}
	}
	p.template = []templatePiece{{ids: before}, {text: true}, {ids: after}}
	if len(before) == 0 && len(after) == 0 {
		p.template = nil
	}
	return nil
}
