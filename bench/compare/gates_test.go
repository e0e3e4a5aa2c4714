package compare

import (
	"slices"
	"strings"
	"testing"
	"time"

	"siglab/bench/record"
)

func analyse(t *testing.T, f fake) *Comparison {
	t.Helper()
	c, err := Analyse(f.build())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func gateOf(t *testing.T, c *Comparison, name string) Gate {
	t.Helper()
	i := slices.IndexFunc(c.Gates, func(g Gate) bool { return g.Name == name })
	if i < 0 {
		t.Fatalf("there is no gate %q", name)
	}
	return c.Gates[i]
}

func TestGatesOfAGoodRun(t *testing.T) {
	c := analyse(t, fake{})
	for _, g := range c.Gates {
		if !g.OK || !g.Checked || g.Detail == "" {
			t.Errorf("gate %+v of a good run", g)
		}
	}
	if !c.Valid || len(c.Gates) != 13 {
		t.Errorf("valid = %v with %d gates", c.Valid, len(c.Gates))
	}
}

// TestGatesFailAlone breaks one thing at a time.
func TestGatesFailAlone(t *testing.T) {
	optimized := func(do func(*record.Observation)) func(*record.Run) {
		return each(func(o *record.Observation) {
			if o.Variant == "optimized" {
				do(o)
			}
		})
	}
	tests := []struct {
		name   string
		gate   string
		detail string // part of it
		fake   fake
	}{
		{"two of twenty sends of every block are 6 ms late", "send_lag_p99", "p99 of the send lag 6.020 ms, at most 5 ms", fake{change: each(func(o *record.Observation) {
			if o.Index == 7 || o.Index == 8 {
				o.Sent += 6 * ms
			}
		})}},
		{"one arm's sends are 1 ms late where TTFT is 100 ms", "send_lag_balance", "0.020 ms (main) and 1.020 ms (optimized), at most 0.5", fake{change: optimized(func(o *record.Observation) {
			o.Sent += ms
		})}},
		{"the last send of every block is 4 ms late in 190 ms", "sent_span", "2.105 % off the schedule's", fake{change: each(func(o *record.Observation) {
			if o.Index == 19 {
				o.Sent += 4 * ms
			}
		})}},
		{"one request was dropped in both arms", "no_dropped_sends", "block 1 of variant \"main\": 1 of 20 requests were not sent", fake{change: each(func(o *record.Observation) {
			if o.Item == "0-3" {
				fail(o)
				o.Sent = 0
			}
		})}},
		{"one block replayed other requests", "same_workload", "pair 0: variant \"main\" replayed slice slice0, \"optimized\" other", fake{change: func(run *record.Run) {
			run.Manifest.Blocks[1].SliceHash = "other"
		}}},
		{"one request was another item", "same_inputs", "pair 2 request 5: item \"2-5\" (main) and \"9-9\" (optimized)", fake{change: optimized(func(o *record.Observation) {
			if o.Item == "2-5" {
				o.Item = "9-9"
			}
		})}},
		{"one image was scaled differently", "same_inputs", "pair 2 request 5: 75 prompt tokens (main) and 76 (optimized)", fake{change: optimized(func(o *record.Observation) {
			if o.Item == "2-5" {
				o.PromptTokens++
			}
		})}},
		{"one arm answers at greater length", "equal_output_tokens", "480 output tokens (main) and 600 (optimized), +25.00 %", fake{change: optimized(func(o *record.Observation) {
			o.OutputTokens++
		})}},
		{"one request fails in one arm", "error_rate", "variant \"optimized\": 1 of 120 requests failed (first: connection reset)", fake{change: optimized(func(o *record.Observation) {
			if o.Item == "0-3" {
				fail(o)
			}
		})}},
		{"every request fails in both arms", "error_rate", "variant \"main\": 120 of 120 requests failed", fake{change: each(fail)}},
		{"the optimized code did not run in one request", "trigger", "119 resamplings by bilinear in 120 answered requests", fake{finish: func(run *record.Run) {
			run.Manifest.Blocks[1].Server.Resamples["bilinear 8x8→12x12"]--
		}}},
		{"the baseline ran the optimized code as well", "trigger", "1 resamplings by bilinear and 120 resamplings by reference", fake{finish: func(run *record.Run) {
			run.Manifest.Blocks[0].Server.Resamples["bilinear 8x8→12x12"] = 1
		}}},
		{"no resampling ran at all", "trigger", "0 resamplings by reference in 120", fake{finish: func(run *record.Run) {
			for i := range run.Manifest.Blocks {
				run.Manifest.Blocks[i].Server.Resamples = nil
			}
		}}},
		{"the arms run different programs", "code_loaded", "\"main\" runs \"siglab 1\", \"optimized\" runs \"siglab 2\"", fake{change: func(run *record.Run) {
			run.Manifest.Environment.Servers[1] = "siglab 2"
		}}},
		{"the command lines differ in an undeclared flag", "environment", "differ in more than they declare", fake{change: func(run *record.Run) {
			run.Manifest.Variants[1].Argv[5] = "4"
		}}},
		{"the client sees 1 ms that one server does not", "client_server_gap", "1.000 ms (main) and 2.000 ms (optimized), at most 0.500 ms apart", fake{finish: func(run *record.Run) {
			for i := range run.Manifest.Blocks {
				if b := &run.Manifest.Blocks[i]; b.Variant == "optimized" {
					b.Server.TTFTSum -= 0.001 * b.Server.TTFTCount
				}
			}
		}}},
		{"the run was interrupted in its last block", "complete", "5 of 6 planned pairs are complete; the run ended: interrupted", fake{change: func(run *record.Run) {
			run.Manifest.Blocks[11].Void = "interrupted"
			run.Manifest.Stopped = "interrupted"
		}}},
		{"somebody ended it early", "complete", "the run ended: interrupted", fake{change: func(run *record.Run) {
			run.Manifest.Stopped = "interrupted"
		}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := analyse(t, test.fake)
			for _, g := range c.Gates {
				switch {
				case g.Name != test.gate && g.Checked && !g.OK:
					t.Errorf("gate %s failed too: %s", g.Name, g.Detail)
				case g.Name == test.gate && (g.OK || !g.Checked):
					t.Errorf("gate %+v, want it to fail", g)
				case g.Name == test.gate && !strings.Contains(g.Detail, test.detail):
					t.Errorf("the detail %q has no %q", g.Detail, test.detail)
				}
			}
			if c.Valid {
				t.Error("the run is valid")
			}
			for _, m := range c.Metrics {
				if m.Verdict != None {
					t.Errorf("%s is %s in a run that is not valid", m.Metric, m.Verdict)
				}
			}
		})
	}
}

func TestGatesNotChecked(t *testing.T) {
	unscraped := func(run *record.Run) {
		for i := range run.Manifest.Blocks {
			run.Manifest.Blocks[i].Server = record.ServerDelta{Detail: "404"}
		}
	}
	tests := []struct {
		name   string
		gate   string
		detail string
		fake   fake
	}{
		{"without metrics the trigger is not known", "trigger", "its metrics were not read: 404", fake{finish: unscraped}},
		{"without metrics there is no server side", "client_server_gap", "404", fake{finish: unscraped}},
		{"too few requests for a mean", "client_server_gap", "variant \"main\": 28 answered requests, too few", fake{pairs: 2, requests: 14}},
		{"a server without a version", "code_loaded", "the server of variant \"optimized\"", fake{change: func(run *record.Run) { run.Manifest.Environment.Servers[1] = "" }}},
		{"a host without a fingerprint", "environment", "does not tell the processor", fake{change: func(run *record.Run) { run.Manifest.Environment.CPU = "" }}},
		{"a variant without a mode", "trigger", "declares no mode", fake{change: func(run *record.Run) { run.Manifest.Variants[0].Mode = "" }}},
		{"a slice without a hash", "same_workload", "block 2 has no hash", fake{change: func(run *record.Run) { run.Manifest.Blocks[1].SliceHash = "" }}},
		{"one request a block has no span", "sent_span", "no block", fake{requests: 1}},
		{"one variant has nothing to differ from", "same_inputs", "one variant", fake{variants: mainAndOptimized()[:1]}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := analyse(t, test.fake)
			g := gateOf(t, c, test.gate)
			if g.OK || g.Checked || !strings.Contains(g.Detail, test.detail) {
				t.Errorf("gate %+v, want it not checked because of %q", g, test.detail)
			}
			if !c.Valid {
				t.Errorf("a gate that is not checked makes the run invalid: %+v", c.Gates)
			}
		})
	}
}

