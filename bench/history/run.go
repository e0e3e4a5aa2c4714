// Package history keeps what past runs said: in the run directories themselves, or in
// one SQLite file that outlives them. It lists and filters them, and follows one
// experiment over time.
package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// Run is what is kept of one run.
type Run struct {
	ID         string    `json:"id"`  // of the run itself, wherever its directory lies
	Dir        string    `json:"dir"` // where it was when it was looked at
	Started    time.Time `json:"started"`
	Siglab     string    `json:"siglab"` // version of the program, with its commit where it knew it
	Model      string    `json:"model"`
	Load       string    `json:"load"`
	Host       string    `json:"host"`       // processor and cores
	Experiment string    `json:"experiment"` // equal where runs can be followed as one experiment
	Variants   []string  `json:"variants"`   // the baseline first
	Versions   []string  `json:"versions"`   // of their servers
	AA         bool      `json:"aa"`
	Valid      bool      `json:"valid"`
	Pairs      int       `json:"pairs"`
	Stopped    string    `json:"stopped"`
	Metrics    []Metric  `json:"metrics"`
}

// Metric is what a run said of one candidate in one metric.
type Metric struct {
	Metric    string   `json:"metric"`
	Variant   string   `json:"variant"`
	Unit      string   `json:"unit"`
	Primary   bool     `json:"primary"`
	Baseline  *float64 `json:"baseline"` // nil where it cannot be given
	Candidate *float64 `json:"candidate"`
	Change    *float64 `json:"change_pct"`
	Low       *float64 `json:"ci_low_pct"`
	High      *float64 `json:"ci_high_pct"`
	P         *float64 `json:"p"`
	Verdict   string   `json:"verdict"`
}

// Of is what is kept of a run that was analysed.
func Of(dir string, c *compare.Comparison) Run {
	m := c.Manifest
	r := Run{
		ID: identity(m), Dir: filepath.ToSlash(dir), Started: m.Started.UTC(), Siglab: m.Siglab, Model: m.Experiment.Model, Load: m.Experiment.Load(),
		Host: fmt.Sprintf("%s, %d cores", m.Environment.CPU, m.Environment.Cores), Experiment: experiment(m),
		Versions: slices.Clone(m.Environment.Servers), AA: m.Experiment.AA, Valid: c.Valid, Pairs: c.Pairs, Stopped: m.Stopped,
	}
	for _, v := range m.Variants {
		r.Variants = append(r.Variants, v.Name)
	}
	for _, x := range c.Metrics {
		r.Metrics = append(r.Metrics, Metric{
			Metric: x.Metric, Variant: x.Variant, Unit: x.Unit, Primary: x.Primary, Baseline: known(x.Baseline), Candidate: known(x.Candidate),
			Change: known(x.Percent.Value), Low: known(x.Percent.Low), High: known(x.Percent.High), P: known(x.P), Verdict: string(x.Verdict),
		})
	}
	return r
}

func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// identity names a run by what no other has: when it started, on which machine, with
// which requests.
func identity(m record.Manifest) string {
	return digest(m.Started.UTC().Format(time.RFC3339Nano), m.Workload.SHA256, m.Environment.CPU, m.Environment.BinaryHash, m.Command)
}

// experiment is equal for runs of the same variants under the same load on the same
// kind of machine: all that may differ is the code, and how much was measured.
func experiment(m record.Manifest) string {
	e := m.Experiment
	e.Pairs, e.Seed, e.EarlyStop, e.MaxDuration = 0, 0, false, 0
	e.NoiseFloors, e.NoiseFloorFrom, e.Primaries, e.ResultFile, e.Hooks = nil, "", nil, record.ResultFile{}, nil
	e.Alpha, e.Equivalence, e.Timeout, e.IdleTimeout, e.ReadyCheck = 0, 0, 0, 0, 0
	var variants []string
	for _, v := range m.Variants {
		variants = append(variants, strings.Join([]string{v.Name, v.Kind, v.Mode, v.InjectDelay.String()}, " "))
	}
	return digest(e, variants, m.Environment.CPU, m.Environment.Cores)
}

// digest is twelve digits that differ where the values do.
func digest(values ...any) string {
	encoded, err := json.Marshal(values)
	if err != nil { // only numbers that are none could be the reason
		encoded = fmt.Appendf(nil, "%v", values)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:6])
}

// Verdicts are those of the primaries: "median_ttft_ms of optimized faster".
func (r Run) Verdicts() []string {
	var out []string
	for _, m := range r.Metrics {
		if m.Primary {
			out = append(out, fmt.Sprintf("%s of %s %s", m.Metric, m.Variant, m.Verdict))
		}
	}
	return out
}

// Filter chooses runs. The zero value takes all.
type Filter struct {
	Since   time.Time
	Model   string // part of the name
	Variant string
	Verdict string // of some primary; "invalid" for runs without any
}

// Takes reports whether a run passes.
func (f Filter) Takes(r Run) bool {
	verdict := func(m Metric) bool { return m.Primary && m.Verdict == f.Verdict }
	switch {
	case r.Started.Before(f.Since), !strings.Contains(r.Model, f.Model), f.Variant != "" && !slices.Contains(r.Variants, f.Variant):
		return false
	case f.Verdict == "invalid":
		return !r.Valid
	}
	return f.Verdict == "" || slices.ContainsFunc(r.Metrics, verdict)
}

// Select are the runs that pass, the oldest first.
func Select(runs []Run, f Filter) []Run {
	out := slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return !f.Takes(r) })
	slices.SortStableFunc(out, func(a, b Run) int { return a.Started.Compare(b.Started) })
	return out
}

// Find is the run that a name means: its directory, or the beginning of its ID.
func Find(runs []Run, name string) (Run, error) {
	var found []Run
	for _, r := range runs {
		if r.Dir == filepath.ToSlash(filepath.Clean(name)) {
			return r, nil
		}
		if len(name) >= 4 && strings.HasPrefix(r.ID, name) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return Run{}, fmt.Errorf("no run %q: name one by its directory, or by four or more digits of its id; `siglab runs list` has both", name)
	case 1:
		return found[0], nil
	}
	return Run{}, fmt.Errorf("%d runs have ids that begin with %q: give more digits", len(found), name)
}

// Row is one metric of one variant in two runs.
type Row struct {
	Metric  string  `json:"metric"`
	Variant string  `json:"variant"`
	Unit    string  `json:"unit"`
	A       float64 `json:"a"`
	B       float64 `json:"b"`
	Change  float64 `json:"change_pct"`
}

// SideBySide are the metrics that two runs both have, of variants of the same name.
func SideBySide(a, b Run) []Row {
	rows := []Row{}
	for i, variant := range a.Variants {
		for _, m := range a.Metrics {
			if i > 0 && m.Variant != variant || i == 0 && len(a.Variants) > 1 && m.Variant != a.Variants[1] {
				continue // of the baseline, every candidate's metrics have the same values
			}
			t := Trend{Metric: m.Metric, Variant: variant}
			va, unit := a.value(t)
			vb, _ := b.value(t)
			if va == nil || vb == nil || *va == 0 {
				continue
			}
			rows = append(rows, Row{m.Metric, variant, unit, *va, *vb, 100 * (*vb / *va - 1)})
		}
	}
	return rows
}
