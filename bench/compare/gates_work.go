package compare

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/record"
)

// mostTokenError is how far the arms' output tokens may be apart, relative.
const mostTokenError = 0.01

// checkWorkload: all blocks of a pair replayed the same frozen slice.
func checkWorkload(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	var problems []string
	for _, p := range s.pairs {
		for _, b := range p.blocks {
			switch base := p.blocks[0]; {
			case b.SliceHash == "":
				return unchecked("block %d has no hash of its slice", b.ID)
			case b.SliceHash != base.SliceHash:
				problems = append(problems, fmt.Sprintf("pair %d: variant %q replayed slice %.12s, %q %.12s", p.number, base.Variant, base.SliceHash, b.Variant, b.SliceHash))
			}
		}
	}
	return outcome(problems, fmt.Sprintf("the same slice in both arms of all %d pairs", len(s.pairs)))
}

// checkInputs: request by request, the arms got the same item and counted the same
// prompt tokens, image tokens included.
func checkInputs(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	var problems []string
	requests := 0
	s.eachRequest(func(p pair, _ int, b, c *record.Observation) {
		requests++
		switch {
		case b.Item != c.Item:
			problems = append(problems, fmt.Sprintf("pair %d request %d: item %q (%s) and %q (%s)", p.number, b.Index, b.Item, b.Variant, c.Item, c.Variant))
		case b.OK() && c.OK() && b.PromptTokens != c.PromptTokens:
			problems = append(problems, fmt.Sprintf("pair %d request %d: %d prompt tokens (%s) and %d (%s)", p.number, b.Index, b.PromptTokens, b.Variant, c.PromptTokens, c.Variant))
		}
	})
	return outcome(problems, fmt.Sprintf("the same items and prompt tokens in all %d requests", requests))
}

// eachRequest calls do with every request of every complete pair as the baseline
// and as each candidate saw it. Blocks of one pair that have different numbers of
// requests are walked to the end of the shorter.
func (s *study) eachRequest(do func(p pair, candidate int, baseline, other *record.Observation)) {
	for _, p := range s.pairs {
		for _, c := range s.candidates() {
			for i, b := range p.blocks[0].observations {
				if i < len(p.blocks[c].observations) {
					do(p, c, b, p.blocks[c].observations[i])
				}
			}
		}
	}
}

// checkOutputTokens: the arms wrote answers of the same length, summed over the
// requests that both answered.
func checkOutputTokens(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	baseline, other := make([]int, len(s.arms)), make([]int, len(s.arms))
	s.eachRequest(func(_ pair, candidate int, b, c *record.Observation) {
		if b.OK() && c.OK() {
			baseline[candidate] += b.OutputTokens
			other[candidate] += c.OutputTokens
		}
	})
	var all, problems []string
	for _, c := range s.candidates() {
		if baseline[c] == 0 {
			return unchecked("no output tokens were counted in requests that %q and %q both answered", s.arms[0].Name, s.arms[c].Name)
		}
		off := float64(other[c])/float64(baseline[c]) - 1
		text := fmt.Sprintf("%d output tokens (%s) and %d (%s), %+.2f %%, within ±%g %%", baseline[c], s.arms[0].Name, other[c], s.arms[c].Name, 100*off, 100*mostTokenError)
		all = append(all, text)
		if math.Abs(off) > mostTokenError {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// checkErrors: requests failed equally often in all arms, and not all of them.
func checkErrors(s *study) finding {
	if len(s.pairs) == 0 {
		return unchecked(noPairs)
	}
	var all []string
	equal, dead := true, false
	var share []float64
	for arm, v := range s.arms {
		requests, failures, first := 0, 0, ""
		for _, o := range s.observations(arm) {
			requests++
			if o.OK() {
				continue
			}
			failures++
			if first == "" {
				first = fmt.Sprintf(" (first: %.120s)", reason(o))
			}
		}
		share = append(share, float64(failures)/float64(requests))
		all = append(all, fmt.Sprintf("variant %q: %d of %d requests failed%s", v.Name, failures, requests, first))
		equal = equal && share[arm] == share[0]
		dead = dead || failures == requests
	}
	text := strings.Join(all, "; ")
	if dead || !equal {
		return finding{failed, text}
	}
	return finding{passed, text}
}

// reason is why a request failed.
func reason(o *record.Observation) string {
	if o.Error == "" {
		return "no token was received"
	}
	return o.Error
}
