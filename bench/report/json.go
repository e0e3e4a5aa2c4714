package report

import (
	"math"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// number is a JSON number, or null where it cannot be given.
type number = *float64

func num(v float64) number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// document is comparison.json; its keys are a contract with those who read it.
type document struct {
	RunDir   string          `json:"run_dir"`
	Valid    bool            `json:"valid"`
	Pairs    int             `json:"pairs"` // complete ones
	Stopped  string          `json:"stopped"`
	Gates    []gateJSON      `json:"gates"`
	Metrics  []metricJSON    `json:"metrics"`
	Work     []workJSON      `json:"work"`
	Kernel   []kernelJSON    `json:"kernel"`
	Arms     []armJSON       `json:"arms"`
	Shifts   []shiftJSON     `json:"shifts"`
	Strata   []stratumJSON   `json:"strata"`
	Drifts   []driftJSON     `json:"drift"`
	Warnings []warningJSON   `json:"warnings"`
	Machine  telemetryJSON   `json:"telemetry"`
	Run      record.Manifest `json:"manifest"`
}

type gateJSON struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Checked bool   `json:"checked"`
	Detail  string `json:"detail"`
}

type metricJSON struct {
	Metric    string     `json:"metric"`
	Unit      string     `json:"unit"`
	Variant   string     `json:"variant"`
	Baseline  number     `json:"baseline"`
	Candidate number     `json:"candidate"`
	Change    number     `json:"change_pct"`
	Low       number     `json:"ci_low_pct"`
	High      number     `json:"ci_high_pct"`
	SeqLow    number     `json:"cs_low_pct"` // confidence sequence
	SeqHigh   number     `json:"cs_high_pct"`
	Absolute  number     `json:"change_abs"`
	AbsLow    number     `json:"ci_low_abs"`
	AbsHigh   number     `json:"ci_high_abs"`
	P         number     `json:"p"`
	PHolm     number     `json:"p_holm"`
	PSignFlip number     `json:"p_signflip"`
	Verdict   string     `json:"verdict"`
	MDE       number     `json:"mde_pct"`
	MorePairs int        `json:"more_pairs"`
	Primary   bool       `json:"primary"`
	Order     number     `json:"order_effect_pct"`
	Pairs     []pairJSON `json:"pairs"`
	Notes     []string   `json:"notes"`
}

type pairJSON struct {
	Pair           int    `json:"pair"`
	Baseline       number `json:"baseline"`
	Candidate      number `json:"candidate"`
	CandidateFirst bool   `json:"candidate_first"`
}

type workJSON struct {
	Variant     string           `json:"variant"`
	Compared    int              `json:"compared"`
	Same        int              `json:"same_text"`
	SameLength  int              `json:"same_output_tokens"`
	Token       number           `json:"median_divergence_token"`
	Divergences []divergenceJSON `json:"divergences"`
}

// divergenceJSON is a record.GapProbe whose gap may not be known, as where a run ended
// before it was asked for.
type divergenceJSON struct {
	Variant  string `json:"variant"`
	Item     string `json:"item"`
	Token    int    `json:"token"`
	Gap      number `json:"gap"`
	Baseline string `json:"baseline"`
	Other    string `json:"other"`
	Err      string `json:"error,omitempty"`
}

func workDocument(w compare.Work) workJSON {
	d := workJSON{w.Variant, w.Compared, w.Same, w.SameLength, num(w.Divergence), []divergenceJSON{}}
	for _, p := range w.Probes {
		gap := num(p.Gap)
		if p.Err != "" {
			gap = nil
		}
		d.Divergences = append(d.Divergences, divergenceJSON{p.Variant, p.Item, p.Token, gap, p.Baseline, p.Other, p.Err})
	}
	return d
}

