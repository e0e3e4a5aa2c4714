package sweep

import "siglab/bench/compare"

// rational is a JSON number, or null where there is none.
type rational = *float64

func orNull(v float64) rational {
	if !known(v) {
		return nil
	}
	return &v
}

type (
	document struct {
		Axes   []Axis      `json:"axes"`
		Points []pointJSON `json:"points"`
		Rows   []rowJSON   `json:"metrics"`
		Claims []claimJSON `json:"claims"`
	}
	pointJSON struct {
		Point   string            `json:"point"`
		Values  map[string]string `json:"values"`
		RunDir  string            `json:"run_dir"`
		Valid   bool              `json:"valid"`
		Pairs   int               `json:"pairs"`
		Stopped string            `json:"stopped"`
		Missing string            `json:"missing,omitempty"`
	}
	rowJSON struct {
		Point     string   `json:"point"`
		Metric    string   `json:"metric"`
		Unit      string   `json:"unit"`
		Variant   string   `json:"variant"`
		Baseline  rational `json:"baseline"`
		Candidate rational `json:"candidate"`
		Change    rational `json:"change_pct"`
		Low       rational `json:"ci_low_pct"`
		High      rational `json:"ci_high_pct"`
		P         rational `json:"p"`
		PHolm     rational `json:"p_holm"`
		PSweep    rational `json:"p_sweep"`
		Verdict   string   `json:"verdict"`
		MDE       rational `json:"mde_pct"`
		MorePairs int      `json:"more_pairs"`
	}
	claimJSON struct {
		Claim
		ClaimedLow  float64  `json:"claimed_low_pct"`
		ClaimedHigh float64  `json:"claimed_high_pct"`
		Point       string   `json:"point"`
		Variant     string   `json:"variant"`
		Improvement rational `json:"improvement_pct"`
		Low         rational `json:"ci_low_pct"`
		High        rational `json:"ci_high_pct"`
		Outcome     Outcome  `json:"outcome"`
		Why         string   `json:"why"`
	}
)

// JSON is the sweep as a value for encoding/json.
func JSON(r Result) any {
	d := document{Axes: r.Axes, Points: []pointJSON{}, Rows: []rowJSON{}, Claims: []claimJSON{}}
	for _, report := range r.Reports {
		p := pointJSON{Point: report.String(), Values: map[string]string{}, RunDir: report.RunDir, Missing: report.Missing}
		for _, o := range report.Overrides {
			p.Values[o.Key] = o.Value
		}
		if c := report.Comparison; c != nil {
			p.Valid, p.Pairs, p.Stopped = c.Valid, c.Pairs, c.Manifest.Stopped
		}
		d.Points = append(d.Points, p)
	}
	for _, row := range r.Rows() {
		d.Rows = append(d.Rows, rowDocument(row.Point, row.Metric, row.PSweep))
	}
	for _, t := range r.Claims() {
		d.Claims = append(d.Claims, claimJSON{
			Claim: t.Claim, ClaimedLow: t.Low, ClaimedHigh: t.High, Point: t.Point, Variant: t.Variant,
			Improvement: orNull(t.Improvement.Value), Low: orNull(t.Improvement.Low), High: orNull(t.Improvement.High), Outcome: t.Outcome, Why: t.Why,
		})
	}
	return d
}

func rowDocument(point string, m compare.Metric, sweep float64) rowJSON {
	return rowJSON{
		Point: point, Metric: m.Metric, Unit: m.Unit, Variant: m.Variant, Baseline: orNull(m.Baseline), Candidate: orNull(m.Candidate),
		Change: orNull(m.Percent.Value), Low: orNull(m.Percent.Low), High: orNull(m.Percent.High), P: orNull(m.P), PHolm: orNull(m.PHolm), PSweep: orNull(sweep),
		Verdict: string(m.Verdict), MDE: orNull(m.MDE), MorePairs: m.MorePairs,
	}
}
