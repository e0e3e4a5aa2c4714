package report

import (
	"math"
	"time"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// comparison is a made-up result of a baseline and some candidates: one metric of
// each verdict, a failed and an unchecked gate if it is not valid, values that cannot
// be given, and names that would be markup.
func comparison(candidates ...string) *compare.Comparison {
	c := &compare.Comparison{
		Valid: true, Pairs: 6,
		Manifest: record.Manifest{
			Siglab: "0.0", Command: []string{"siglab", "bench", "--pairs", "6"}, Stopped: "complete",
			Started:    time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
			Experiment: record.Experiment{Model: "random:tiny", Dataset: "builtin", RequestRate: 10, NumPrompts: 100, Pairs: 6, MaxTokens: 32, Equivalence: 0.02, Order: "AB/BA", Restart: "each-block", Caches: "off", ServerThreads: 1},
			Variants:   []record.Variant{{Name: "main", Kind: "builtin", Mode: "reference", Convention: "bicubic"}},
			Workload:   record.Workload{SHA256: "0123456789abcdef0123", Items: 600, Images: 16, Source: "builtin"},
			Environment: record.Environment{
				OS: "linux", Arch: "amd64", Kernel: "6.1", CPU: "A CPU", Cores: 2, Features: []string{"AVX2", "FMA3"}, MemoryMB: 4096, Go: "go1.26", BinaryHash: "abcdef0123456789",
				Servers: []string{"siglab 0.0"},
			},
		},
		Gates:    []compare.Gate{{Name: "send_lag_p99", OK: true, Checked: true, Detail: "0.4 ms, at most 5"}, {Name: "complete", OK: true, Checked: true, Detail: "6 of 6"}},
		Arms:     []compare.Arm{arm("main", 30)},
		Kernel:   []compare.Kernel{{Variant: "main", Mode: "reference", Convention: "bicubic", Resample: 0.07, Tower: 11, TTFT: 32, Share: 0.0022, Bound: 0.2, Predicted: math.NaN(), Measured: math.NaN(), Grids: "8x8→12x12", Resamples: 600}},
		Warnings: []compare.Warning{{Code: "noise-floor-unmeasured", Text: "The noise floor was not measured."}},
		Pacing:   []compare.Pacing{pacing("main")},
		Answers:  600,
	}
	for _, name := range candidates {
		c.Manifest.Variants = append(c.Manifest.Variants, record.Variant{Name: name, Kind: "builtin", Mode: "bilinear", Convention: "bilinear-align-corners"})
		c.Manifest.Environment.Servers = append(c.Manifest.Environment.Servers, "siglab 0.0")
		c.Metrics = append(c.Metrics, metrics(name)...)
		c.Arms = append(c.Arms, arm(name, 28))
		c.Pacing = append(c.Pacing, pacing(name))
		c.Work = append(c.Work, compare.Work{Variant: name, Compared: 600, Same: 599, SameLength: 600, Divergence: 3, Probes: []record.GapProbe{
			{Variant: name, Item: "s000-00001", Token: 3, Gap: 0.0012, Baseline: "<b>", Other: "a|b"},
		}})
		c.Kernel = append(c.Kernel, compare.Kernel{Variant: name, Mode: "bilinear", Convention: "bilinear-align-corners", Resample: 0.06, Tower: 10.9, TTFT: 28, Share: 0.0021, Predicted: -0.01, Measured: -4, Grids: "8x8→12x12", Resamples: 600})
	}
	overRun(c)
	return c
}

// overRun makes up what went on over the run: a block of each variant in turn, the
// second stretch of each with a failure, and two requests one by one.
func overRun(c *compare.Comparison) {
	cpu := compare.Series{Name: "server CPU", Unit: "% of a core"}
	for i := range 6 {
		arm := i % len(c.Arms)
		for k := range 4 {
			at := float64(10*i + 2*k)
			c.Timeline = append(c.Timeline, compare.Moment{Arm: arm, Block: i + 1, At: at, Requests: 25, Failed: k % 3 / 2, TTFT: 30 + float64(k), Slow: 45})
			cpu.Points = append(cpu.Points, compare.Point{Arm: arm, Block: i + 1, At: at, Value: 80})
		}
	}
	c.Machine = []compare.Series{cpu}
	for k := range 2 {
		r := compare.Request{Pair: k, Index: k, Item: []string{"s000-00000", "<i>"}[k]}
		for arm := range c.Arms {
			seen := compare.Seen{TTFT: 30, E2EL: 60, Tokens: 32, Text: "<b>an answer</b>", Same: arm%2 == 1}
			if k == 1 && arm == 0 {
				seen = compare.Seen{TTFT: math.NaN(), E2EL: math.NaN(), Failure: "reset: <script>"}
			}
			r.Seen = append(r.Seen, seen)
		}
		c.Requests = append(c.Requests, r)
	}
}

func pacing(variant string) compare.Pacing {
	p := compare.Pacing{Variant: variant, Sent: 600}
	for q := range 101 {
		p.Lags, p.Scheduled, p.Gaps = append(p.Lags, float64(q)/200), append(p.Scheduled, float64(q)), append(p.Gaps, float64(q)+0.1)
	}
	return p
}

// invalid is a run that ended early, with gates that are not ok.
func invalid() *compare.Comparison {
	c := comparison("optimized")
	c.Valid, c.Pairs, c.Manifest.Stopped = false, 1, "variant died: exit status 1"
	c.Gates = append(c.Gates, compare.Gate{Name: "trigger", Checked: true, Detail: "no resampling was counted"}, compare.Gate{Name: "client_server_gap", Detail: "fewer than 30 requests"})
	nan := math.NaN()
	for i := range c.Metrics {
		m := &c.Metrics[i]
		m.Verdict, m.MDE, m.P, m.PHolm, m.Candidate = compare.None, nan, nan, nan, math.Inf(1)
		m.Percent, m.Absolute = compare.Interval{Value: nan, Low: nan, High: nan}, compare.Interval{Value: math.Inf(1), Low: nan, High: nan}
	}
	return c
}

func metrics(variant string) []compare.Metric {
	make := func(key string, verdict compare.Verdict, primary bool, value, low, high float64) compare.Metric {
		m := compare.Metric{
			Metric: key, Unit: "ms", Variant: variant, Better: compare.LowerIsBetter, Primary: primary, Baseline: 32, Candidate: 32 * (1 + value/100),
			Percent: compare.Interval{Value: value, Low: low, High: high}, Absolute: compare.Interval{Value: .32 * value, Low: .32 * low, High: .32 * high},
			P: 0.004, PHolm: 0.012, PSignFlip: 0.031, Verdict: verdict, MDE: 2.5,
		}
		for p := range 6 {
			m.Pairs = append(m.Pairs, compare.PairValue{Pair: p, Baseline: 32, Candidate: 32 * (1 + (value+float64(p%3-1))/100), CandidateFirst: p%2 == 1})
		}
		return m
	}
	ms := []compare.Metric{
		make("median_ttft_ms", compare.Faster, true, -12.5, -14, -11),
		make("median_tpot_ms", compare.Inconclusive, true, 1, -3, 5),
		make("median_e2el_ms", compare.Equivalent, true, 0.02, -0.5, 0.6),
		make("p99_ttft_ms", compare.None, false, 3, 1, 5),
	}
	ms[1].MorePairs = 4
	ms[3].Notes = []compare.Warning{{Code: "few-requests-p99", Text: "Fewer than 300 requests."}}
	return ms
}

func arm(name string, ms float64) compare.Arm {
	a := compare.Arm{Variant: record.Variant{Name: name}, Requests: 600, CPU: 30, RSS: 50 << 20, Quantiles: map[string][]float64{}}
	for q := range 101 {
		v := ms + float64(q)/5
		if q == 100 {
			v = math.Inf(1)
		}
		a.Quantiles["ttft_ms"] = append(a.Quantiles["ttft_ms"], v)
	}
	for b := range 3 {
		a.Blocks = append(a.Blocks, compare.BlockSummary{
			Block: record.Block{ID: 2*b + 1, Pair: b, Variant: name}, Values: map[string]float64{"median_ttft_ms": ms + float64(b), "p99_ttft_ms": math.NaN()},
		})
	}
	return a
}