type kernelJSON struct {
	Variant    string `json:"variant"`
	Mode       string `json:"mode"`
	Convention string `json:"convention"`
	Grids      string `json:"grids"`
	Resamples  int64  `json:"resamples"`
	Resample   number `json:"resample_ms"`
	Tower      number `json:"tower_ms"`
	TTFT       number `json:"median_ttft_ms"`
	Share      number `json:"share_of_ttft"`
	Given      bool   `json:"resample_given"` // measured apart from the server
	Bound      number `json:"most_gain_ms"`
	Predicted  number `json:"predicted_change_ms"`
	Measured   number `json:"measured_change_ms"`
}

type armJSON struct {
	Variant   string              `json:"variant"`
	Requests  int                 `json:"requests"`
	Failed    int                 `json:"failed"`
	CPU       number              `json:"cpu_percent_of_a_core"`
	RSS       uint64              `json:"max_rss_bytes"`
	Quantiles map[string][]number `json:"quantiles"` // 0 %, 1 %, … 100 % over all requests
	Blocks    []blockJSON         `json:"blocks"`
}

type blockJSON struct {
	Block  int               `json:"block"`
	Pair   int               `json:"pair"`
	Slot   int               `json:"slot"`
	Void   string            `json:"void"`
	Failed int               `json:"failed"`
	LagP99 number            `json:"send_lag_p99_ms"`
	CPU    number            `json:"cpu_percent_of_a_core"`
	Host   number            `json:"host_cpu_percent"`
	Values map[string]number `json:"values"`
}

type shiftJSON struct {
	Variant string       `json:"variant"`
	Latency string       `json:"latency"`
	Deciles []decileJSON `json:"deciles"`
}

type decileJSON struct {
	Quantile float64 `json:"quantile"`
	Change   number  `json:"change_pct"`
	Low      number  `json:"ci_low_pct"`
	High     number  `json:"ci_high_pct"`
}

type stratumJSON struct {
	Variant   string `json:"variant"`
	By        string `json:"by"`
	Name      string `json:"name"`
	Requests  int    `json:"requests"`
	Baseline  number `json:"median_ttft_ms_baseline"`
	Candidate number `json:"median_ttft_ms_candidate"`
	Change    number `json:"change_pct"`
	Low       number `json:"ci_low_pct"`
	High      number `json:"ci_high_pct"`
}

type driftJSON struct {
	Variant    string       `json:"variant"`
	Metric     string       `json:"metric"`
	Level      number       `json:"level_pct"` // from the first pair to the last
	LevelLow   number       `json:"level_ci_low_pct"`
	LevelHigh  number       `json:"level_ci_high_pct"`
	PLevel     number       `json:"p_level"`
	Effect     number       `json:"effect_pct"`
	EffectLow  number       `json:"effect_ci_low_pct"`
	EffectHigh number       `json:"effect_ci_high_pct"`
	PEffect    number       `json:"p_effect"`
	Follows    []followJSON `json:"follows"`
}

type followJSON struct {
	Reading string `json:"reading"`
	R       number `json:"r"`
	P       number `json:"p"`
}

func driftDocument(x compare.Drift) driftJSON {
	d := driftJSON{
		Variant: x.Variant, Metric: x.Metric, Level: num(x.Level.Value), LevelLow: num(x.Level.Low), LevelHigh: num(x.Level.High), PLevel: num(x.PLevel),
		Effect: num(x.Effect.Value), EffectLow: num(x.Effect.Low), EffectHigh: num(x.Effect.High), PEffect: num(x.PEffect), Follows: []followJSON{},
	}
	for _, f := range x.Follows {
		d.Follows = append(d.Follows, followJSON{f.Reading, num(f.R), num(f.P)})
	}
	return d
}

