package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// spaceMark is how SentencePiece writes a space.
const spaceMark = "▁"

// pieceType is ModelProto.SentencePiece.Type of sentencepiece_model.proto.
type pieceType uint64

const (
	pieceNormal      pieceType = 1
	pieceUnknown     pieceType = 2
	pieceControl     pieceType = 3
	pieceUserDefined pieceType = 4
)

// sentencePiece is one entry of the vocabulary.
type sentencePiece struct {
	text  string
	score float32
	kind  pieceType
}

// sentencePieceModel is what a tokenizer.model says, as far as it matters here.
type sentencePieceModel struct {
	pieces       []sentencePiece
	modelType    uint64
	byteFallback bool
	charsMap     []byte // rules of normalisation
	dummyPrefix  bool
	extraSpaces  bool // are removed
	keepSpaces   bool // spaces are not escaped
}

// ParseSentencePiece builds the pipeline of a tokenizer.model (SentencePiece,
// sentencepiece_model.proto) of type BPE or Unigram, such as those of Llama and
// Gemma. Ordinary text gets SentencePiece's own ids. Control pieces become special tokens that text can
// spell, as transformers makes them.
func ParseSentencePiece(data []byte) (*Pipeline, error) {
	m, err := readSentencePiece(data)
	if err != nil {
		return nil, err
	}
	switch {
	case len(m.pieces) == 0 || len(m.pieces) > maxID:
		return nil, fmt.Errorf("it has %d pieces; 1 to %d are supported", len(m.pieces), maxID)
	case m.keepSpaces:
		return nil, errors.New("escape_whitespaces=false is not supported; convert it to tokenizer.json")
	}
	p := &Pipeline{added: newAddedTokens()}
	if p.model, err = m.model(); err != nil {
		return nil, err
	}
	decoders := []component{
		{Type: "Replace", Pattern: &patternSpec{String: new(spaceMark)}, Content: " "}, {Type: "ByteFallback"}, {Type: "Fuse"},
	}
	if len(m.charsMap) > 0 {
		rules, err := newCharsMap(m.charsMap)
		if err != nil {
			return nil, err
		}
		p.normalizers = append(p.normalizers, rules.replace)
	}
	if m.extraSpaces {
		p.normalizers = append(p.normalizers, oneSpace)
	}
	p.normalizers = append(p.normalizers, func(s string) (string, error) { return strings.ReplaceAll(s, " ", spaceMark), nil })
	if m.dummyPrefix {
		p.prefix = spaceMark
		decoders = append(decoders, component{Type: "Strip", Content: " ", Start: 1})
	}
	if p.decoder, err = newDecoder(&component{Type: "Sequence", Decoders: decoders}); err != nil {
		return nil, err
	}
	return p, p.addPieces(m.pieces)
}

// addPieces makes added tokens of control and user-defined pieces.
func (p *Pipeline) addPieces(pieces []sentencePiece) error {
	var tokens []AddedToken
	for _, piece := range pieces {
		switch piece.kind {
		case pieceControl, pieceUnknown:
			tokens = append(tokens, AddedToken{Content: piece.text, Special: true})
		case pieceUserDefined:
			tokens = append(tokens, AddedToken{Content: piece.text, Normalized: true})
		}
	}
	return p.Add(tokens...)
}

// model builds the BPE or Unigram model.
func (m *sentencePieceModel) model() (model, error) {
	unk := slices.IndexFunc(m.pieces, func(p sentencePiece) bool { return p.kind == pieceUnknown })
	if unk < 0 {
		return nil, errors.New("it has no unknown piece")
	}
	switch m.modelType {
	case 1:
		names := make([]string, len(m.pieces))
		scores := make([]float64, len(m.pieces))
		for i, p := range m.pieces {
			names[i], scores[i] = p.text, float64(p.score)
		}
		return newUnigram(names, scores, unk, m.byteFallback, func(id int) bool {
			kind := m.pieces[id].kind
			return kind != pieceNormal && kind != pieceUserDefined
		})
	case 2:
		return m.bpe(m.pieces[unk].text)
	}
	return nil, fmt.Errorf("model type %d is not supported; 1 (Unigram) and 2 (BPE) are", m.modelType)
}

