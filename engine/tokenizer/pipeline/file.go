package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// file is tokenizer.json.
type file struct {
	AddedTokens []struct {
		ID int `json:"id"`
		AddedToken
	} `json:"added_tokens"`
	Normalizer    *component `json:"normalizer"`
	PreTokenizer  *component `json:"pre_tokenizer"`
	PostProcessor *component `json:"post_processor"`
	Decoder       *component `json:"decoder"`
	Model         modelSpec  `json:"model"`
}

// modelSpec is the model of tokenizer.json.
type modelSpec struct {
	Type         string          `json:"type"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       []mergeSpec     `json:"merges"`
	UnkToken     *string         `json:"unk_token"`
	UnkID        *int            `json:"unk_id"`
	FuseUnk      bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	Prefix       string          `json:"continuing_subword_prefix"`
	Suffix       string          `json:"end_of_word_suffix"`
}

// mergeSpec is a pair of tokens: ["a", "b"], or "a b" in older files.
type mergeSpec [2]string

func (m *mergeSpec) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		var pair []string
		if err := json.Unmarshal(data, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return fmt.Errorf("a merge has %d tokens, not 2", len(pair))
		}
		m[0], m[1] = pair[0], pair[1]
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	return m.parse(text)
}

func (m *mergeSpec) parse(text string) error {
	left, right, ok := strings.Cut(text, " ")
	if !ok || strings.Contains(right, " ") {
		return fmt.Errorf("the merge %.60q is not two tokens with a space between", text)
	}
	m[0], m[1] = left, right
	return nil
}

// Parse builds the pipeline of a tokenizer.json. An error names the component
// that is malformed or not supported.
func Parse(data []byte) (*Pipeline, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	p := &Pipeline{added: newAddedTokens()}
	var err error
	if p.model, err = newModel(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := p.build(f); err != nil {
		return nil, err
	}
	for _, token := range f.AddedTokens {
		if token.ID < 0 || token.ID > maxID {
			return nil, fmt.Errorf("added token %.40q has id %d, which is not in 0 … %d", token.Content, token.ID, maxID)
		}
	}
	tokens := make([]AddedToken, len(f.AddedTokens))
	for i, token := range f.AddedTokens {
		tokens[i] = token.AddedToken
	}
	if err := p.Add(tokens...); err != nil {
		return nil, err
	}
	return p, p.checkTemplate()
}

// build makes everything but the model and the added tokens.
func (p *Pipeline) build(f file) error {
	var err error
	if f.Normalizer != nil {
		if p.normalizers, err = newNormalizers(*f.Normalizer); err != nil {
			return err
		}
	}
	if f.PreTokenizer != nil {
		if p.preTokenizers, err = newPreTokenizers(*f.PreTokenizer); err != nil {
			return err
		}
	}
	if f.PostProcessor != nil {
		if p.template, err = newTemplate(*f.PostProcessor); err != nil {
			return err
		}
	}
	p.decoder, err = newDecoder(f.Decoder)
	return err
}

func newModel(spec modelSpec) (model, error) {
	switch spec.Type {
	case "BPE":
		return newBPE(spec)
	case "Unigram":
		return unigramOf(spec)
	case "":
		if len(spec.Merges) > 0 { // files older than the type
			return newBPE(spec)
		}
		return nil, errors.New("there is none")
	}
	return nil, fmt.Errorf("type %q is not supported; BPE and Unigram are", spec.Type)
}

func newBPE(spec modelSpec) (*bpe, error) {
	var ids map[string]int
	if err := json.Unmarshal(spec.Vocab, &ids); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	return buildBPE(ids, spec)
}

// buildBPE makes the model of a vocabulary; spec has the rest.
func buildBPE(ids map[string]int, spec modelSpec) (*bpe, error) {
	v, err := newVocabulary(ids)
	if err != nil {
		return nil, err
	}
	if len(spec.Merges) > math.MaxInt32 {
		return nil, fmt.Errorf("there are %d merges", len(spec.Merges))
	}
	b := &bpe{
		vocabulary: v, merges: make(map[uint64]merge, len(spec.Merges)), unk: -1,
		fuseUnk: spec.FuseUnk, byteFallback: spec.ByteFallback, ignoreMerges: spec.IgnoreMerges,
		prefix: spec.Prefix, suffix: spec.Suffix,
	}
	b.findBytes()
	if spec.UnkToken != nil {
		id, ok := b.ids[*spec.UnkToken]
		if !ok && *spec.UnkToken != "" {
			return nil, fmt.Errorf("unk_token %q is not in the vocabulary", *spec.UnkToken)
		}
		if ok {
			b.unk = int(id)
		}
	}
	for rank, m := range spec.Merges {
		if err := b.addMerge(rank, m[0], m[1]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// scoredPiece is [piece, score].
type scoredPiece struct {
	piece string
	score float64
}

func (s *scoredPiece) UnmarshalJSON(data []byte) error {
	var pair []any
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) == 2 {
		piece, isText := pair[0].(string)
		score, isNumber := pair[1].(float64)
		if isText && isNumber {
			*s = scoredPiece{piece, score}
			return nil
		}
	}
	return fmt.Errorf("%.60s is not a piece and its score", data)
}

func unigramOf(spec modelSpec) (*unigram, error) {
	var pieces []scoredPiece
	if err := json.Unmarshal(spec.Vocab, &pieces); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	if len(pieces) == 0 || len(pieces) > maxID {
		return nil, fmt.Errorf("vocab has %d pieces; 1 to %d are supported", len(pieces), maxID)
	}
	names := make([]string, len(pieces))
	scores := make([]float64, len(pieces))
	for i, p := range pieces {
		names[i], scores[i] = p.piece, p.score
	}
	unk := -1
	if spec.UnkID != nil {
		unk = *spec.UnkID
		if unk < 0 {
			return nil, fmt.Errorf("unk_id is %d", unk)
		}
	}
	return newUnigram(names, scores, unk, spec.ByteFallback, nil)
}
