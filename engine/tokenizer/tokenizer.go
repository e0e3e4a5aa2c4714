// Package tokenizer turns text and conversations into token ids, and ids back
// into text: for published models from the files of their directories, and for
// the engine's tiny models from a built-in vocabulary.
//
// [Open] reads a model directory as transformers 5.19 does:
//
//   - the vocabulary from tokenizer.json, else from tokenizer.model
//     (SentencePiece), else from vocab.json and merges.txt (Qwen2). Where a
//     directory has several, tokenizer.json wins, although SentencePiece's own
//     ids differ where a text spells special tokens or the mark ▁;
//   - more special tokens from tokenizer_config.json and added_tokens.json;
//   - the tokens that end a sequence from generation_config.json, else
//     config.json, else the eos_token of tokenizer_config.json;
//   - the image token from config.json, else processor_config.json and
//     tokenizer_config.json;
//   - the chat template from chat_template.jinja, else chat_template.json,
//     processor_config.json, tokenizer_config.json.
//
// Text that spells a special token becomes that token, also in what a user
// wrote, as in transformers and vLLM. Only the tiny vocabulary keeps user text
// apart: there a conversation cannot be forged.
//
// # Deviations
//
// transformers replaces the normalizer, the pre-tokenizer and the decoder of a
// tokenizer.json by fixed ones when tokenizer_class is LlamaTokenizer,
// GemmaTokenizer or Qwen2Tokenizer; this package follows the file, which such
// classes save with the same content.
package tokenizer

import (
	"slices"

	"siglab/engine/tokenizer/chattemplate"
	"siglab/engine/tokenizer/pipeline"
)

// Tokenizer maps text to token ids and ids to text, and lays out prompts. It
// does not change and is safe for concurrent use; make one with [Open] or
// [NewTiny].
type Tokenizer struct {
	vocabulary vocabulary
	layout     layout
	eos        []int
	suppressed []int
	bos        int // -1 without one
	bosText    string
	image      int // -1 without one
	imageText  string
	imageBegin string // Gemma 3: the token that a template writes for an image; "" otherwise
	imageFrame string // what its processor puts in place of it, with one image token

	template  *chattemplate.Template
	variables map[string]any // what the template sees besides messages
	parts     bool           // the template lays out images and texts itself
}

// vocabulary is what the tiny and the published vocabularies have in common.
type vocabulary interface {
	Encode(text string, frame bool) ([]int, error)
	ID(token string) (int, bool)
	Size() int
}

// Encode splits text into ids. With addSpecial, the tokens that the model
// expects around a text, such as a beginning of sequence, are added. The tiny
// vocabulary never fails; others fail on text that takes a pattern of the
// vocabulary too long.
func (t *Tokenizer) Encode(text string, addSpecial bool) ([]int, error) {
	return t.vocabulary.Encode(text, addSpecial)
}

// VocabSize returns the highest id of a token plus one. A model may have more
// rows, which stand for nothing.
func (t *Tokenizer) VocabSize() int { return t.vocabulary.Size() }

// EOS returns the ids at which generation stops. The caller owns the slice.
func (t *Tokenizer) EOS() []int { return slices.Clone(t.eos) }

// Ends reports whether generation stops at id.
func (t *Tokenizer) Ends(id int) bool { return slices.Contains(t.eos, id) }

// BOS returns the id of the beginning of a sequence, -1 without one.
func (t *Tokenizer) BOS() int { return t.bos }

// ImageToken returns the id of the placeholder whose embedding is replaced by
// an image feature vector, -1 without one.
func (t *Tokenizer) ImageToken() int { return t.image }

// ImageText returns how the image token is spelled, "" without one.
func (t *Tokenizer) ImageText() string { return t.imageText }

// Suppressed returns, in ascending order, the ids that generation must never
// sample: suppress_tokens of generation_config.json; for the tiny vocabulary,
// bytes that are not printable ASCII, and every special token but EOS. The
// caller owns the slice.
func (t *Tokenizer) Suppressed() []int { return slices.Clone(t.suppressed) }

// ID returns the id of a token by the spelling of its vocabulary.
func (t *Tokenizer) ID(token string) (int, bool) { return t.vocabulary.ID(token) }

// Text returns what id shows on its own, as vLLM's logprobs do: special tokens
// by name, U+FFFD for bytes that are no rune, without the space that a decoder
// strips from the start of a text. Special tokens of the tiny vocabulary have
// no text, nor has an id without a token. Texts of consecutive ids do not join
// into the text of the sequence; a [Decoder] does that.
func (t *Tokenizer) Text(id int) string {
	switch v := t.vocabulary.(type) {
	case *tinyVocabulary:
		return v.text(id)
	case *pipeline.Pipeline:
		return v.Decode([]int{id}, false)
	}
	return ""
}

// Bytes returns, in a new slice, the bytes of id for logprobs: as in vLLM those
// of its Text, and for the tiny vocabulary those that it stands for; nil where
// there are none.
func (t *Tokenizer) Bytes(id int) []byte {
	if v, ok := t.vocabulary.(*tinyVocabulary); ok {
		return v.bytes(id)
	}
	text := t.Text(id)
	if text == "" {
		return nil
	}
	return []byte(text)
}
