package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"siglab/bench/vllmbench"
)

// Side is two result files side by side. One run per arm gives no estimate of noise,
// so there is never a verdict.
type Side struct {
	Sources [2]string
	Rows    []SideRow
}

// SideRow is one metric of both files; NaN where a file does not have it.
type SideRow struct {
	vllmbench.Metric
	Baseline, Candidate float64
}

// noVerdict is what there is to say about one run per arm.
const noVerdict = "one run per arm: no noise estimate, no verdict"

// SideBySide puts the metrics of two results next to each other, in the order in
// which vLLM prints them; metrics that neither has are left out.
func SideBySide(baseline, candidate vllmbench.Log) Side {
	s := Side{Sources: [2]string{baseline.Source, candidate.Source}}
	listed := map[string]bool{}
	add := func(m vllmbench.Metric) {
		a, inA := baseline.Get(m.Key)
		b, inB := candidate.Get(m.Key)
		if listed[m.Key] || !inA && !inB {
			return
		}
		listed[m.Key] = true
		if !inA {
			a = math.NaN()
		}
		if !inB {
			b = math.NaN()
		}
		s.Rows = append(s.Rows, SideRow{m, a, b})
	}
	for _, m := range vllmbench.Metrics() {
		add(m)
	}
	for _, log := range []vllmbench.Log{baseline, candidate} { // percentiles other than the 99th
		for _, v := range log.Metrics {
			if m, ok := vllmbench.Describe(v.Key); ok {
				add(m)
			}
		}
	}
	return s
}

// Change is the change in percent, NaN if there is none.
func (r SideRow) Change() float64 {
	if r.Baseline == 0 {
		return math.NaN()
	}
	return 100 * (r.Candidate - r.Baseline) / r.Baseline
}

// change prints the change in percent, rounded half away from zero.
func (r SideRow) change() string {
	switch {
	case math.IsNaN(r.Baseline) || math.IsNaN(r.Candidate):
		return "-"
	case r.Baseline == 0:
		return "n/a"
	}
	rounded := math.Round(10*r.Change()) / 10
	if rounded == 0 {
		return "0.0%"
	}
	return fmt.Sprintf("%+.1f%%", rounded)
}

// annotation says whether the change is for the better.
func (r SideRow) annotation() string {
	change := r.Change()
	switch {
	case math.IsNaN(change) || r.Better == vllmbench.Neither:
		return ""
	case math.Abs(change) < 0.05:
		return "same"
	case change > 0 == (r.Better == vllmbench.Higher):
		return "better"
	}
	return "worse"
}

// Text prints the metrics in sections, then the sentence about the verdict, then the
// Markdown table after its mark.
func (s Side) Text(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "baseline:  %s\ncandidate: %s\n", s.Sources[0], s.Sources[1])
	heading := ""
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range s.Rows {
		if h := section(r.Key); h != heading {
			heading = h
			_ = table.Flush() // into memory
			fmt.Fprintf(&b, "\n%s\n", heading)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", r.Label+unitSuffix(r.Unit), sideValue(r.Baseline), sideValue(r.Candidate), r.change(), r.annotation())
	}
	_ = table.Flush()
	fmt.Fprintf(&b, "\n%s%s; run `siglab bench` for paired blocks.\n\n%s\n\n", strings.ToUpper(noVerdict[:1]), noVerdict[1:], tableMark)
	s.markdown(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// markdown writes the table: the latencies and throughputs first, as many rows as
// fit.
func (s Side) markdown(b *bytes.Buffer) {
	b.WriteString("| Metric | Baseline | Candidate | Change |\n|---|---:|---:|---:|\n")
	rows := 0
	for _, important := range []bool{true, false} {
		for _, r := range s.Rows {
			if (r.Better != vllmbench.Neither && !isCount(r)) != important || rows == mostRows {
				continue
			}
			rows++
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.Label+unitSuffix(r.Unit), sideValue(r.Baseline), sideValue(r.Candidate), r.change())
		}
	}
}

func isCount(r SideRow) bool { return r.Unit == "" }

// sideValue prints a value as the files do.
func sideValue(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// section is the heading that a metric belongs under.
func section(key string) string {
	for _, s := range [][2]string{{"_ttft_ms", "Time to first token (TTFT)"}, {"_tpot_ms", "Time per output token (TPOT)"}, {"_itl_ms", "Inter-token latency (ITL)"}, {"_e2el_ms", "End-to-end latency (E2EL)"}} {
		if strings.HasSuffix(key, s[0]) {
			return s[1]
		}
	}
	if strings.HasSuffix(key, "_ms") || strings.HasPrefix(key, "spec_decode") {
		return "Other"
	}
	return "Requests and throughput"
}

// MarshalJSON has the keys of a comparison, with verdict "none" throughout.
func (s Side) MarshalJSON() ([]byte, error) {
	type row struct {
		Metric    string   `json:"metric"`
		Unit      string   `json:"unit"`
		Baseline  number   `json:"baseline"`
		Candidate number   `json:"candidate"`
		Change    number   `json:"change_pct"`
		Absolute  number   `json:"change_abs"`
		Verdict   string   `json:"verdict"`
		Notes     []string `json:"notes"`
	}
	rows := []row{}
	for _, r := range s.Rows {
		rows = append(rows, row{
			r.Key, r.Unit, num(r.Baseline), num(r.Candidate), num(r.Change()), num(r.Candidate - r.Baseline), "none", []string{noVerdict},
		})
	}
	return json.Marshal(map[string]any{"source": s.Sources, "metrics": rows})
}
