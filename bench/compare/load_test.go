package compare

import (
	"slices"
	"strings"
	"testing"
	"time"

	"siglab/bench/record"
)

func withExperiment(change func(*record.Experiment)) fake {
	return fake{change: func(run *record.Run) { change(&run.Manifest.Experiment) }}
}

// TestSaturatingLoads: the throughput of a server that is kept full is a result, its
// latencies are told to follow from it, and pacing is not checked where there is none.
func TestSaturatingLoads(t *testing.T) {
	for _, test := range []struct {
		loop      record.Loop
		saturates bool
		unchecked []string
	}{
		{record.LoopOpen, false, nil},
		{record.LoopCapped, false, nil},
		{record.LoopClosed, true, []string{"sent_span"}},
		{record.LoopBurst, true, []string{"send_lag_p99", "send_lag_balance", "sent_span"}},
	} {
		c := analyse(t, withExperiment(func(e *record.Experiment) { e.Loop, e.MaxConcurrency = test.loop, 4 }))
		throughput, latency := find(c.Metrics, "optimized", "output_throughput"), find(c.Metrics, "optimized", "median_ttft_ms")
		if throughput.Primary != test.saturates || hasWarning(throughput.Notes, "open-loop-throughput") == test.saturates || hasWarning(latency.Notes, "saturated-latency") != test.saturates {
			t.Errorf("loop %q: throughput %+v, latency's notes %+v", test.loop, throughput, latency.Notes)
		}
		if test.saturates && throughput.Verdict != Equivalent {
			t.Errorf("loop %q: the throughput is %s", test.loop, throughput.Verdict)
		}
		for _, g := range c.Gates {
			if !g.Checked != slices.Contains(test.unchecked, g.Name) {
				t.Errorf("loop %q: gate %+v", test.loop, g)
			}
		}
		err := CheckPrimaries([]string{"request_throughput"}, record.Experiment{Loop: test.loop}.Saturates())
		if (err == nil) != test.saturates {
			t.Errorf("loop %q: throughput as a primary: %v", test.loop, err)
		}
	}
}

// TestQueueIsNoLag: the time in the queue of a cap is the load's, what lies before and
// after it the client's.
func TestQueueIsNoLag(t *testing.T) {
	queued := func(before, in, after time.Duration) fake {
		return fake{change: func(run *record.Run) {
			run.Manifest.Experiment.Loop = record.LoopCapped
			for i := range run.Observations {
				o := &run.Observations[i]
				o.Queued = o.Scheduled + before
				o.Dequeued = o.Queued + in
				o.Sent = o.Dequeued + after
				later := o.Sent - o.Scheduled
				o.RoleChunk, o.FirstToken, o.LastToken, o.End = o.RoleChunk+later, o.FirstToken+later, o.LastToken+later, o.End+later
			}
		}}
	}
	lag := func(f fake) Gate { return gateOf(t, analyse(t, f), "send_lag_p99") }
	if g := lag(queued(ms/10, 50*ms, ms/10)); !g.OK || !strings.Contains(g.Detail, "0.200 ms") {
		t.Errorf("50 ms in the queue: %+v", g)
	}
	if g := lag(queued(4*ms, 0, 2*ms)); g.OK {
		t.Errorf("6 ms late: %+v", g)
	}
}

// TestOtherServers: what a server that is not ours does not tell is not checked, with
// the reason, and is no failure.
func TestOtherServers(t *testing.T) {
	url := func(name string) record.Variant {
		return record.Variant{Name: name, Kind: record.KindURL, URL: "http://h"}
	}
	command := func(name string, argv ...string) record.Variant {
		return record.Variant{Name: name, Kind: record.KindCommand, Argv: argv}
	}
	for _, test := range []struct {
		why         string
		variants    []record.Variant
		gate, words string
		state       state
	}{
		{"a URL's trigger", []record.Variant{url("a"), url("b")}, "trigger", "server at http://h", notChecked},
		{"a URL's version is not its code", []record.Variant{url("a"), url("b")}, "code_loaded", `"siglab 1", which does not tell`, notChecked},
		{"a URL's host", []record.Variant{url("a"), url("b")}, "environment", "may run anywhere", notChecked},
		{"commands declare what they differ in", []record.Variant{command("a", "serve", "--x"), command("b", "serve", "--y")}, "environment", `"serve --x" → "serve --y"`, passed},
		{"equal commands", []record.Variant{command("a", "serve"), command("b", "serve")}, "environment", "a to b nothing", passed},
		{"kinds that do not compare", []record.Variant{builtin("a", "exact", 0), command("b", "serve")}, "environment", "do not compare", notChecked},
	} {
		c := analyse(t, fake{variants: test.variants})
		g := gateOf(t, c, test.gate)
		if g.OK != (test.state == passed) || g.Checked != (test.state != notChecked) || !strings.Contains(g.Detail, test.words) {
			t.Errorf("%s: %+v, want %q", test.why, g, test.words)
		}
	}
}

// TestOneVariant: its gates are told, and nothing is compared.
func TestOneVariantAlone(t *testing.T) {
	f := fake{pairs: 1, variants: []record.Variant{{Name: "one", Kind: record.KindURL, URL: "http://h"}}}
	f.change = func(run *record.Run) {
		run.Manifest.Experiment.Restart = record.RestartNever
		run.Manifest.Notes = []record.Note{{Variant: "one", Code: record.NoteVersion, Text: "It says nothing."}}
	}
	c := analyse(t, f)
	if !c.Valid || c.Pairs != 0 || len(c.Metrics) != 0 || len(c.Arms) != 1 || c.Arms[0].Requests != 20 {
		t.Errorf("valid %v, %d pairs, %d metrics, arms %+v", c.Valid, c.Pairs, len(c.Metrics), c.Arms)
	}
	if g := gateOf(t, c, "complete"); !g.OK || !strings.Contains(g.Detail, "1 of 1 planned blocks") {
		t.Errorf("%+v", g)
	}
	if !hasWarning(c.Warnings, record.NoteVersion) || hasWarning(c.Warnings, "shared-server-start") || hasWarning(c.Warnings, "noise-floor-unmeasured") {
		t.Errorf("warnings %+v", c.Warnings)
	}
}