type warningJSON struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// JSON is the comparison as a value for encoding/json. A number that cannot be given
// is null.
func JSON(dir string, c *compare.Comparison) any {
	d := document{
		RunDir: dir, Valid: c.Valid, Pairs: c.Pairs, Stopped: c.Manifest.Stopped, Run: c.Manifest,
		Gates: []gateJSON{}, Metrics: []metricJSON{}, Work: []workJSON{}, Kernel: []kernelJSON{}, Arms: []armJSON{}, Warnings: []warningJSON{},
		Shifts: []shiftJSON{}, Strata: []stratumJSON{}, Drifts: []driftJSON{}, Machine: telemetryDocument(c.Telemetry),
	}
	for _, g := range c.Gates {
		d.Gates = append(d.Gates, gateJSON(g))
	}
	for _, m := range c.Metrics {
		d.Metrics = append(d.Metrics, metricDocument(m))
	}
	for _, w := range c.Work {
		d.Work = append(d.Work, workDocument(w))
	}
	for _, k := range c.Kernel {
		d.Kernel = append(d.Kernel, kernelJSON{
			k.Variant, k.Mode, k.Convention, k.Grids, k.Resamples, num(k.Resample), num(k.Tower), num(k.TTFT), num(k.Share), k.Given, num(k.Bound), num(k.Predicted), num(k.Measured),
		})
	}
	for _, a := range c.Arms {
		d.Arms = append(d.Arms, armDocument(a))
	}
	for _, s := range c.Shifts {
		shift := shiftJSON{Variant: s.Variant, Latency: s.Latency}
		for _, q := range s.Deciles {
			shift.Deciles = append(shift.Deciles, decileJSON{q.Quantile, num(q.Change.Value), num(q.Change.Low), num(q.Change.High)})
		}
		d.Shifts = append(d.Shifts, shift)
	}
	for _, x := range c.Drifts {
		d.Drifts = append(d.Drifts, driftDocument(x))
	}
	for _, s := range c.Strata {
		for _, g := range s.Groups {
			d.Strata = append(d.Strata, stratumJSON{s.Variant, s.By, g.Name, g.Requests, num(g.Baseline), num(g.Candidate), num(g.Change.Value), num(g.Change.Low), num(g.Change.High)})
		}
	}
	for _, w := range c.Warnings {
		d.Warnings = append(d.Warnings, warningJSON(w))
	}
	return d
}

func metricDocument(m compare.Metric) metricJSON {
	out := metricJSON{
		Metric: m.Metric, Unit: m.Unit, Variant: m.Variant, Baseline: num(m.Baseline), Candidate: num(m.Candidate),
		Change: num(m.Percent.Value), Low: num(m.Percent.Low), High: num(m.Percent.High), SeqLow: num(m.Sequence.Low), SeqHigh: num(m.Sequence.High),
		Absolute: num(m.Absolute.Value), AbsLow: num(m.Absolute.Low), AbsHigh: num(m.Absolute.High),
		P: num(m.P), PHolm: num(m.PHolm), PSignFlip: num(m.PSignFlip), Verdict: string(m.Verdict), MDE: num(m.MDE), MorePairs: m.MorePairs,
		Primary: m.Primary, Order: num(m.Order.Value), Pairs: []pairJSON{}, Notes: []string{},
	}
	for _, p := range m.Pairs {
		out.Pairs = append(out.Pairs, pairJSON{p.Pair, num(p.Baseline), num(p.Candidate), p.CandidateFirst})
	}
	for _, n := range m.Notes {
		out.Notes = append(out.Notes, n.Code+": "+n.Text)
	}
	return out
}

func armDocument(a compare.Arm) armJSON {
	out := armJSON{
		Variant: a.Variant.Name, Requests: a.Requests, Failed: a.Failed, CPU: num(a.CPU), RSS: a.RSS,
		Quantiles: map[string][]number{}, Blocks: []blockJSON{},
	}
	for name, quantiles := range a.Quantiles {
		for _, q := range quantiles {
			out.Quantiles[name] = append(out.Quantiles[name], num(q))
		}
	}
	for _, b := range a.Blocks {
		block := blockJSON{
			Block: b.Block.ID, Pair: b.Block.Pair, Slot: b.Block.Slot, Void: b.Block.Void, Failed: b.Failed,
			LagP99: num(b.LagP99), CPU: num(b.CPU), Host: num(b.HostCPU), Values: map[string]number{},
		}
		for name, v := range b.Values {
			block.Values[name] = num(v)
		}
		out.Blocks = append(out.Blocks, block)
	}
	return out
}