// bpe makes merges of the pieces: any two whose concatenation is a piece can
// be merged, the one of the highest score first, and of one score the leftmost
// first.
func (m *sentencePieceModel) bpe(unk string) (*bpe, error) {
	ids := make(map[string]int, len(m.pieces))
	for id, p := range m.pieces {
		if other, ok := ids[p.text]; ok {
			return nil, fmt.Errorf("pieces %d and %d are both %.40q", other, id, p.text)
		}
		ids[p.text] = id
		if len(p.text) > maxAddedLength {
			return nil, fmt.Errorf("piece %d has %d bytes; at most %d are supported", id, len(p.text), maxAddedLength)
		}
		if math.IsNaN(float64(p.score)) {
			return nil, fmt.Errorf("piece %d, %q, has no score", id, p.text)
		}
	}
	b, err := buildBPE(ids, modelSpec{UnkToken: &unk, FuseUnk: true, ByteFallback: m.byteFallback})
	if err != nil {
		return nil, err
	}
	order := make([]int, len(m.pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(m.pieces[j].score, m.pieces[i].score) })
	rank := -1
	last := float32(math.NaN())
	for _, id := range order {
		piece := m.pieces[id]
		if piece.score != last {
			rank++
			last = piece.score
		}
		if piece.kind != pieceNormal {
			continue
		}
		for i := range piece.text {
			left, right := piece.text[:i], piece.text[i:]
			if i == 0 || !m.mergeable(ids, left) || !m.mergeable(ids, right) {
				continue
			}
			if err := b.addMerge(rank, left, right); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// mergeable reports whether a part can come to be: a rune or a normal piece.
func (m *sentencePieceModel) mergeable(ids map[string]int, part string) bool {
	id, ok := ids[part]
	return ok && (m.pieces[id].kind == pieceNormal || utf8.RuneCountInString(part) == 1)
}

// readSentencePiece reads a ModelProto.
func readSentencePiece(data []byte) (*sentencePieceModel, error) {
	m := &sentencePieceModel{modelType: 1, dummyPrefix: true, extraSpaces: true}
	return m, eachField(data, func(number protowire.Number, value protoValue) error {
		switch number {
		case 1: // pieces
			return m.readPiece(value.bytes)
		case 2: // trainer_spec
			return eachField(value.bytes, func(number protowire.Number, value protoValue) error {
				switch number {
				case 3:
					m.modelType = value.number
				case 35:
					m.byteFallback = value.number != 0
				}
				return nil
			})
		case 3: // normalizer_spec
			return eachField(value.bytes, func(number protowire.Number, value protoValue) error {
				switch number {
				case 2:
					m.charsMap = value.bytes
				case 3:
					m.dummyPrefix = value.number != 0
				case 4:
					m.extraSpaces = value.number != 0
				case 5:
					m.keepSpaces = value.number == 0
				}
				return nil
			})
		}
		return nil
	})
}

func (m *sentencePieceModel) readPiece(data []byte) error {
	piece := sentencePiece{kind: pieceNormal}
	err := eachField(data, func(number protowire.Number, value protoValue) error {
		switch number {
		case 1:
			piece.text = string(value.bytes)
		case 2:
			piece.score = math.Float32frombits(uint32(value.number))
		case 3:
			piece.kind = pieceType(value.number)
		}
		return nil
	})
	if err == nil && !utf8.ValidString(piece.text) {
		err = fmt.Errorf("piece %d is not valid UTF-8", len(m.pieces))
	}
	m.pieces = append(m.pieces, piece)
	return err
}

// protoValue is the value of a field: number for varints and fixed sizes,
// bytes for strings and messages.
type protoValue struct {
	number uint64
	bytes  []byte
}

// eachField calls f for each field of a message of protocol buffers.
func eachField(data []byte, f func(protowire.Number, protoValue) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("it is not a SentencePiece model: %w", protowire.ParseError(n))
		}
		data = data[n:]
		var value protoValue
		switch kind {
		case protowire.VarintType:
			value.number, n = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(data)
			value.number = uint64(v)
		case protowire.Fixed64Type:
			value.number, n = protowire.ConsumeFixed64(data)
		case protowire.BytesType:
			value.bytes, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return fmt.Errorf("it is not a SentencePiece model: %w", protowire.ParseError(n))
		}
		data = data[n:]
		if err := f(number, value); err != nil {
			return err
		}
	}
	return nil
}
