package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/sidebyside"
)

// sideJSON is the comparison of result files; the metrics have the keys of
// comparison.json.
type sideJSON struct {
	Source     []string      `json:"source"` // every file, the baseline's first
	Files      []fileJSON    `json:"files"`
	Paired     bool          `json:"paired"`
	Comparable bool          `json:"comparable"`
	Metrics    []metricJSON  `json:"metrics"`
	Warnings   []warningJSON `json:"warnings"`
}

// fileJSON is one run of a side.
type fileJSON struct {
	Side        string        `json:"side"`
	Source      string        `json:"source"`
	Tool        string        `json:"tool"`
	Version     string        `json:"version"`
	Format      string        `json:"format"`
	Date        string        `json:"date"` // RFC 3339 without a zone, "" if unknown
	Model       string        `json:"model"`
	Completed   number        `json:"completed"`
	Failed      number        `json:"failed"`
	Input       number        `json:"total_input_tokens"`
	Output      number        `json:"total_output_tokens"`
	Rate        number        `json:"request_rate"`
	Concurrency number        `json:"max_concurrency"`
	Duration    number        `json:"duration"`
	Notes       []warningJSON `json:"notes"`
}

// SideJSON is the comparisons as one value for encoding/json: one, or one for each
// variant that two run directories share.
func SideJSON(comparisons []*sidebyside.Comparison) any {
	d := sideJSON{Comparable: true, Metrics: []metricJSON{}, Warnings: []warningJSON{}}
	for _, c := range comparisons {
		d.add(c)
	}
	return d
}

func (d *sideJSON) add(c *sidebyside.Comparison) {
	d.Paired, d.Comparable = c.Paired, d.Comparable && c.Comparable
	for _, r := range c.Baseline {
		d.Source, d.Files = append(d.Source, r.Source), append(d.Files, fileDocument("baseline", r))
	}
	for _, r := range c.Candidate {
		d.Source, d.Files = append(d.Source, r.Source), append(d.Files, fileDocument("candidate", r))
	}
	for _, m := range c.Metrics {
		d.Metrics = append(d.Metrics, metricDocument(m))
	}
	for _, w := range c.Warnings {
		if !slices.Contains(d.Warnings, warningJSON(w)) {
			d.Warnings = append(d.Warnings, warningJSON(w))
		}
	}
}

func fileDocument(side string, r peerfiles.Result) fileJSON {
	of := func(key string) number {
		if v, ok := r.Get(key); ok {
			return num(v)
		}
		return nil
	}
	f := fileJSON{
		Side: side, Source: r.Source, Tool: r.Tool, Version: r.Version, Format: r.Format, Model: r.About.Model,
		Completed: of("completed"), Failed: of("failed"), Input: of("total_input_tokens"), Output: of("total_output_tokens"),
		Rate: of("request_rate"), Concurrency: of("max_concurrency"), Duration: of("duration"), Notes: []warningJSON{},
	}
	if !r.About.Date.IsZero() {
		f.Date = r.About.Date.Format("2006-01-02T15:04:05")
	}
	for _, n := range r.Notes {
		f.Notes = append(f.Notes, warningJSON{n.Code, n.Text})
	}
	return f
}

// SideCSV writes one row per metric. A number that cannot be given is empty.
func SideCSV(w io.Writer, comparisons []*sidebyside.Comparison) error {
	cell := func(v float64) string {
		if !known(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	rows := [][]string{{
		"metric", "unit", "variant", "baseline", "candidate", "change_pct", "ci_low_pct", "ci_high_pct",
		"change_abs", "ci_low_abs", "ci_high_abs", "p", "p_holm", "verdict", "mde_pct", "primary",
	}}
	for _, c := range comparisons {
		for _, m := range c.Metrics {
			rows = append(rows, []string{
				m.Metric, m.Unit, m.Variant, cell(m.Baseline), cell(m.Candidate), cell(m.Percent.Value), cell(m.Percent.Low), cell(m.Percent.High),
				cell(m.Absolute.Value), cell(m.Absolute.Low), cell(m.Absolute.High), cell(m.P), cell(m.PHolm), string(m.Verdict), cell(m.MDE), strconv.FormatBool(m.Primary),
			})
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// SideBenchstat writes the runs in the Go benchmark format, one line per run with all
// its metrics, for `benchstat -col side -`.
func SideBenchstat(w io.Writer, comparisons []*sidebyside.Comparison) error {
	var b bytes.Buffer
	units := map[string]bool{}
	for _, c := range comparisons {
		for _, m := range c.Metrics {
			if better := map[compare.Direction]string{compare.LowerIsBetter: "lower", compare.HigherIsBetter: "higher"}[m.Better]; better != "" && !units[m.Metric] {
				units[m.Metric] = true
				fmt.Fprintf(&b, "Unit %s better=%s\n", m.Metric, better)
			}
		}
	}
	for _, c := range comparisons {
		name := "BenchmarkServing"
		if len(c.Metrics) > 0 && c.Metrics[0].Variant != "candidate" {
			name += "/variant=" + strings.ReplaceAll(c.Metrics[0].Variant, " ", "_")
		}
		for _, side := range []struct {
			name string
			runs []peerfiles.Result
		}{{"baseline", c.Baseline}, {"candidate", c.Candidate}} {
			fmt.Fprintf(&b, "\nside: %s\n", side.name)
			for _, r := range side.runs {
				b.WriteString(name + " 1")
				for _, v := range r.Metrics {
					fmt.Fprintf(&b, " %s %s", strconv.FormatFloat(v.Value, 'g', -1, 64), v.Key)
				}
				b.WriteString("\n")
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
