package calibrate

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/bench/record"
	"siglab/bench/truthserver"
)

// serve runs a truth server in this process.
func serve(t *testing.T) string {
	t.Helper()
	server, err := truthserver.New(truthserver.Script{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(ctx, listener) })
	t.Cleanup(func() { cancel(); served.Wait() })
	return "http://" + listener.Addr().String()
}

// TestRun wants the client and the server to agree about every request of a whole,
// small calibration.
func TestRun(t *testing.T) {
	config := Default()
	config.Streams, config.Bodies, config.Rates = []int{1, 20}, []int{300_000}, []float64{100}
	config.Arrivals, config.CellTime = 40, 100*time.Millisecond
	config.Script = truthserver.Script{TTFT: 10 * time.Millisecond, ITL: 2 * time.Millisecond, Tokens: 12, Jitter: 0.3}
	var steps []string
	result, err := Run(t.Context(), serve(t), config, func(what string) { steps = append(steps, what) })
	if err != nil {
		t.Fatal(err)
	}
	if result.MismatchCount != 0 {
		t.Errorf("mismatches: %+v", result.Mismatches)
	}
	if len(result.Streams) != 2 || len(result.Bodies) != 1 || len(result.Forms) != 6 || len(result.Arrivals) != 1 || len(result.Faults) != len(truthserver.Faults()) {
		t.Errorf("cells missing in %+v after %q", result, steps)
	}
	for _, cell := range slices.Concat(result.Streams, result.Bodies, result.Forms) {
		if cell.Failed > 0 || cell.Requests < 2*cell.N || cell.BodyBytes < 100 || cell.Lag.P50 <= 0 || cell.TTFT.P50 <= 0 || cell.ITL.P99 < cell.ITL.P50 {
			t.Errorf("cell %+v", cell)
		}
	}
	if a := result.Arrivals[0]; a.Requests != 40 || a.Failed != 0 || a.Sent.GapP == nil || a.Received.Arrivals != 40 {
		t.Errorf("arrivals %+v", a)
	}
	for _, f := range result.Faults {
		if f.SeenAs != string(seenAs(f.Fault)) {
			t.Errorf("%s was counted as %q", f.Fault, f.SeenAs)
		}
	}
}

// TestCompare wants every kind of disagreement to be found, and the times of those
// who agree to be right.
func TestCompare(t *testing.T) {
	ms := time.Millisecond
	agree := func() (record.Observation, truthserver.Entry) {
		return record.Observation{
				Item: "a", Sent: 10 * ms, RoleChunk: 62 * ms, FirstToken: 62 * ms, LastToken: 73 * ms, ChunkAt: []time.Duration{62 * ms, 62 * ms, 73 * ms},
				ChunkLens: []int{0, 4, 4}, Text: " tok tok", OutputTokens: 2, FinishReason: "stop", TokenSource: record.TokensByUsage,
			}, truthserver.Entry{
				ID: "a", Read: 1011 * ms, Tokens: 2, Finish: "stop",
				Events: []truthserver.Event{{At: 1061 * ms, Done: 1061 * ms}, {At: 1061 * ms, Done: 1061 * ms, Tokens: 1}, {At: 1071 * ms, Done: 1071 * ms, Tokens: 1}},
			}
	}
	tests := []struct {
		name   string
		change func(*record.Observation, *truthserver.Entry)
		want   string // what differs
	}{
		{"nothing differs", func(*record.Observation, *truthserver.Entry) {}, ""},
		{"a token too few", func(o *record.Observation, _ *truthserver.Entry) { o.OutputTokens = 1 }, "tokens"},
		{"another finish reason", func(o *record.Observation, _ *truthserver.Entry) { o.FinishReason = "length" }, "finish reason"},
		{"text lost", func(o *record.Observation, _ *truthserver.Entry) { o.Text = " tok" }, "bytes of text"},
		{"an event lost", func(o *record.Observation, _ *truthserver.Entry) { o.ChunkAt = o.ChunkAt[1:] }, "events"},
		{"a failure that was none", func(o *record.Observation, _ *truthserver.Entry) { o.Error, o.Failure = "x", record.FailedCut }, "outcome"},
		{"a failure that was not noticed", func(_ *record.Observation, e *truthserver.Entry) { e.Fault = truthserver.FaultAbort }, "outcome"},
		{"tokens shared out wrongly", func(o *record.Observation, _ *truthserver.Entry) { o.ChunkTokens = []int{1, 0, 1} }, "tokens of the events"},
		{"a request that never came", func(_ *record.Observation, e *truthserver.Entry) { e.ID = "b" }, "requests"},
	}
	for _, tt := range tests {
		o, truth := agree()
		tt.change(&o, &truth)
		trial := &trial{origin: time.Second, observations: []record.Observation{o}, entries: map[string][]truthserver.Entry{truth.ID: {truth}}}
		e := trial.compare()
		if tt.want == "" {
			// 52 ms from Sent where the server took 50; a gap of 11 where it was 10; each read 1 or 2 ms after its write.
			if len(e.mismatches) > 0 || len(e.ttft) != 1 || e.ttft[0] != 2 || len(e.itl) != 1 || e.itl[0] != 1 || !slices.Equal(e.lag, []float64{1, 1, 2}) {
				t.Errorf("%s: %+v", tt.name, e)
			}
			continue
		}
		if len(e.mismatches) == 0 || e.mismatches[0].What != tt.want || len(e.ttft) > 0 {
			t.Errorf("%s: %+v, want %q", tt.name, e, tt.want)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"streams":   func(c *Config) { c.Streams = []int{0} },
		"bodies":    func(c *Config) { c.Bodies = []int{1 << 40} },
		"rates":     func(c *Config) { c.Rates = []float64{-1} },
		"cell time": func(c *Config) { c.CellTime = 0 },
		"arrivals":  func(c *Config) { c.Arrivals = -1 },
	} {
		config := Quick(2, 100)
		change(&config)
		_, err := Run(t.Context(), "http://127.0.0.1:1", config, func(string) {})
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "body sizes", "bodies"), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	if _, err := Run(t.Context(), "http://127.0.0.1:1", Quick(2, 100), func(string) {}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("no server: error %v", err)
	}
}
