package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"siglab/bench/changepoint"
)

// Trend is one metric of one experiment over its runs.
type Trend struct {
	Experiment string  `json:"experiment"`
	Metric     string  `json:"metric"`
	Variant    string  `json:"variant"`
	Change     bool    `json:"of_change"` // the values are changes against the baseline in percent, not values in Unit
	Unit       string  `json:"unit"`
	Points     []Point `json:"points"`
	Steps      []Step  `json:"changes"`
	Skipped    int     `json:"skipped"` // runs of the experiment that are not valid, or have no value
}

// Point is one run of a trend.
type Point struct {
	Run   Run     `json:"run"`
	Value float64 `json:"value"`
}

// Step is where the level of a trend changes.
type Step struct {
	At      int     `json:"at"` // index of the first point of the new level
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	Percent float64 `json:"change_pct"`
	P       float64 `json:"p"`
}

// Question is which trend is asked for.
type Question struct {
	Metric     string
	Variant    string // "": the baseline, or the first candidate where Change
	Experiment string // beginning of one; "": that of the newest run that has the metric
	Change     bool   // of the candidate against the baseline in percent
}

// Follow makes the trend of one metric over the runs, which are in order of time.
func Follow(runs []Run, q Question) (Trend, error) {
	t := Trend{Metric: q.Metric, Variant: q.Variant, Change: q.Change, Points: []Point{}, Steps: []Step{}}
	for _, r := range slices.Backward(runs) {
		if strings.HasPrefix(r.Experiment, q.Experiment) && slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Metric == q.Metric }) {
			t.Experiment = r.Experiment
			break
		}
	}
	if t.Experiment == "" {
		return t, fmt.Errorf("no run of experiment %q has a metric %q; there are %s", q.Experiment, q.Metric, strings.Join(metricNames(runs), ", "))
	}
	var values []float64
	for _, r := range runs {
		if r.Experiment != t.Experiment {
			continue
		}
		if t.Variant == "" && q.Change && len(r.Variants) > 1 {
			t.Variant = r.Variants[1]
		} else if t.Variant == "" {
			t.Variant = r.Variants[0]
		}
		v, unit := r.value(t)
		if v == nil || !r.Valid {
			t.Skipped++
			continue
		}
		t.Unit = unit
		t.Points, values = append(t.Points, Point{r, *v}), append(values, *v)
	}
	if len(values) > changepoint.Most {
		t.Skipped += len(values) - changepoint.Most
		t.Points, values = t.Points[len(values)-changepoint.Most:], values[len(values)-changepoint.Most:]
	}
	changes, err := changepoint.Find(values, changepoint.Options{}, rand.New(rand.NewPCG(1, 1))) // a fixed seed: the same runs, the same answer
	if err != nil {
		return t, err
	}
	for _, c := range changes {
		percent := 100 * (c.After/c.Before - 1)
		if q.Change {
			percent = c.After - c.Before // percent already
		}
		t.Steps = append(t.Steps, Step{c.At, c.Before, c.After, percent, c.P})
	}
	return t, nil
}

// value is a run's value of a trend, nil if it has none.
func (r Run) value(t Trend) (*float64, string) {
	for _, m := range r.Metrics {
		switch {
		case m.Metric != t.Metric:
		case t.Change && m.Variant == t.Variant:
			return m.Change, "%"
		case t.Change:
		case m.Variant == t.Variant:
			return m.Candidate, m.Unit
		case r.Variants[0] == t.Variant:
			return m.Baseline, m.Unit
		}
	}
	return nil, ""
}

// metricNames are those of all runs.
func metricNames(runs []Run) []string {
	var names []string
	for _, r := range runs {
		for _, m := range r.Metrics {
			names = append(names, m.Metric)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
