package compare

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/bench/record"
)

// wobble is a block noise of about 1 % that both orders share evenly.
func wobble(pair, arm int) float64 {
	return 1 + 0.01*math.Sin(float64(7*pair+3*arm))
}

// faster makes the second arm's block values lower by a share.
func faster(share float64) func(int, int) (float64, float64) {
	return func(pair, arm int) (float64, float64) {
		f := wobble(pair, arm)
		if arm == 1 {
			f *= 1 - share
		}
		return f, f
	}
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name string
		fake fake
		want Verdict // of median_ttft_ms
		note string  // on it, "" for none
	}{
		{"10 % lower latency is faster", fake{factor: faster(0.10)}, Faster, ""},
		{"10 % higher latency is slower", fake{factor: faster(-0.10)}, Slower, ""},
		{"nothing differs", fake{}, Equivalent, ""},
		{"2 % in two pairs of 1 % noise", fake{pairs: 2, factor: faster(0.02)}, Inconclusive, ""},
		{"one pair cannot decide even on 50 %", fake{pairs: 1, requests: 40, factor: faster(0.5)}, Inconclusive, "one-pair"},
		{"a difference within the noise floor is no difference", fake{factor: faster(0.10), change: func(run *record.Run) {
			run.Manifest.Experiment.NoiseFloors = map[string]float64{"median_ttft_ms": 0.15}
		}}, Inconclusive, "below-noise-floor"},
		{"more than half of a block's requests failed in both arms", fake{factor: faster(0.10), change: each(func(o *record.Observation) {
			if o.Block <= 2 && o.Index < 11 {
				fail(o)
			}
		})}, None, "failed-requests"},
		{"a run that is not valid", fake{factor: faster(0.10), change: func(run *record.Run) { run.Manifest.Stopped = "interrupted" }}, None, "not-valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := analyse(t, test.fake)
			m := find(c.Metrics, "optimized", "median_ttft_ms")
			if m.Verdict != test.want {
				t.Errorf("%s, want %s: %+v", m.Verdict, test.want, m)
			}
			if test.note == "" && len(m.Notes) > 0 || test.note != "" && !hasWarning(m.Notes, test.note) {
				t.Errorf("notes %+v, want %q", m.Notes, test.note)
			}
		})
	}
}

// TestEstimate follows one metric by hand: block values 100·(1.2, 1, 1) against
// 100 in two orders.
func TestEstimate(t *testing.T) {
	f := fake{pairs: 3, requests: 1, factor: func(pair, arm int) (float64, float64) {
		if arm == 1 && pair == 0 {
			return 1.2, 1
		}
		return 1, 1
	}}
	m := find(analyse(t, f).Metrics, "optimized", "median_ttft_ms")
	third := math.Log(1.2) / 3 // mean and, for (x, 0, 0), also the standard error
	half := 4.30265273 * third
	want := Metric{
		Metric: "median_ttft_ms", Unit: "ms", Variant: "optimized", Better: LowerIsBetter, Primary: true,
		Baseline: 100, Candidate: 320.0 / 3,
		Percent:  Interval{third, third - half, third + half}.percent(),
		Sequence: Interval{100 * math.Expm1(third), math.NaN(), math.NaN()}, // of three pairs there is none
		Absolute: Interval{20.0 / 3, 20.0 / 3 * (1 - 4.30265273), 20.0 / 3 * (1 + 4.30265273)},
		P:        1 - 1/math.Sqrt(3), PHolm: 1, PSignFlip: 1, Verdict: Inconclusive,
		// Means log(1.2)/2 of the pairs in which main ran first (0 and 2), 0 of the other.
		Order: m.Order, MDE: m.MDE, MorePairs: m.MorePairs,
		Pairs: []PairValue{{0, 100, 120, false}, {1, 100, 100, true}, {2, 100, 100, false}},
	}
	if diff := cmp.Diff(want, *m, near); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(100*math.Expm1(-math.Log(1.2)/2), m.Order.Value, near); diff != "" {
		t.Errorf("order effect: %s", diff)
	}
}

