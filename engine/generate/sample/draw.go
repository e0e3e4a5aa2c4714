package sample

import (
	"cmp"
	"math"
	"slices"
)

// draw samples from softmax(logits/temperature), cut by min-p, top-k and top-p, by
// inverting its cumulative sum in float64 and in the order of the ids: the same seed
// gives the same token. best is the index of the largest logit.
func (s *Sampler) draw(logits []float32, best int) int {
	if cap(s.weights) < len(logits) {
		s.weights = make([]float64, len(logits))
	}
	w, p := s.weights[:len(logits)], s.params
	for i, v := range logits {
		w[i] = math.Exp((float64(v) - float64(logits[best])) / p.Temperature) // of the best: 1
		if w[i] < p.MinP {
			w[i] = 0
		}
	}
	if p.TopK > 0 && p.TopK < len(logits) {
		least := s.kthLargest(logits, p.TopK)
		for i, v := range logits {
			if v < least {
				w[i] = 0
			}
		}
	}
	if p.TopP > 0 && p.TopP < 1 {
		cutTail(w, 1-p.TopP)
	}
	total := 0.0
	for _, v := range w {
		total += v
	}
	left := s.rng.Float64() * total
	for i, v := range w {
		if left -= v; left < 0 {
			return i
		}
	}
	return best // rounding used up the sum
}

// cutTail sets to zero the smallest weights that together make up at most the share
// `tail` of the sum, as vLLM's top-p does; of equal ones the lowest ids stay. The largest
// always stays.
func cutTail(w []float64, tail float64) {
	total := 0.0
	for _, v := range w {
		total += v
	}
	// All weights up to this make up no more than the tail together, however many
	// they are: they go without being sorted.
	surely := tail * total / float64(len(w))
	sum := 0.0
	var rest []int
	for i, v := range w {
		if v > surely {
			rest = append(rest, i)
			continue
		}
		sum += v
		w[i] = 0
	}
	slices.SortFunc(rest, func(a, b int) int { // ascending; of equal ones the last id first
		return cmp.Or(cmp.Compare(w[a], w[b]), cmp.Compare(b, a))
	})
	for _, i := range rest[:max(len(rest)-1, 0)] {
		if sum += w[i]; sum > tail*total {
			return
		}
		w[i] = 0
	}
}

// kthLargest is the k-th largest of the values, by a heap of k with the smallest at
// its root. k is 1 to len(values).
func (s *Sampler) kthLargest(values []float32, k int) float32 {
	heap := s.largest[:0]
	for _, v := range values {
		if len(heap) < k {
			heap = append(heap, v)
			for i := len(heap) - 1; i > 0 && heap[i] < heap[(i-1)/2]; i = (i - 1) / 2 {
				heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
			}
		} else if v > heap[0] {
			heap[0] = v
			sink(heap)
		}
	}
	s.largest = heap
	return heap[0]
}

// sink moves the root of a heap down to its place.
func sink(heap []float32) {
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(heap) && heap[child+1] < heap[child] {
			child++
		}
		if child >= len(heap) || heap[i] <= heap[child] {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// candidates are the likeliest tokens that may be picked, best first, ties by id.
func (s *Sampler) candidates(logits []float32, norm float64) []Candidate {
	n := min(s.params.Top, len(logits))
	if n == 0 {
		return nil
	}
	least := s.kthLargest(logits, n)
	var top []Candidate
	for id, v := range logits {
		if v >= least && !math.IsInf(float64(v), -1) {
			top = append(top, Candidate{ID: id, Logprob: float64(v) - norm})
		}
	}
	slices.SortStableFunc(top, func(a, b Candidate) int { return cmp.Compare(b.Logprob, a.Logprob) })
	return top[:min(n, len(top))]
}
