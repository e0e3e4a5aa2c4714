package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"siglab/bench/compare"
)

// CSV writes one row per pair, metric and candidate. A number that cannot be given
// is empty.
func CSV(w io.Writer, c *compare.Comparison) error {
	cell := func(v float64) string {
		if !known(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	rows := [][]string{{"metric", "unit", "variant", "pair", "baseline", "candidate", "candidate_first"}}
	for _, m := range c.Metrics {
		for _, p := range m.Pairs {
			rows = append(rows, []string{m.Metric, m.Unit, m.Variant, strconv.Itoa(p.Pair), cell(p.Baseline), cell(p.Candidate), strconv.FormatBool(p.CandidateFirst)})
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}
