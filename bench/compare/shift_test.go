package compare

import (
	"math"
	"testing"
	"time"

	"siglab/bench/record"
)

// TestShifts: a delay that only slow requests feel shows in the upper deciles alone.
func TestShifts(t *testing.T) {
	slowest := fake{requests: 40, change: func(run *record.Run) {
		for i := range run.Observations {
			o := &run.Observations[i]
			o.FirstToken = o.Scheduled + time.Duration(50+o.Index)*ms
			if o.Variant == "optimized" && o.Index >= 30 {
				o.FirstToken += 20 * ms
			}
			o.LastToken = o.FirstToken + 10*ms
			o.End, o.RoleChunk = o.LastToken, o.FirstToken
		}
	}}
	c := analyse(t, slowest)
	if len(c.Shifts) != 2 || c.Shifts[0].Variant != "optimized" || c.Shifts[0].Latency != "ttft_ms" || c.Shifts[1].Latency != "e2el_ms" {
		t.Fatalf("shifts %+v", c.Shifts)
	}
	for _, d := range c.Shifts[0].Deciles {
		want := 0.0
		if d.Quantile >= 0.8 {
			at := 50 + d.Quantile*39 // of the baseline, ms
			want = 100 * 20 / at
		}
		if math.Abs(d.Change.Value-want) > 0.1 {
			t.Errorf("decile %.1f: %+.2f %%, want %+.2f %%", d.Quantile, d.Change.Value, want)
		}
	}
	failures := analyse(t, fake{change: each(func(o *record.Observation) { fail(o) })})
	for _, d := range failures.Shifts[0].Deciles {
		if !math.IsNaN(d.Change.Value) {
			t.Errorf("where all fail, decile %.1f changes by %v", d.Quantile, d.Change)
		}
	}
}

// TestStrata: requests with long prompts are slower, those with short ones are not.
func TestStrata(t *testing.T) {
	long := fake{requests: 60, change: each(func(o *record.Observation) {
		o.PromptTokens = 100 + o.Index
		if o.Variant == "optimized" && o.PromptTokens >= 140 {
			o.FirstToken += 30 * ms
		}
	})}
	c := analyse(t, long)
	if len(c.Strata) != 1 || len(c.Strata[0].Groups) != 3 {
		t.Fatalf("strata %+v", c.Strata)
	}
	groups := c.Strata[0].Groups
	for i, want := range []struct {
		name   string
		slower bool
	}{{"100–118", false}, {"119–138", false}, {"139–159", true}} {
		g := groups[i]
		if g.Name != want.name || (g.Change.Value > 10) != want.slower || g.Requests < 6*19 || g.Requests > 6*21 {
			t.Errorf("group %d: %+v, want %s, slower %t", i, g, want.name, want.slower)
		}
	}
	if c := analyse(t, fake{change: each(func(o *record.Observation) { o.PromptTokens = 70 })}); c.Strata != nil {
		t.Errorf("prompts of one length have strata %+v", c.Strata)
	}
}

// TestStrataBySize: requests with large images are slower, where the sizes are known.
func TestStrataBySize(t *testing.T) {
	f := fake{requests: 60, change: func(run *record.Run) {
		run.Sizes = map[string][2]int{}
		each(func(o *record.Observation) {
			o.PromptTokens = 70
			side := 300 + 10*(o.Index%3)*(o.Index%3)
			run.Sizes[o.Item] = [2]int{side, 1000}
			if o.Variant == "optimized" && side == 340 {
				o.FirstToken += 30 * ms
			}
		})(run)
	}}
	c := analyse(t, f)
	if len(c.Strata) != 1 || c.Strata[0].By != "kilopixels of the image" || len(c.Strata[0].Groups) < 2 {
		t.Fatalf("strata %+v", c.Strata)
	}
	groups := c.Strata[0].Groups
	if first, last := groups[0], groups[len(groups)-1]; first.Change.Value > 5 || last.Change.Value < 10 {
		t.Errorf("small images %+v, large ones %+v", first, last)
	}
}

// TestGoodput: requests that keep every limit, per second; there is none without limits.
func TestGoodput(t *testing.T) {
	f := fake{change: func(run *record.Run) {
		run.Manifest.Experiment.ResultFile.Goodput = map[string]float64{"ttft": 1000, "tpot": 9.9}
		each(func(o *record.Observation) {
			switch {
			case o.Index == 0:
				fail(o)
			case o.Index < 5: // one token has no time per token
				o.OutputTokens = 1
			case o.Variant == "optimized" && o.Index < 10:
				o.LastToken -= 10 * ms // 20 ms for three tokens
			}
		})(run)
	}}
	m := find(analyse(t, f).Metrics, "optimized", "request_goodput")
	if m == nil || m.Primary || m.noted("open-loop-throughput") {
		t.Fatalf("goodput %+v", m)
	}
	if ratio := m.Candidate / m.Baseline; math.Abs(ratio-9./4) > 0.01 {
		t.Errorf("goodput %v and %v, want 4 and 9 good requests in the same time", m.Baseline, m.Candidate)
	}
	if m := find(analyse(t, fake{}).Metrics, "optimized", "request_goodput"); m != nil {
		t.Errorf("without limits: %+v", m)
	}
}
