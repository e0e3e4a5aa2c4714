package compare

import (
	"maps"
	"slices"
)

// pair is one complete pair, or round: one block of every variant on the same
// slice of the workload.
type pair struct {
	number int
	blocks []*block // in order of the variants
}

// completePairs returns the pairs in which every variant has a block that counts:
// not void, and with an observation of every request. Of a block that was
// repeated, the last attempt that is not void is taken.
func completePairs(blocks []*block, variants int) []pair {
	found := map[int][]*block{}
	for _, b := range blocks {
		if b.Void != "" {
			continue
		}
		if found[b.Pair] == nil {
			found[b.Pair] = make([]*block, variants)
		}
		if before := found[b.Pair][b.arm]; before == nil || b.Attempt >= before.Attempt {
			found[b.Pair][b.arm] = b
		}
	}
	var out []pair
	for _, number := range slices.Sorted(maps.Keys(found)) {
		missing := func(b *block) bool { return b == nil || !b.whole }
		if !slices.ContainsFunc(found[number], missing) {
			out = append(out, pair{number, found[number]})
		}
	}
	return out
}

// values returns what one metric was in each pair, for the baseline and one
// candidate.
func (s *study) values(key string, candidate int) []PairValue {
	out := make([]PairValue, len(s.pairs))
	for i, p := range s.pairs {
		b, c := p.blocks[0], p.blocks[candidate]
		out[i] = PairValue{
			Pair: p.number, Baseline: b.values[key], Candidate: c.values[key], CandidateFirst: c.Slot < b.Slot,
		}
	}
	return out
}