// TestPositiveControl: an injected delay is found and fails no gate, since the
// server's own TTFT contains it.
func TestPositiveControl(t *testing.T) {
	f := fake{variants: []record.Variant{builtin("main", "exact", 0), builtin("delayed", "exact", 20*time.Millisecond)}}
	f.factor = func(pair, arm int) (float64, float64) { return 1 + 0.001*float64((pair+arm)%3), 1 }
	c := analyse(t, f)
	for _, g := range c.Gates {
		if !g.OK {
			t.Errorf("gate %+v", g)
		}
	}
	m := find(c.Metrics, "delayed", "median_ttft_ms")
	if m.Verdict != Slower || m.Absolute.Low > 20 || m.Absolute.High < 20 {
		t.Errorf("a delay of 20 ms is %s by %+v ms", m.Verdict, m.Absolute)
	}
	if g := gateOf(t, c, "environment"); !strings.Contains(g.Detail, "injected delay none → 20ms") {
		t.Errorf("the declared difference is missing: %s", g.Detail)
	}
	if !hasWarning(c.Warnings, "injected-delay") {
		t.Error("no warning says that it is a control")
	}
}

func hasWarning(list []Warning, code string) bool {
	return slices.ContainsFunc(list, func(w Warning) bool { return w.Code == code && w.Text != "" })
}
