package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"siglab/bench/record"
)

// Shift says where in a distribution a candidate differs: the change at each decile,
// from pair to pair, with a pointwise interval. It is descriptive: nine deciles are
// nine looks at the same requests. (Doksum 1974; Rousselet, Pernet and Wilcox 2017.)
type Shift struct {
	Variant string // the candidate
	Latency string // "ttft_ms", "e2el_ms"
	Deciles []Decile
}

// Decile is the change of one quantile, in percent, NaN where it rests on failures.
type Decile struct {
	Quantile float64 // 0.1 to 0.9
	Change   Interval
}

// shifts computes the shift functions of every candidate.
func (s *study) shifts() []Shift {
	latencies := []struct {
		name string
		of   func(latencies) []float64
	}{
		{"ttft_ms", func(l latencies) []float64 { return l.ttft }},
		{"e2el_ms", func(l latencies) []float64 { return l.e2el }},
	}
	opt := s.options()
	var out []Shift
	for _, candidate := range s.candidates() {
		for _, latency := range latencies {
			sorted := make([][2][]float64, len(s.pairs)) // by pair: of the baseline and of the candidate
			for i, p := range s.pairs {
				sorted[i] = [2][]float64{latency.of(p.blocks[0].latencies), latency.of(p.blocks[candidate].latencies)}
			}
			shift := Shift{Variant: s.arms[candidate].Name, Latency: latency.name}
			for tenth := 1; tenth <= 9; tenth++ {
				q := float64(tenth) / 10
				ratios := make([]float64, len(sorted))
				for i, pair := range sorted {
					ratios[i] = math.Log(quantile(pair[1], q) / quantile(pair[0], q))
				}
				shift.Deciles = append(shift.Deciles, Decile{q, opt.interval(ratios).percent()})
			}
			out = append(out, shift)
		}
	}
	return out
}

// Strata describe one kind of request, so that an effect which only some feel is not
// averaged away.
type Strata struct {
	Variant string // the candidate
	By      string // "prompt tokens", "kilopixels of the image"
	Groups  []Stratum
}

// Stratum is one group of requests: the median TTFT of each pair's blocks, compared.
type Stratum struct {
	Name                string   // "97–128"
	Requests            int      // of the baseline, over all pairs
	Baseline, Candidate float64  // mean of the pairs' medians, ms
	Change              Interval // in percent, pointwise
}

// fewestOfStratum is the fewest requests that a block must have of a kind for its
// median to be looked at.
const fewestOfStratum = 5

// trait is a whole number by which requests are sorted into kinds.
type trait struct {
	by string
	of func(*record.Observation) (value int, known bool)
}

// strata compares the TTFT of the requests by the number of their prompt tokens, which
// the server counted, image tokens included, and by the size of their images as they
// were sent.
func (s *study) strata() []Strata {
	var out []Strata
	for _, t := range []trait{
		{"prompt tokens", func(o *record.Observation) (int, bool) { return o.PromptTokens, o.OK() }},
		{"kilopixels of the image", func(o *record.Observation) (int, bool) {
			size, known := s.run.Sizes[o.Item]
			return size[0] * size[1] / 1000, known && o.OK()
		}},
	} {
		bounds := s.bounds(t)
		if len(bounds) < 3 {
			continue
		}
		for _, candidate := range s.candidates() {
			if by := s.strataBy(t, bounds, candidate); len(by.Groups) > 1 {
				out = append(out, by)
			}
		}
	}
	return out
}

// strataBy compares one candidate's requests of each kind with the baseline's.
func (s *study) strataBy(t trait, bounds []int, candidate int) Strata {
	by := Strata{Variant: s.arms[candidate].Name, By: t.by}
	for i := range len(bounds) - 1 {
		low, high := bounds[i], bounds[i+1]
		last := i == len(bounds)-2
		in := func(o *record.Observation) bool {
			v, known := t.of(o)
			return known && v >= low && (v < high || last && v == high)
		}
		if g, ok := s.stratum(candidate, in); ok {
			g.Name = rangeName(low, high, last)
			by.Groups = append(by.Groups, g)
		}
	}
	return by
}

// bounds split the requests of the baseline into thirds of about as many; fewer than
// three bounds if they hardly differ.
func (s *study) bounds(t trait) []int {
	var values []float64
	for _, o := range s.observations(0) {
		if v, known := t.of(o); known {
			values = append(values, float64(v))
		}
	}
	slices.Sort(values)
	if len(values) == 0 {
		return nil
	}
	var bounds []int
	for _, q := range []float64{0, 1. / 3, 2. / 3, 1} {
		bounds = append(bounds, int(quantile(values, q)))
	}
	return slices.Compact(bounds)
}

// stratum compares the requests of one kind, pair by pair; ok is false if some block
// has too few of them.
func (s *study) stratum(candidate int, in func(*record.Observation) bool) (g Stratum, ok bool) {
	var ratios, baseline, other []float64
	for _, p := range s.pairs {
		var medians [2]float64
		for i, b := range []*block{p.blocks[0], p.blocks[candidate]} {
			var some []*record.Observation
			for _, o := range b.observations {
				if in(o) {
					some = append(some, o)
				}
			}
			if len(some) < fewestOfStratum {
				return g, false
			}
			if i == 0 {
				g.Requests += len(some)
			}
			medians[i] = quantile(latenciesOf(some).ttft, 0.5)
		}
		ratios = append(ratios, math.Log(medians[1]/medians[0]))
		baseline, other = append(baseline, medians[0]), append(other, medians[1])
	}
	g.Baseline, g.Candidate = mean(baseline), mean(other)
	g.Change = s.options().interval(ratios).percent()
	return g, len(ratios) > 0
}

// rangeName is "97–128": the last range includes its upper bound, the others end
// before it.
func rangeName(low, high int, last bool) string {
	if !last {
		high--
	}
	if low == high {
		return strconv.Itoa(low)
	}
	return fmt.Sprintf("%d–%d", low, high)
}
