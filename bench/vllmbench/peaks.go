package vllmbench

import (
	"cmp"
	"slices"
	"time"

	"siglab/bench/record"
)

// peaks returns the most chunks that arrived in one second, and the most completed
// requests that were active in one second, counting whole seconds from the first
// send of a completed request.
//
// As in vLLM 0.32, a request is active in every second it touches, so two requests
// of the same second count as concurrent even if they did not overlap, and a chunk
// counts as one token.
func peaks(obs []record.Observation) (tokens, concurrent int) {
	origin, found := firstSend(obs)
	if !found {
		return 0, 0
	}
	second := func(t time.Duration) int64 { return int64((t - origin) / time.Second) }
	chunks := make(map[int64]int)
	var edges []edge
	for i := range obs {
		o := &obs[i]
		if !o.OK() {
			continue
		}
		for _, at := range o.ChunkAt {
			chunks[second(at)]++
			tokens = max(tokens, chunks[second(at)])
		}
		edges = append(edges, edge{second(o.Sent), +1}, edge{second(o.LastToken) + 1, -1})
	}
	return tokens, mostAtOnce(edges)
}

// firstSend returns when the first completed request was sent, and whether there
// is one.
func firstSend(obs []record.Observation) (first time.Duration, found bool) {
	for i := range obs {
		if obs[i].OK() && (!found || obs[i].Sent < first) {
			first, found = obs[i].Sent, true
		}
	}
	return first, found
}

// edge is a change of the number of active requests at the start of a second.
type edge struct {
	second int64
	delta  int
}

// mostAtOnce returns the largest running sum of the edges in order of time.
func mostAtOnce(edges []edge) int {
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.delta, b.delta))
	})
	var now, most int
	for _, e := range edges {
		now += e.delta
		most = max(most, now)
	}
	return most
}
