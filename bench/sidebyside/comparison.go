package sidebyside

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/vllmbench"
)

// Comparison is what the results say. Its metrics are in the order in which vLLM
// prints them.
type Comparison struct {
	Baseline, Candidate []peerfiles.Result // the runs of each side, at least one
	Paired              bool
	Comparable          bool // nothing seen in the files forbids a verdict
	Metrics             []compare.Metric
	Warnings            []compare.Warning
}

// Options say how to compare.
type Options struct {
	Variant     string  // the candidate's name; "" means "candidate"
	Paired      bool    // run i of both sides belong together
	Equivalence float64 // margin of equivalence, relative; 0 means 0.02
	NoiseFloor  float64 // effects no larger than this, relative, are noise
}

// Single reports whether there is one run per side, which gives no estimate of noise.
func (c *Comparison) Single() bool { return len(c.Baseline) == 1 && len(c.Candidate) == 1 }

// Compare compares the runs of two sides.
func Compare(baseline, candidate []peerfiles.Result, o Options) (*Comparison, error) {
	switch {
	case len(baseline) == 0 || len(candidate) == 0:
		return nil, errors.New("both sides need a result")
	case o.Paired && len(baseline) != len(candidate):
		return nil, fmt.Errorf("paired runs come in twos, but there are %d of the baseline and %d of the candidate", len(baseline), len(candidate))
	}
	if o.Variant == "" {
		o.Variant = "candidate"
	}
	c := &Comparison{Baseline: baseline, Candidate: candidate, Paired: o.Paired}
	var obstacles []compare.Warning
	obstacles, c.Warnings = check(baseline, candidate)
	c.Comparable = len(obstacles) == 0
	c.Warnings = slices.Concat(obstacles, c.Warnings, design(c, o))
	all := slices.Concat(baseline, candidate)
	c.Metrics = compare.Runs(c.samples(all), compare.RunOptions{
		Variant: o.Variant, Paired: o.Paired && !c.Single(), ManyRequests: manyRequests(all), Saturated: saturated(all),
		Equivalence: o.Equivalence, NoiseFloor: o.NoiseFloor,
	})
	return c, nil
}

// samples collects the values of every metric that any result has.
func (c *Comparison) samples(all []peerfiles.Result) []compare.RunSample {
	var out []compare.RunSample
	for _, m := range metricsOf(all) {
		s := compare.RunSample{Metric: m.Key, Unit: m.Unit, Better: compare.Direction(m.Better)}
		s.Baseline, s.Candidate = values(c.Baseline, m.Key), values(c.Candidate, m.Key)
		s.Notes = c.metricNotes(m.Key)
		if !c.Comparable && !c.Single() {
			s.NoVerdict = true
			s.Notes = append(s.Notes, warning("not-comparable", "The runs are not comparable (%s), so there is no verdict.", c.Warnings[0].Code))
		}
		out = append(out, s)
	}
	return out
}

// metricsOf returns the metrics that any result has, in the order in which vLLM prints
// them, percentiles ascending behind the other statistics of their section.
func metricsOf(results []peerfiles.Result) []vllmbench.Metric {
	place := map[string]float64{} // of a metric: its index, and for a percentile a fraction behind the deviation
	for i, m := range vllmbench.Metrics() {
		place[m.Key] = float64(i)
	}
	var found []vllmbench.Metric
	listed := map[string]bool{}
	for _, r := range results {
		for _, v := range r.Metrics {
			m, ok := vllmbench.Describe(v.Key)
			if !ok || listed[v.Key] {
				continue
			}
			listed[v.Key] = true
			found = append(found, m)
			stat, section, _ := strings.Cut(v.Key, "_")
			if percent, err := strconv.ParseFloat(strings.TrimPrefix(stat, "p"), 64); err == nil && strings.HasSuffix(section, "_ms") {
				place[v.Key] = place["std_"+section] + (1+percent)/200
			}
		}
	}
	slices.SortStableFunc(found, func(a, b vllmbench.Metric) int { return cmp.Compare(place[a.Key], place[b.Key]) })
	return found
}

// values of one metric, nil unless every run has it.
func values(runs []peerfiles.Result, key string) []float64 {
	var out []float64
	for _, r := range runs {
		v, ok := r.Get(key)
		if !ok {
			return nil
		}
		out = append(out, v)
	}
	return out
}

// metricNotes say what a latency means on either side where that differs, and what a
// reader of each tool should know about it.
func (c *Comparison) metricNotes(key string) []compare.Warning {
	section := sectionOf(key)
	if section == "" {
		return nil
	}
	a, b := c.Baseline[0].Tool, c.Candidate[0].Tool
	meansA, meansB := peerfiles.Meaning(a, section), peerfiles.Meaning(b, section)
	var notes []compare.Warning
	if a != b && meansA != meansB && meansA != "" && meansB != "" {
		notes = append(notes, warning("definition-differs", "%s measures %s; %s %s.", a, meansA, b, meansB))
	}
	seen := map[string]bool{}
	for _, r := range append(append([]peerfiles.Result{}, c.Baseline...), c.Candidate...) {
		for _, n := range r.Notes {
			if n.Section == section && !seen[n.Text] {
				seen[n.Text] = true
				notes = append(notes, compare.Warning{Code: n.Code, Text: n.Text})
			}
		}
	}
	return notes
}

// sectionOf is "ttft" for "p99_ttft_ms", "" for what is no latency.
func sectionOf(key string) string {
	for _, section := range [...]string{"ttft", "tpot", "itl", "e2el"} {
		if strings.HasSuffix(key, "_"+section+"_ms") {
			return section
		}
	}
	return ""
}

// fewestForP99 is the fewest requests that bound a 99th percentile, as in package
// compare.
const fewestForP99 = 300

func manyRequests(all []peerfiles.Result) bool {
	for _, r := range all {
		if n, ok := r.Get("completed"); !ok || n < fewestForP99 {
			return false
		}
	}
	return true
}

// saturated reports whether nothing but the server limits the throughput of any run.
func saturated(all []peerfiles.Result) bool {
	for _, r := range all {
		if !r.About.Endless {
			return false
		}
	}
	return true
}

func warning(code, format string, args ...any) compare.Warning {
	return compare.Warning{Code: code, Text: fmt.Sprintf(format, args...)}
}

// average is NaN unless every run has the metric.
func average(runs []peerfiles.Result, key string) float64 {
	all := values(runs, key)
	if len(all) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}
