package experiment

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

// TestRestart: how often servers are started, and how many live at once.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy       string
		starts, most int
	}{
		{"", 3, 1},
		{record.RestartEachBlock, 3, 1},
		{record.RestartEachPair, 3, 2},
		{record.RestartNever, 1, 2},
	} {
		a, b := &fakeServer{}, &fakeServer{}
		l := newLab(t, 3, a, b)
		l.plan.Experiment.Restart = test.policy
		run := l.run(t.Context(), t, nil)
		if run.Manifest.Stopped != StoppedComplete || a.most.Load() != int64(test.most) || a.running.Load() != 0 {
			t.Errorf("%q: stopped %q, at most %d at once, %d at the end; want %d at once", test.policy, run.Manifest.Stopped, a.most.Load(), a.running.Load(), test.most)
		}
		// The answers of both are equal, so no probe starts the baseline again.
		if a.starts != test.starts || b.starts != test.starts || a.stops != test.starts || b.stops != test.starts {
			t.Errorf("%q: started %d and %d times, stopped %d and %d; want %d", test.policy, a.starts, b.starts, a.stops, b.stops, test.starts)
		}
	}
}

// TestRestartAfterDeath: a kept server that dies is started again for the repetition of
// its block.
func TestRestartAfterDeath(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{dieAfter: 5}
	l := newLab(t, 2, a, b)
	l.plan.Experiment.Restart = record.RestartNever
	run := l.run(t.Context(), t, nil)
	if run.Manifest.Stopped != StoppedComplete || a.starts != 1 || b.starts != 2 || a.running.Load() != 0 {
		t.Errorf("stopped %q; started %d and %d times, %d run at the end", run.Manifest.Stopped, a.starts, b.starts, a.running.Load())
	}
}

// TestWarmUpRounds: warm-ups are sent once unless stability is asked for, then until it
// is reached, and not for ever.
func TestWarmUpRounds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		why        string
		bound      float64
		least      int
		mostRounds int
	}{
		{"no bound", 0, 1, 1},
		{"a bound that every change is within", 1e9, 2, 2},
		{"a bound that no change is within", 1e-12, mostWarmRounds, mostWarmRounds},
	} {
		l := newLab(t, 1, &fakeServer{}, &fakeServer{})
		l.plan.Experiment.Stability = test.bound
		run := l.run(t.Context(), t, nil)
		for _, b := range run.Manifest.Blocks {
			if w := b.WarmUp; w.Rounds < test.least || w.Rounds > test.mostRounds || w.Stable != (test.bound > 1) {
				t.Errorf("%s: %+v", test.why, w)
			}
		}
	}
	if got := medianChange([]time.Duration{10, 10, 10, 10}, []time.Duration{11, 9, 100, 12}); got < 0.1499 || got > 0.1501 {
		t.Errorf("median change %v, want 0.15", got)
	}
}

// TestCaches: caches are emptied unless they are to be kept, or a stranger's are said
// to be off.
func TestCaches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		caches, kind string
		resets       int64
	}{
		{record.CachesOff, record.KindBuiltin, 3},
		{record.CachesReset, record.KindBuiltin, 3},
		{record.CachesKeep, record.KindBuiltin, 0},
		{record.CachesReset, record.KindURL, 3},
		{record.CachesOff, record.KindURL, 0},
	} {
		server := &fakeServer{}
		l := newLab(t, 1, server)
		l.plan.Arms[0].Kind, l.plan.Experiment.Caches = test.kind, test.caches
		l.run(t.Context(), t, nil)
		if got := server.resets.Load(); got != test.resets {
			t.Errorf("caches %q of a server by %s: reset %d times, want %d", test.caches, test.kind, got, test.resets)
		}
	}
}

