package clientbench

import (
	"math"
	"strings"
	"testing"
	"time"

	"siglab/bench/truthserver"
)

const millisecond = time.Millisecond

// answered is an entry whose first token was written after 50 ms, the second after 60,
// the role with the first.
func answered(id string, read time.Duration) truthserver.Entry {
	at := func(after time.Duration, tokens int) truthserver.Event {
		return truthserver.Event{At: read + after, Done: read + after, Tokens: tokens}
	}
	return truthserver.Entry{
		ID: id, Head: read, Read: read, Bytes: 2048, Finish: "length", Tokens: 2,
		Events: []truthserver.Event{at(50*millisecond, 0), at(50*millisecond, 1), at(60*millisecond, 1)},
	}
}

func TestJoin(t *testing.T) {
	entries := []truthserver.Entry{answered("b", 2*time.Second), answered("bench-1f-0", time.Second)}
	p99 := func(x float64) *float64 { return &x }
	tests := []struct {
		name    string
		said    []request
		ttft    float64
		itlMean float64
		itlP99  *float64
	}{
		{"by id, a gap between tokens", []request{{id: "b", ttft: 51, gaps: []float64{12}}}, 1, 2, p99(2)},
		{"by position, a gap after the role, which makes its mean 6", []request{{id: positional + "0", ttft: 51, gaps: []float64{1, 11}}}, 1, -4, p99(1)},
		{"by order, one that the client is silent about passed over", []request{{start: 1.999, ttft: 53, meanGap: 10.5}}, 3, 0.5, nil},
		{"by order, a mean alone", []request{{start: 9, ttft: 53, meanGap: 10.5}, {start: 8, ttft: 53, meanGap: 10.5}}, 3, 0.5, nil},
		{"events that were read together have gaps without a truth", []request{{id: "b", ttft: 51, gaps: []float64{5, 5, 5}}}, 1, -5, nil},
	}
	for _, test := range tests {
		var trial Trial
		if err := join(&trial, Load{}, test.said, entries); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
		if !near(trial.TTFT.P50, test.ttft) || !near(trial.ITLMean, test.itlMean) || trial.KB != 2 || trial.Whole != 2 || trial.Told != len(test.said) {
			t.Errorf("%s: %+v", test.name, trial)
		}
		if (trial.ITLP99 == nil) != (test.itlP99 == nil) || test.itlP99 != nil && !near(*trial.ITLP99, math.Round(*test.itlP99*1000)/1000) {
			t.Errorf("%s: 99th percentile of gaps' errors %v, want %v", test.name, trial.ITLP99, test.itlP99)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	failed := answered("c", time.Second)
	failed.Left = "the client had gone"
	entries := []truthserver.Entry{answered("b", time.Second), failed}
	for _, test := range []struct {
		name string
		said []request
		want string
	}{
		{"a client that tells nothing", nil, "tells of no request; 2 reached"},
		{"a request that was not answered", []request{{id: "c"}}, `"c"`},
		{"another number without ids", []request{{start: 1}, {start: 2}}, "2 requests without ids, the server answered 1"},
	} {
		if err := join(&Trial{}, Load{}, test.said, entries); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.want)
		}
	}
}

// TestArrivals: the gaps between the server's heads are what is examined.
func TestArrivals(t *testing.T) {
	got := offsets([]truthserver.Entry{{Head: 7}, {Head: 4}, {Head: 12}})
	if len(got) != 2 || got[0] != 3 || got[1] != 8 {
		t.Errorf("offsets %v, want 3 and 8", got)
	}
	if got := offsets(nil); len(got) != 0 {
		t.Errorf("offsets %v of nothing", got)
	}
}

// TestCores: use is interpolated between samples, and none is known without two.
func TestCores(t *testing.T) {
	samples := []sample{{at: 10 * time.Second, cpu: 1, rss: 3 << 20}, {at: 12 * time.Second, cpu: 2, rss: 5 << 20}, {at: 14 * time.Second, cpu: 6, rss: 4 << 20}}
	for _, test := range []struct {
		name     string
		from, to time.Duration
		want     float64
	}{
		{"from the middle of one interval to that of the next", 11 * time.Second, 13 * time.Second, 1.25},
		{"beyond the samples the last counts", 12 * time.Second, 16 * time.Second, 1},
		{"no time", 12 * time.Second, 12 * time.Second, 0},
	} {
		if got := cores(samples, test.from, test.to); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if cores(samples[:1], 0, time.Second) != 0 || peak(samples) != 5 {
		t.Errorf("peak %v", peak(samples))
	}
}
