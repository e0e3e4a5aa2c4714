package experiment

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

// TestForeignServers: what another's server does not tell or cannot do is noted, once
// per variant; of our own it voids the block.
func TestForeignServers(t *testing.T) {
	t.Parallel()
	bare := &fakeServer{missing: []string{"/health", "/version", "/metrics", "/reset_prefix_cache", "/reset_mm_cache", "/reset_encoder_cache"}}
	strict := &fakeServer{missing: []string{"/reset_mm_cache"}, refuse: http.StatusForbidden, models: []string{"another"}}
	l := newLab(t, 2, bare, strict)
	for i := range l.plan.Arms {
		l.plan.Arms[i].Kind = record.KindURL
	}
	l.plan.Experiment.Model = "fake"
	run := l.run(t.Context(), t, nil)
	if run.Manifest.Stopped != StoppedComplete {
		t.Fatalf("stopped: %s", run.Manifest.Stopped)
	}
	codes := map[string][]string{}
	for _, n := range run.Manifest.Notes {
		codes[n.Variant] = append(codes[n.Variant], n.Code)
	}
	want := map[string][]string{
		"v0": {record.NoteHealth, record.NoteVersion, record.NoteTelemetry, record.NoteCaches},
		"v1": {record.NoteTelemetry, record.NoteModel, record.NoteCaches},
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}

	own := newLab(t, 1, &fakeServer{missing: []string{"/version"}})
	if run := own.run(t.Context(), t, nil); !strings.Contains(run.Manifest.Stopped, "/version") {
		t.Errorf("our own server without a version: stopped %q", run.Manifest.Stopped)
	}
}

// TestLoops: the loop of the experiment is the one that runs, and headers reach the
// server.
func TestLoops(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		loop   record.Loop
		queued bool
	}{{record.LoopOpen, false}, {record.LoopCapped, true}, {record.LoopClosed, false}, {record.LoopBurst, false}} {
		server := &fakeServer{delay: 5 * time.Millisecond}
		l := newLab(t, 1, server)
		l.plan.Experiment.Loop, l.plan.Experiment.MaxConcurrency = test.loop, 1
		l.plan.Header = http.Header{"X-Mark": {"7"}}
		run := l.run(t.Context(), t, nil)
		if len(run.Observations) != perBlock || server.marked.Load() != perBlock+2 {
			t.Fatalf("loop %q: %d observations, %d marked requests (two warm-ups among them)", test.loop, len(run.Observations), server.marked.Load())
		}
		for _, o := range run.Observations {
			if o.Queued > 0 != test.queued || !o.OK() {
				t.Errorf("loop %q: %+v", test.loop, o)
			}
		}
		if bounded := test.loop == record.LoopCapped || test.loop == record.LoopClosed; bounded && server.mostAtOnce.Load() > 1 {
			t.Errorf("loop %q: %d requests at once", test.loop, server.mostAtOnce.Load())
		}
	}
}
