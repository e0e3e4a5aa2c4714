package compare

import (
	"math"

	"siglab/bench/record"
)

// work compares the answers of every candidate with the baseline's, request by
// request, in the complete pairs.
func (s *study) work() []Work {
	asked := s.probes()
	out := make([]Work, len(s.arms)-1)
	at := make([][]float64, len(out)) // index of the first differing token
	for i, c := range s.candidates() {
		out[i].Variant = s.arms[c].Name
	}
	s.eachRequest(func(_ pair, candidate int, b, c *record.Observation) {
		if !b.OK() || !c.OK() || b.Item != c.Item {
			return
		}
		w := &out[candidate-1]
		w.Compared++
		if b.Text == c.Text {
			w.Same++
		}
		if b.OutputTokens == c.OutputTokens {
			w.SameLength++
		}
		token, saidB, saidC, differ := record.FirstDivergence(b, c)
		if !differ {
			return
		}
		at[candidate-1] = append(at[candidate-1], float64(token))
		probe, found := asked[probeKey{w.Variant, b.Item}]
		if !found {
			probe = record.GapProbe{Variant: w.Variant, Item: b.Item, Token: token, Gap: math.NaN(), Baseline: saidB, Other: saidC, Err: "not asked"}
		}
		w.Probes = append(w.Probes, probe)
	})
	for i := range out {
		out[i].Divergence = median(at[i])
	}
	return out
}

// probeKey finds the answer to "how close was the call?".
type probeKey struct{ variant, item string }

func (s *study) probes() map[probeKey]record.GapProbe {
	asked := map[probeKey]record.GapProbe{}
	for _, p := range s.run.Manifest.Divergences {
		asked[probeKey{p.Variant, p.Item}] = p
	}
	return asked
}
