package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram takes the segmentation of a word with the highest sum of log
// probabilities (Kudo 2018, section 3.2), found by the Viterbi algorithm.
type unigram struct {
	vocabulary
	scores       []float64 // by id
	trie         trie
	unk          int // id of the unknown token, -1 without one
	unkScore     float64
	byteFallback bool
}

// unkPenalty is how much less likely than the rarest token an unknown rune is,
// as in the library.
const unkPenalty = 10

// newUnigram makes a model of pieces in the order of their ids. Text cannot
// spell those that hidden says, if it is not nil.
func newUnigram(pieces []string, scores []float64, unk int, byteFallback bool, hidden func(id int) bool) (*unigram, error) {
	ids := make(map[string]int, len(pieces))
	lowest := math.Inf(1)
	for id, piece := range pieces {
		if other, ok := ids[piece]; ok {
			return nil, fmt.Errorf("tokens %d and %d are both %.40q", other, id, piece)
		}
		ids[piece] = id
		if math.IsNaN(scores[id]) || math.IsInf(scores[id], 0) {
			return nil, fmt.Errorf("token %d, %.40q, has the score %v, which is not finite", id, piece, scores[id])
		}
		if hidden == nil || !hidden(id) {
			lowest = min(lowest, scores[id])
		}
	}
	v, err := newVocabulary(ids)
	if err != nil {
		return nil, err
	}
	if unk >= len(pieces) {
		return nil, fmt.Errorf("unk_id is %d, but there are %d tokens", unk, len(pieces))
	}
	u := &unigram{vocabulary: v, scores: scores, unk: unk, unkScore: lowest - unkPenalty, byteFallback: byteFallback}
	for id, piece := range pieces {
		if len(piece) > maxAddedLength {
			return nil, fmt.Errorf("token %d has %d bytes; at most %d are supported", id, len(piece), maxAddedLength)
		}
		if piece != "" && (hidden == nil || !hidden(id)) {
			u.trie.insert(piece, id)
		}
	}
	return u, nil
}

// path is the best segmentation that ends at a position.
type path struct {
	score float64
	start int // of its last part, -1 while there is none
	id    int
}

func (u *unigram) encode(ids []int, word string) ([]int, error) {
	best := make([]path, len(word)+1)
	for i := range best {
		best[i].start = -1
	}
	for start := 0; start < len(word); {
		here := best[start].score
		_, size := utf8.DecodeRuneInString(word[start:])
		single := false // a token covers exactly this rune
		offer := func(end int, score float64, id int) {
			if p := &best[end]; p.start < 0 || score > p.score {
				*p = path{score, start, id}
			}
		}
		u.trie.prefixes(word[start:], func(id, length int) {
			offer(start+length, u.scores[id]+here, id)
			single = single || length == size
		})
		if !single {
			if u.unk < 0 {
				return nil, errors.New("the vocabulary has no token for " + fmt.Sprintf("%q", word[start:start+size]) + ", and no unk_id")
			}
			offer(start+size, u.unkScore+here, u.unk)
		}
		start += size
	}
	for _, part := range u.parts(best, word) {
		ids = u.appendPart(ids, part)
	}
	return ids, nil
}

// parts follows the best path back; adjacent unknown parts become one.
func (u *unigram) parts(best []path, word string) []string {
	var parts []string
	unknownEnd := -1 // end of the unknown run that is being followed
	for end := len(word); end > 0; end = best[end].start {
		unknown := best[end].id == u.unk
		if unknown && unknownEnd < 0 {
			unknownEnd = end
		}
		if !unknown {
			if unknownEnd > 0 {
				parts = append(parts, word[end:unknownEnd])
				unknownEnd = -1
			}
			parts = append(parts, word[best[end].start:end])
		}
	}
	if unknownEnd > 0 {
		parts = append(parts, word[:unknownEnd])
	}
	slices.Reverse(parts)
	return parts
}

// appendPart appends the token of part, else its bytes, else the unknown one.
func (u *unigram) appendPart(ids []int, part string) []int {
	if id, ok := u.ids[part]; ok {
		return append(ids, int(id))
	}
	if u.byteFallback {
		n := len(ids)
		for i := range len(part) {
			id, ok := u.ids[fmt.Sprintf("<0x%02X>", part[i])]
			if !ok {
				return append(ids[:n], u.unk)
			}
			ids = append(ids, int(id))
		}
		return ids
	}
	return append(ids, u.unk)
}
