package compare

import (
	"testing"

	"siglab/bench/record"
)

// TestOverTheRun: every request of the blocks that count is in one stretch, stretches
// are bounded in number, and readings keep their mean when they are joined.
func TestOverTheRun(t *testing.T) {
	run := fake{requests: 100, change: func(r *record.Run) {
		fail(&r.Observations[7])
		for i := range 4000 {
			r.Telemetry = append(r.Telemetry, record.Sample{At: 2 * ms, Block: 1, Variant: "main", CPU: float64(50 + i%2)})
		}
	}}.build()
	c, err := Analyse(run)
	if err != nil {
		t.Fatal(err)
	}
	requests, failed := 0, 0
	for _, m := range c.Timeline {
		requests, failed = requests+m.Requests, failed+m.Failed
	}
	if requests != len(run.Observations) || failed != 1 || len(c.Timeline) > mostMoments {
		t.Errorf("%d requests, %d failed, %d stretches", requests, failed, len(c.Timeline))
	}
	if len(c.Machine) == 0 || c.Machine[0].Name != "server CPU" || len(c.Machine[0].Points) > mostPointsSeries+len(run.Manifest.Blocks) {
		t.Fatalf("readings %+v", c.Machine)
	}
	points := c.Machine[0].Points
	for _, p := range points[len(points)-5 : len(points)-1] { // of the many of one block
		if p.Value < 50 || p.Value > 51 {
			t.Errorf("joined reading %v, want between 50 and 51", p.Value)
		}
	}
}

// TestPacing: the gaps as sent are those of the schedule where every send has one lag,
// and a load without a schedule has none.
func TestPacing(t *testing.T) {
	c, err := Analyse(fake{}.build())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Pacing {
		if p.Sent != 120 || p.Scheduled[50] != 10 || p.Gaps[50] != 10 || p.Lags[99] < 0.0199 || p.Lags[99] > 0.0201 {
			t.Errorf("%s: %d sent, gaps %v and %v, lag %v", p.Variant, p.Sent, p.Scheduled[50], p.Gaps[50], p.Lags[99])
		}
	}
	run := fake{}.build()
	run.Manifest.Experiment.Loop = record.LoopBurst
	if c, err = Analyse(run); err != nil || c.Pacing != nil {
		t.Errorf("all at once: pacing %v, error %v", c.Pacing, err)
	}
}

// TestRequestsOneByOne: all of few requests; of many the failed ones, then the slowest,
// in order.
func TestRequestsOneByOne(t *testing.T) {
	c, err := Analyse(fake{}.build())
	if err != nil || len(c.Requests) != 120 || c.Answers != 120 || !c.Requests[3].Seen[1].Same {
		t.Fatalf("%d of %d requests, error %v", len(c.Requests), c.Answers, err)
	}
	run := fake{pairs: 6, requests: 100, change: func(r *record.Run) {
		fail(&r.Observations[42])
		slow := &r.Observations[50]
		slow.FirstToken, slow.LastToken = slow.FirstToken+500*ms, slow.LastToken+500*ms
	}}.build()
	if c, err = Analyse(run); err != nil || len(c.Requests) != mostRequests || c.Answers != 600 {
		t.Fatalf("%d of %d requests, error %v", len(c.Requests), c.Answers, err)
	}
	told := map[int]Request{}
	for i, r := range c.Requests {
		if r.Pair == 0 {
			told[r.Index] = r
		}
		if i > 0 && (r.Pair < c.Requests[i-1].Pair || r.Pair == c.Requests[i-1].Pair && r.Index <= c.Requests[i-1].Index) {
			t.Errorf("request %d of pair %d is out of order", r.Index, r.Pair)
		}
	}
	if r, ok := told[42]; !ok || r.Seen[0].Failure == "" || r.Seen[1].Failure != "" || r.Seen[1].Same {
		t.Errorf("the failed request: %+v", r)
	}
	if _, ok := told[50]; !ok {
		t.Error("the slowest request is not told")
	}
}
