package generate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// sampler picks the next token of one request.
type sampler struct {
	temperature float64
	rng         *rand.Rand
	top         int // candidates to report; below 0: no log probabilities
}

// next picks from logits [vocabulary]; those of tokens that may not be sampled are
// −Inf. At temperature 0 ties go to the lowest id.
func (s *sampler) next(logits []float32) Token {
	best := argmax(logits)
	id := best
	if s.temperature > 0 {
		id = s.draw(logits, best)
	}
	token := Token{ID: id}
	if s.top >= 0 {
		norm := logSumExp(logits, best)
		token.Logprob = float64(logits[id]) - norm
		token.Top = topCandidates(logits, norm, s.top)
	}
	return token
}

func argmax(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}

// draw samples from softmax(logits/temperature) by inverting its cumulative sum, in
// float64 and in the order of the ids: the same seed gives the same token.
func (s *sampler) draw(logits []float32, best int) int {
	weight := func(v float32) float64 {
		return math.Exp((float64(v) - float64(logits[best])) / s.temperature)
	}
	total := 0.0
	for _, v := range logits {
		total += weight(v)
	}
	left := s.rng.Float64() * total
	for i, v := range logits {
		if left -= weight(v); left < 0 {
			return i
		}
	}
	return best // rounding used up the sum
}

// logSumExp is log Σ exp(logits), given the index of the largest.
func logSumExp(logits []float32, best int) float64 {
	largest := float64(logits[best])
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}

// topCandidates are the n likeliest tokens that may be sampled, best first, ties by
// id.
func topCandidates(logits []float32, norm float64, n int) []Candidate {
	var ids []int
	for id, v := range logits {
		if !math.IsInf(float64(v), -1) {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b int) int {
		switch {
		case logits[a] > logits[b]:
			return -1
		case logits[a] < logits[b]:
			return +1
		}
		return 0
	})
	var top []Candidate
	for _, id := range ids[:min(n, len(ids))] {
		top = append(top, Candidate{ID: id, Logprob: float64(logits[id]) - norm})
	}
	return top
}