func TestBlockValues(t *testing.T) {
	c := analyse(t, fake{pairs: 1, requests: 1})
	got := c.Arms[0].Blocks[0].Values
	// One request: first token after 100 ms, four tokens 10 ms apart, end 1 ms later.
	want := map[string]float64{
		"median_ttft_ms": 100, "mean_ttft_ms": 100, "p99_ttft_ms": 100,
		"median_tpot_ms": 10, "mean_tpot_ms": 10, "p99_tpot_ms": 10,
		"median_itl_ms": 10, "mean_itl_ms": 10, "p99_itl_ms": 10,
		"median_e2el_ms": 130, "mean_e2el_ms": 130, "p99_e2el_ms": 130,
		"request_throughput": 1 / 0.131, "output_throughput": 4 / 0.131,
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Error(diff)
	}
	if len(metricSpecs) != len(want) {
		t.Errorf("%d metrics are compared, %d computed", len(metricSpecs), len(want))
	}
	for _, m := range c.Metrics {
		if _, ok := want[m.Metric]; !ok {
			t.Errorf("%s is compared and not computed", m.Metric)
		}
	}
}

// TestFailuresAreInfinite: one failure of twenty reaches the mean and the p99, not
// the median, and takes the throughput of the rest.
func TestFailuresAreInfinite(t *testing.T) {
	c := analyse(t, fake{change: each(func(o *record.Observation) {
		if o.Item == "0-3" {
			fail(o)
		}
	})})
	v := c.Arms[0].Blocks[0].Values
	inf := math.Inf(1)
	for _, key := range []string{"ttft", "tpot", "itl", "e2el"} {
		if v["mean_"+key+"_ms"] != inf || key != "itl" && v["p99_"+key+"_ms"] != inf || v["median_"+key+"_ms"] == inf {
			t.Errorf("%s: median %v, mean %v, p99 %v", key, v["median_"+key+"_ms"], v["mean_"+key+"_ms"], v["p99_"+key+"_ms"])
		}
	}
	if c.Arms[0].Failed != 6-5 || c.Arms[0].Requests != 120 {
		t.Errorf("%d of %d failed", c.Arms[0].Failed, c.Arms[0].Requests)
	}
	if top := c.Arms[0].Quantiles["ttft_ms"]; len(top) != 101 || top[100] != inf || top[50] == inf {
		t.Errorf("quantiles %v", top)
	}
	if m := find(c.Metrics, "optimized", "mean_ttft_ms"); !math.IsNaN(m.Percent.Value) || m.Baseline != inf || !hasWarning(m.Notes, "failed-requests") {
		t.Errorf("mean TTFT %+v", m)
	}
	if m := find(c.Metrics, "optimized", "median_ttft_ms"); m.Verdict != Equivalent {
		t.Errorf("the median rests on no failure, but it is %s", m.Verdict)
	}
}

// TestStallStretchesNoRate: a stream that stalls is waited for far beyond the block,
// and takes its own answer from the throughput, no more.
func TestStallStretchesNoRate(t *testing.T) {
	c := analyse(t, fake{pairs: 1, requests: 2, change: each(func(o *record.Observation) {
		if o.Index == 1 {
			o.Error, o.Failure, o.End = "nothing came for 60s", record.FailedStalled, o.Sent+time.Minute
		}
	})})
	b := c.Arms[0].Blocks[0]
	if got := b.Values["request_throughput"]; got < 1 || math.IsInf(got, 0) {
		t.Errorf("%g answers per second of one in a fraction of a second", got)
	}
}

