package experiment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siglab/bench/record"
)

// TestWrongCodeEndsTheRun: before any request of it, and without a second try.
func TestWrongCodeEndsTheRun(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{}
	l := newLab(t, 3, a, b)
	asked := 0
	l.plan.Arms[0].Loaded = func(context.Context) record.Code { return record.Code{Variant: "v0", Found: record.CodeRight} }
	l.plan.Arms[0].Fingerprint = func(context.Context) record.Fingerprint {
		asked++
		return record.Fingerprint{Variant: "v0"}
	}
	l.plan.Arms[1].Loaded = func(context.Context) record.Code {
		return record.Code{Variant: "v1", Found: record.CodeWrong, Detail: "it loads another checkout"}
	}
	m := l.run(t.Context(), t, nil).Manifest
	if !strings.HasPrefix(m.Stopped, StoppedWrongCode) || !strings.Contains(m.Stopped, "it loads another checkout") {
		t.Errorf("stopped %q", m.Stopped)
	}
	if b.total.Load() != 0 || b.starts != 1 || b.stops != 1 {
		t.Errorf("%d requests were sent, in %d starts and %d stops", b.total.Load(), b.starts, b.stops)
	}
	if len(m.Code) != 2 || m.Code[1].Found != record.CodeWrong || asked != 1 || len(m.Fingerprints) != 1 {
		t.Errorf("code %+v, fingerprints %+v", m.Code, m.Fingerprints)
	}
}

// TestTriggerCounts: lines and metrics count from the end of the warm-up to the last
// answer of a block.
func TestTriggerCounts(t *testing.T) {
	log := filepath.Join(t.TempDir(), "server.log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // of no use after the test
	a := &fakeServer{answer: func(n int) []string {
		_, _ = fmt.Fprintf(file, "request %d\nnothing\n", n)
		return []string{"a"}
	}}
	b := &fakeServer{}
	l := newLab(t, 1, a, b)
	l.plan.Arms[0].Log = log
	l.plan.Arms[0].Trigger = &record.Trigger{Log: `^request \d+$`, Metric: "vllm:time_to_first_token_seconds"}
	l.plan.Arms[1].Trigger = &record.Trigger{Log: "x", Metric: "no_such_metric"}
	for _, block := range l.run(t.Context(), t, nil).Manifest.Blocks {
		moved := block.Trigger
		switch {
		case moved == nil:
			t.Errorf("block %d was not counted", block.ID)
		case block.Variant == "v0" && (moved.Log == nil || *moved.Log != perBlock || moved.Metric == nil || *moved.Metric != perBlock || moved.Detail != ""):
			t.Errorf("block %d: %+v", block.ID, *moved)
		case block.Variant == "v1" && (moved.Log != nil || moved.Metric == nil || *moved.Metric != 0 || moved.Detail == ""):
			t.Errorf("block %d, without a log and the metric: %+v", block.ID, *moved)
		}
	}
}

func TestCheckTrigger(t *testing.T) {
	for _, test := range []struct {
		why     string
		trigger record.Trigger
		want    string
	}{
		{"a log expression", record.Trigger{Log: "a|b"}, ""},
		{"a metric with a label", record.Trigger{Metric: `a{b="c"}`, None: true}, ""},
		{"nothing", record.Trigger{None: true}, "a log expression or a metric"},
		{"a broken expression", record.Trigger{Log: "("}, "missing closing"},
		{"a broken metric", record.Trigger{Metric: "a b"}, "write name"},
		{"both ways", record.Trigger{Log: "a", None: true, AtLeast: 2}, "exclude"},
		{"less than nothing", record.Trigger{Log: "a", AtLeast: -1}, "above 0"},
	} {
		err := CheckTrigger(test.trigger)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
	}
}