// TestMaxDuration: a run whose time is over ends after a whole pair, and says so.
func TestMaxDuration(t *testing.T) {
	l := newLab(t, 5, &fakeServer{}, &fakeServer{})
	l.plan.Experiment.MaxDuration = time.Nanosecond
	run := l.run(t.Context(), t, nil)
	if m := run.Manifest; m.Stopped != StoppedBudget || len(m.Blocks) != 2 {
		t.Errorf("stopped %q after %d blocks", m.Stopped, len(m.Blocks))
	}
	if done := CompletePairs(run); len(done) != 1 {
		t.Errorf("complete pairs: %v", done)
	}
}

// TestCoolDown: the pause ends with the run.
func TestCoolDown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := newLab(t, 2, &fakeServer{}, &fakeServer{})
	l.plan.Experiment.CoolDown = time.Hour
	run := l.run(ctx, t, func(e Event) {
		if e.Answer != nil && e.Answer.Index == perBlock-1 {
			cancel()
		}
	})
	if run.Manifest.Stopped != StoppedInterrupted {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
}

// TestCoolDownBetween: nothing waits for a block that does not come.
func TestCoolDownBetween(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l := newLab(t, 1, &fakeServer{})
	l.plan.Experiment.CoolDown = time.Hour
	if run := l.run(ctx, t, nil); run.Manifest.Stopped != StoppedComplete {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
}

// hooks notes the moments at which it is called, and fails at one.
type hooks struct {
	moments []Moment
	fail    string
}

func (h *hooks) call(_ context.Context, at Moment) error {
	if h.moments = append(h.moments, at); at.Hook == h.fail {
		return errors.New("no")
	}
	return nil
}

var allHooks = &record.Hooks{Commands: map[string][]string{
	"before_run": {"x"}, "after_run": {"x"}, "before_pair": {"x"}, "after_pair": {"x"}, "before_block": {"x"}, "after_block": {"x"},
}}

// TestHooks: each is called at its moment, in order.
func TestHooks(t *testing.T) {
	l := newLab(t, 1, &fakeServer{}, &fakeServer{})
	h := &hooks{}
	l.plan.Hook, l.plan.Experiment.Hooks = h.call, allHooks
	l.run(t.Context(), t, nil)
	want := []Moment{
		{Hook: "before_run"}, {Hook: "before_pair", Pair: 1},
		{Hook: "before_block", Pair: 1, Block: 1, Variant: "v0"}, {Hook: "after_block", Pair: 1, Block: 1, Variant: "v0"},
		{Hook: "before_block", Pair: 1, Block: 2, Variant: "v1"}, {Hook: "after_block", Pair: 1, Block: 2, Variant: "v1"},
		{Hook: "after_pair", Pair: 1}, {Hook: "after_run"},
	}
	if diff := cmp.Diff(want, h.moments); diff != "" {
		t.Errorf("moments (-want +got):\n%s", diff)
	}
}

// TestHookFails: it ends the run, which says which it was; what was set up before it is
// taken down.
func TestHookFails(t *testing.T) {
	for _, test := range []struct {
		fail   string
		blocks int
		last   string
	}{
		{"before_run", 0, "before_run"},
		{"before_pair", 0, "after_run"},
		{"before_block", 1, "after_run"},
		{"after_block", 1, "after_run"},
		{"after_pair", 2, "after_run"},
	} {
		l := newLab(t, 2, &fakeServer{}, &fakeServer{})
		h := &hooks{fail: test.fail}
		l.plan.Hook, l.plan.Experiment.Hooks = h.call, allHooks
		m, err := Run(t.Context(), l.plan, l.log, nil)
		if err == nil || !strings.Contains(err.Error(), "hook "+test.fail+": no") || !strings.HasPrefix(m.Stopped, "failed: ") {
			t.Errorf("%s: error %v, stopped %q", test.fail, err, m.Stopped)
		}
		if last := h.moments[len(h.moments)-1].Hook; len(m.Blocks) != test.blocks || last != test.last {
			t.Errorf("%s: %d blocks, last hook %s; want %d and %s", test.fail, len(m.Blocks), last, test.blocks, test.last)
		}
		if test.blocks == 1 && m.Blocks[0].Void == "" {
			t.Errorf("%s: its block counts", test.fail)
		}
	}
}