// TestPrimaries: percentiles join only with enough requests, throughput never does.
func TestPrimaries(t *testing.T) {
	primaries := func(c *Comparison) (keys []string) {
		for _, m := range c.Metrics {
			if m.Primary {
				keys = append(keys, m.Metric)
			}
			if m.Primary == math.IsNaN(m.PHolm) || !m.Primary && m.Verdict != None {
				t.Errorf("%s: primary %v, adjusted p %v, %s", m.Metric, m.Primary, m.PHolm, m.Verdict)
			}
		}
		return keys
	}
	few := analyse(t, fake{pairs: 2})
	if diff := cmp.Diff([]string{"median_ttft_ms", "median_tpot_ms", "median_e2el_ms"}, primaries(few)); diff != "" {
		t.Error(diff)
	}
	if m := find(few.Metrics, "optimized", "p99_ttft_ms"); !hasWarning(m.Notes, "few-requests-p99") {
		t.Errorf("notes of a p99 over 20 requests: %v", m.Notes)
	}
	if m := find(few.Metrics, "optimized", "request_throughput"); !hasWarning(m.Notes, "open-loop-throughput") {
		t.Errorf("notes of the throughput: %v", m.Notes)
	}
	many := analyse(t, fake{pairs: 2, requests: fewestForP99})
	if diff := cmp.Diff([]string{"median_ttft_ms", "median_tpot_ms", "median_e2el_ms", "p99_ttft_ms", "p99_e2el_ms"}, primaries(many)); diff != "" {
		t.Error(diff)
	}
}

func TestThreeVariants(t *testing.T) {
	f := fake{variants: append(mainAndOptimized(), builtin("exact", "exact", 0))}
	f.factor = func(pair, arm int) (float64, float64) {
		effect := []float64{1, 0.9, 1}[arm]
		return effect * (1 + 0.1*wobble(pair, arm)), effect * (1 + 0.1*wobble(pair, arm+1))
	}
	c := analyse(t, f)
	if c.Pairs != 6 || !c.Valid || len(c.Metrics) != 2*len(metricSpecs) || len(c.Arms) != 3 || len(c.Work) != 2 || len(c.Kernel) != 3 {
		t.Fatalf("pairs %d, valid %v, %d metrics, %d arms, %d works, %d kernels", c.Pairs, c.Valid, len(c.Metrics), len(c.Arms), len(c.Work), len(c.Kernel))
	}
	a, b := find(c.Metrics, "optimized", "median_ttft_ms"), find(c.Metrics, "exact", "median_ttft_ms")
	if a.Verdict != Faster || b.Verdict != Equivalent {
		t.Errorf("optimized %s, exact %s", a.Verdict, b.Verdict)
	}
	smallest := math.Inf(1)
	for _, m := range c.Metrics {
		if m.Primary {
			smallest = min(smallest, m.P)
		}
	}
	for _, m := range c.Metrics {
		if m.Primary && m.P == smallest && math.Abs(m.PHolm-6*m.P) > 1e-15 {
			t.Errorf("the smallest p %v of 2·3 tests is adjusted to %v", m.P, m.PHolm)
		}
	}
}

func TestOneVariant(t *testing.T) {
	c := analyse(t, fake{variants: mainAndOptimized()[:1]})
	if !c.Valid || c.Pairs != 0 || len(c.Metrics) != 0 || len(c.Work) != 0 || len(c.Arms) != 1 || c.Arms[0].Requests != 120 {
		t.Errorf("valid %v, pairs %d, %d metrics, arms %+v", c.Valid, c.Pairs, len(c.Metrics), c.Arms)
	}
}

