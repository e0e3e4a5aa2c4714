package compare

import (
	"cmp"
	"math"
	"slices"

	"siglab/bench/record"
)

// Request is one request of a complete pair as every variant saw it.
type Request struct {
	Pair  int
	Index int    // in the slice
	Item  string // record.Item.ID
	Seen  []Seen // by variant, the baseline first
}

// Seen is what came of a request with one variant.
type Seen struct {
	TTFT    float64 // ms; NaN if it failed
	E2EL    float64
	Tokens  int    // of the answer
	Failure string // why it failed, "" if it did not
	Text    string
	Same    bool // the text is the baseline's
}

// mostRequests bounds the requests that are told one by one.
const mostRequests = 200

// requests are those of all complete pairs or, of many, the ones that failed and the
// slowest, in order. Of how many they are is the second result.
func (s *study) requests() (told []Request, all int) {
	type place struct {
		pair, index int
		failed      bool
		slowest     int64 // TTFT, ns
	}
	var places []place
	for i, p := range s.pairs {
		for k := range p.shortest() {
			at := place{pair: i, index: k}
			for _, b := range p.blocks {
				o := b.observations[k]
				at.failed = at.failed || !o.OK()
				at.slowest = max(at.slowest, int64(o.FirstToken-o.Scheduled))
			}
			places = append(places, at)
		}
	}
	all = len(places)
	if all > mostRequests {
		slices.SortStableFunc(places, func(a, b place) int {
			if a.failed != b.failed {
				if a.failed {
					return -1
				}
				return 1
			}
			return cmp.Compare(b.slowest, a.slowest)
		})
		places = places[:mostRequests]
		slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.pair, b.pair), cmp.Compare(a.index, b.index)) })
	}
	for _, at := range places {
		told = append(told, s.pairs[at.pair].request(at.index))
	}
	return told, all
}

// shortest is the number of requests that all blocks of a pair have.
func (p pair) shortest() int {
	n := len(p.blocks[0].observations)
	for _, b := range p.blocks {
		n = min(n, len(b.observations))
	}
	return n
}

func (p pair) request(index int) Request {
	base := p.blocks[0].observations[index]
	r := Request{Pair: p.number, Index: base.Index, Item: base.Item}
	for _, b := range p.blocks {
		r.Seen = append(r.Seen, seen(b.observations[index], base))
	}
	return r
}

func seen(o, base *record.Observation) Seen {
	if !o.OK() {
		return Seen{TTFT: math.NaN(), E2EL: math.NaN(), Failure: reason(o), Text: o.Text}
	}
	return Seen{
		TTFT: milliseconds(o.FirstToken - o.Scheduled), E2EL: milliseconds(o.LastToken - o.Scheduled),
		Tokens: o.OutputTokens, Text: o.Text, Same: base.OK() && o.Text == base.Text,
	}
}
