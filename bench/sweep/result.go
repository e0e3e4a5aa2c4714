package sweep

import (
	"math"

	"siglab/bench/compare"
)

// Result is a sweep with what its points brought.
type Result struct {
	Axes    []Axis
	Reports []Report // in order of the points
}

// Report is one point and its comparison.
type Report struct {
	Point
	RunDir     string              // relative to the sweep's directory
	Comparison *compare.Comparison // nil: there is none
	Missing    string              // why there is none
}

// Row is one line of the table: a primary metric of a candidate at a point.
type Row struct {
	Point  string
	Report *Report
	compare.Metric
	PSweep float64 // adjusted by Holm over all rows of valid runs; NaN for others
}

var unknown = compare.Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}

// Rows are the primary metrics of all points. A point whose load differs in kind has
// other primaries.
func (r Result) Rows() []Row {
	var rows []Row
	var p []float64
	var at []int
	for i := range r.Reports {
		report := &r.Reports[i]
		if report.Comparison == nil {
			continue
		}
		for _, m := range report.Comparison.Metrics {
			if !m.Primary {
				continue
			}
			if report.Comparison.Valid {
				p, at = append(p, m.P), append(at, len(rows))
			}
			rows = append(rows, Row{Point: report.String(), Report: report, Metric: m, PSweep: math.NaN()})
		}
	}
	for i, adjusted := range compare.Holm(p) {
		rows[at[i]].PSweep = adjusted
	}
	return rows
}

// Claims are all claims that some point is about.
func (r Result) Claims() []Tested {
	var out []Tested
	for _, report := range r.Reports {
		if report.Comparison != nil {
			out = append(out, testClaims(report.String(), report.Comparison)...)
		}
	}
	return out
}

// Incomplete counts the points without a valid comparison.
func (r Result) Incomplete() int {
	n := 0
	for _, report := range r.Reports {
		if report.Comparison == nil || !report.Comparison.Valid {
			n++
		}
	}
	return n
}