// TestPairs: what makes a pair complete.
func TestPairs(t *testing.T) {
	repeat := func(run *record.Run, void string) {
		b := run.Manifest.Blocks[11] // the last one, of "main"
		again := b
		again.ID, again.Attempt, again.Void = 99, 2, void
		for _, o := range run.Observations {
			if o.Block == b.ID {
				o.Block = 99
				o.FirstToken += 50 * ms
				o.LastToken += 50 * ms
				o.End += 50 * ms
				run.Observations = append(run.Observations, o)
			}
		}
		run.Manifest.Blocks = append(run.Manifest.Blocks, again)
	}
	tests := []struct {
		name   string
		change func(*record.Run)
		pairs  int
		last   float64 // median TTFT of the baseline in the last pair less the pair before, ms
	}{
		{"all are", func(*record.Run) {}, 6, 0},
		{"a void block was repeated: the second attempt counts", func(run *record.Run) {
			repeat(run, "")
			run.Manifest.Blocks[11].Void = "server died"
		}, 6, 50},
		{"both attempts count as blocks: the last is taken", func(run *record.Run) { repeat(run, "") }, 6, 50},
		{"a void second attempt leaves the first", func(run *record.Run) { repeat(run, "interrupted") }, 6, 0},
		{"both are void", func(run *record.Run) {
			repeat(run, "server died")
			run.Manifest.Blocks[11].Void = "server died"
		}, 5, 0},
		{"an observation is missing", func(run *record.Run) { run.Observations = run.Observations[:len(run.Observations)-1] }, 5, 0},
		{"a block never came", func(run *record.Run) {
			run.Manifest.Blocks = run.Manifest.Blocks[:11]
			run.Observations = run.Observations[:220]
		}, 5, 0},
		{"nothing was measured", func(run *record.Run) { run.Manifest.Blocks, run.Observations = nil, nil }, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := analyse(t, fake{change: test.change})
			if c.Pairs != test.pairs {
				t.Fatalf("%d pairs, want %d", c.Pairs, test.pairs)
			}
			m := find(c.Metrics, "optimized", "median_ttft_ms")
			if test.pairs == 0 {
				if m.Verdict != None || !hasWarning(m.Notes, "no-pairs") || !math.IsNaN(m.Percent.Value) || !math.IsNaN(m.MDE) {
					t.Errorf("a metric of nothing: %+v", m)
				}
				return
			}
			n := len(m.Pairs)
			if got := m.Pairs[n-1].Baseline - m.Pairs[n-2].Baseline; math.Abs(got-test.last) > 1e-9 {
				t.Errorf("the last pair's baseline is %.3f ms later, want %v", got, test.last)
			}
		})
	}
}

