package tokenizer

import "siglab/engine/tokenizer/pipeline"

// Decoder joins the text of consecutive ids, without special tokens, holding
// back what is not whole: the bytes of a rune, and runs of the byte tokens of
// SentencePiece vocabularies. It serves one sequence and one goroutine; make
// one with [Tokenizer.NewDecoder].
//
// What Push and Flush return, joined, is the text of the whole sequence as
// transformers decodes it with skip_special_tokens. Every return value is
// whole runes; invalid bytes become U+FFFD.
type Decoder struct {
	stream stream
}

// stream decodes one sequence.
type stream interface {
	Push(id int) string
	Flush() string
}

// NewDecoder returns a decoder at the start of a sequence.
func (t *Tokenizer) NewDecoder() *Decoder {
	switch v := t.vocabulary.(type) {
	case *pipeline.Pipeline:
		return &Decoder{v.NewStream(true)}
	case *tinyVocabulary:
		return &Decoder{&tinyStream{vocabulary: v}}
	}
	return nil
}

// Push appends one id and returns the text that it completes, possibly "".
// Special tokens and ids out of range add nothing.
func (d *Decoder) Push(id int) string { return d.stream.Push(id) }

// Flush ends the sequence and returns the text that was held back. The decoder
// is then ready for another sequence.
func (d *Decoder) Flush() string { return d.stream.Flush() }

// Decode returns the text of a whole sequence, without special tokens.
func (t *Tokenizer) Decode(ids []int) string {
	decoder := t.NewDecoder()
	var text []byte
	for _, id := range ids {
		text = append(text, decoder.Push(id)...)
	}
	return string(append(text, decoder.Flush()...))
}

// Spell returns the text of a whole sequence with special tokens by name, as
// transformers decodes it by default. Those of the tiny vocabulary have no text.
func (t *Tokenizer) Spell(ids []int) string {
	if p, ok := t.vocabulary.(*pipeline.Pipeline); ok {
		return p.Decode(ids, false)
	}
	return t.Decode(ids)
}

// tinyStream decodes ids of the tiny vocabulary.
type tinyStream struct {
	vocabulary *tinyVocabulary
	bytes      pipeline.Lossy
}

func (s *tinyStream) Push(id int) string { return s.bytes.Push(s.vocabulary.raw(id)) }

func (s *tinyStream) Flush() string { return s.bytes.Flush() }