func TestNotARun(t *testing.T) {
	tests := []struct {
		name   string
		change func(*record.Run)
		want   string
	}{
		{"no variants", func(r *record.Run) { r.Manifest.Variants = nil }, "names no variants"},
		{"two variants of one name", func(r *record.Run) { r.Manifest.Variants[1].Name = "main" }, `two variants are called "main"`},
		{"a block of a stranger", func(r *record.Run) { r.Manifest.Blocks[0].Variant = "other" }, `block 1 is of variant "other"`},
		{"a block twice", func(r *record.Run) { r.Manifest.Blocks[1].ID = 1 }, "two blocks have the ID 1"},
		{"an observation of an unknown block", func(r *record.Run) { r.Observations[3].Block = 77 }, "observation 4 is of block 77"},
		{"an observation of another variant", func(r *record.Run) { r.Observations[3].Variant = "optimized" }, `observation 4 of block 1 is of variant "optimized"`},
		{"a request twice", func(r *record.Run) { r.Observations[3].Index = 2 }, "block 1 has two observations of request 2"},
		{"a request beyond the block", func(r *record.Run) { r.Observations[3].Index = 20 }, "request 20, but only 20 requests"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Analyse(fake{finish: test.change}.build())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// TestKilled: the observations of a block may be on disk before the manifest that
// lists it.
func TestKilled(t *testing.T) {
	c := analyse(t, fake{change: func(run *record.Run) {
		run.Manifest.Stopped = stoppedRunning
		run.Manifest.Blocks = run.Manifest.Blocks[:11]
	}})
	if c.Pairs != 5 || c.Valid || !hasWarning(c.Warnings, "run-files") {
		t.Errorf("pairs %d, valid %v, warnings %v", c.Pairs, c.Valid, c.Warnings)
	}
}

func TestDeterministic(t *testing.T) {
	f := fake{factor: faster(0.01), change: each(func(o *record.Observation) {
		if o.Variant == "optimized" && o.Index%3 == 0 {
			o.Text = "xyxx"
		}
	})}
	first := analyse(t, f)
	for range 5 {
		if diff := cmp.Diff(first, analyse(t, f), cmpopts.EquateNaNs()); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestWork(t *testing.T) {
	c := analyse(t, fake{pairs: 2, change: func(run *record.Run) {
		for i := range run.Observations {
			o := &run.Observations[i]
			if o.Variant != "optimized" {
				continue
			}
			switch o.Item {
			case "0-0":
				o.Text = "xyxx"
			case "0-1":
				o.Text = "xxxy"
			case "1-2":
				o.Text, o.ChunkLens, o.OutputTokens = "xxx", []int{0, 1, 1, 1, 0}, 3
			case "1-3":
				o.Text, o.ChunkLens = "other", nil // pieces are not known
			}
		}
		run.Manifest.Divergences = []record.GapProbe{
			{Variant: "optimized", Item: "0-1", Token: 3, Gap: 0.25, Baseline: "x", Other: "y"},
			{Variant: "somebody", Item: "0-0", Token: 1, Gap: 9},
		}
	}})
	want := []Work{{Variant: "optimized", Compared: 40, Same: 36, SameLength: 39, Divergence: 3, Probes: []record.GapProbe{
		{Variant: "optimized", Item: "0-0", Token: 1, Gap: math.NaN(), Baseline: "x", Other: "y", Err: "not asked"},
		{Variant: "optimized", Item: "0-1", Token: 3, Gap: 0.25, Baseline: "x", Other: "y"},
		{Variant: "optimized", Item: "1-2", Token: 3, Gap: math.NaN(), Baseline: "x", Other: "", Err: "not asked"},
	}}}
	if diff := cmp.Diff(want, c.Work, near); diff != "" {
		t.Error(diff)
	}
}

func TestKernel(t *testing.T) {
	f := fake{pairs: 2, requests: 20, finish: func(run *record.Run) {
		for i := range run.Manifest.Blocks {
			if b := &run.Manifest.Blocks[i]; b.Variant == "optimized" {
				b.Server.ResampleSum = b.Server.ResampleCount * 0.0004
			}
		}
	}}
	c := analyse(t, f)
	nan := math.NaN()
	ttft := c.Arms[0].Blocks[0].Values["median_ttft_ms"]
	// All 20 requests of a block arrive within 190 ms and overlap: 0 to 19 are
	// ahead, 9.5 in the mean, so 0.6 ms less per request saves at most 6.3 ms.
	want := []Kernel{
		{Variant: "main", Mode: "reference", Resample: 1, Tower: 5, TTFT: ttft, Share: 1 / ttft, Bound: 1 * 10.5, Predicted: nan, Measured: nan, Grids: "8x8→12x12", Resamples: 40},
		{Variant: "optimized", Mode: "bilinear", Resample: 0.4, Tower: 5, TTFT: ttft, Share: 0.4 / ttft, Bound: 0.4 * 10.5, Predicted: -0.6 * 10.5, Measured: 0, Grids: "8x8→12x12", Resamples: 40},
	}
	if diff := cmp.Diff(want, c.Kernel, near); diff != "" {
		t.Error(diff)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		code string
		fake fake
	}{
		{"noise-floor-unmeasured", fake{}},
		{"few-pairs", fake{pairs: 2}},
		{"unbalanced-order", fake{pairs: 3}},
		{"order-effect", fake{factor: func(pair, arm int) (float64, float64) {
			first := pair%2 == arm // main first in even pairs
			if first {
				return 1.05 * (1 + 0.1*wobble(pair, arm)), 1
			}
			return 1 + 0.1*wobble(pair, arm), 1
		}}},
		{"void-blocks", fake{change: func(run *record.Run) { run.Manifest.Blocks[3].Void = "server died" }}},
		{"repeated-images", fake{change: func(run *record.Run) { run.Manifest.Workload.RepeatImages = 0.2 }}},
		{"few-requests-p99", fake{}},
		{"random-weights", fake{change: func(run *record.Run) { run.Manifest.Experiment.Model = "random:tiny" }}},
		{"shared-server-start", fake{change: func(run *record.Run) { run.Manifest.Experiment.Restart = "never" }}},
		{"margin-below-floor", fake{change: func(run *record.Run) {
			run.Manifest.Experiment.NoiseFloors = map[string]float64{"median_ttft_ms": 0.05}
		}}},
		{"drift", fake{factor: func(pair, arm int) (float64, float64) { return 1 + 0.05*float64(pair) + 0.01*wobble(pair, arm), 1 }}},
		{"effect-drift", fake{factor: func(pair, arm int) (float64, float64) { return 1 + 0.05*float64(pair*arm) + 0.001*wobble(pair, arm), 1 }}},
		{"follows-machine", fake{
			factor: func(pair, arm int) (float64, float64) { return 1 + 0.1*wobble(pair, arm), 1 },
			change: func(run *record.Run) {
				for i, b := range run.Manifest.Blocks {
					arm := 0
					if b.Variant == "optimized" {
						arm = 1
					}
					run.Telemetry[i].MHz = 3000 - 1000*wobble(b.Pair, arm)
				}
			},
		}},
		{"caches-kept", fake{change: func(run *record.Run) { run.Manifest.Experiment.Caches = record.CachesKeep }}},
		{"max-duration", fake{change: func(run *record.Run) { run.Manifest.Stopped = stoppedBudget }}},
		{"warm-up-unstable", fake{change: func(run *record.Run) {
			run.Manifest.Experiment.Stability = 0.1
			run.Manifest.Blocks[2].WarmUp = record.WarmUp{Rounds: 5, Change: -0.3}
		}}},
		{"client-near-limit", fake{change: func(run *record.Run) {
			for i := range run.Telemetry {
				run.Telemetry[i].Client = 95
			}
		}}},
		{"send-lag", fake{change: each(func(o *record.Observation) { o.Sent += 2 * ms })}},
		{"saturated", fake{requests: 40, change: each(func(o *record.Observation) {
			late := time.Duration(o.Index) * 5 * ms
			o.FirstToken, o.LastToken, o.End = o.FirstToken+late, o.LastToken+late, o.End+late
		})}},
		{"a-against-a", fake{change: func(run *record.Run) { run.Manifest.Experiment.AA = true }}},
		{"early-stop", early(fake{})},
		{"gain-above-bound", fake{factor: faster(0.1)}},
		{"run-files", fake{change: func(run *record.Run) { run.Warnings = []string{"observations.jsonl: line 9 is cut off"} }}},
	}
	quiet := fake{requests: fewestForP99, change: func(run *record.Run) {
		run.Manifest.Experiment.NoiseFloors = map[string]float64{"median_ttft_ms": 0.005}
	}}
	if c := analyse(t, quiet); len(c.Warnings) != 1 || !hasWarning(c.Warnings, "noise-floor") {
		t.Errorf("a run with nothing to warn of but its noise floor: %v", c.Warnings)
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			if c := analyse(t, test.fake); !hasWarning(c.Warnings, test.code) {
				t.Errorf("no such warning in %v", c.Warnings)
			}
		})
	}
}

func TestArms(t *testing.T) {
	c := analyse(t, fake{change: func(run *record.Run) { run.Manifest.Blocks[0].Void = "server died" }})
	a := c.Arms[0]
	if a.Requests != 100 || len(a.Blocks) != 6 || a.Blocks[0].Block.Void == "" || a.CPU != 200 || a.RSS != 1012 {
		t.Errorf("%d requests, %d blocks, CPU %v, RSS %v", a.Requests, len(a.Blocks), a.CPU, a.RSS)
	}
	if b := a.Blocks[1]; b.CPU != 200 || b.HostCPU != 60 || b.MaxRSS != 1004 || math.Abs(b.LagP99-0.02) > 1e-9 {
		t.Errorf("block %+v", b)
	}
}
