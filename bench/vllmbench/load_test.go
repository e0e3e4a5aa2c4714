package vllmbench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"siglab/bench/record"
)

// queuedRun is three requests of a load with a cap: 1, 2 and 3 ms in the queue, one
// token after 10 ms each.
func queuedRun() ([]record.Observation, Options) {
	const ms = time.Millisecond
	var obs []record.Observation
	for i := range 3 {
		queued := time.Second + time.Duration(i)*100*ms
		sent := queued + time.Duration(i+1)*ms
		at := sent + 10*ms
		obs = append(obs, record.Observation{
			Scheduled: queued, Queued: queued, Dequeued: sent, Sent: sent, RoleChunk: at, FirstToken: at, LastToken: at, End: at,
			ChunkAt: []time.Duration{at}, OutputTokens: 1, Text: "x",
		})
	}
	return obs, Options{Date: time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC), Model: "m", NumPrompts: 3, Duration: time.Second, MaxConcurrency: 1}
}

// TestQueueSections: the wait for a place has its sections where they are asked for
// and there is a limit, and is left out otherwise.
func TestQueueSections(t *testing.T) {
	obs, opt := queuedRun()
	for _, test := range []struct {
		why      string
		sections []string
		limit    int
		has      bool
	}{
		{"asked for", []string{"ttft", "client_queue_time", "e2el_including_client_queue"}, 1, true},
		{"not asked for", nil, 1, false},
		{"no limit, so no queue", []string{"client_queue_time", "e2el_including_client_queue"}, 0, false},
	} {
		opt.Sections, opt.MaxConcurrency = test.sections, test.limit
		r := Compute(obs, opt)
		var text, object bytes.Buffer
		if err := WriteText(&text, r); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&object, r); err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ in, part string }{
			{text.String(), "---------------Client-side Queueing---------------\nMean Client Queue Time (ms):             2.00      \n"},
			{text.String(), "Median E2EL incl. Client Queue (ms):     12.00     \n"},
			{object.String(), `"mean_client_queue_time_ms": 2.0, `},
			{object.String(), `"median_e2el_including_client_queue_ms": 12.0, `},
		} {
			if strings.Contains(want.in, want.part) != test.has {
				t.Errorf("%s: %q in or not in\n%s", test.why, want.part, want.in)
			}
		}
	}
	if err := CheckSections([]string{"ttft", "client_queue_time"}); err != nil {
		t.Error(err)
	}
	if err := CheckSections([]string{"tfft"}); err == nil || !strings.Contains(err.Error(), `"tfft"`) {
		t.Errorf("error %v", err)
	}
}

// TestBrief: without --save-detailed two arrays stay, as in vLLM.
func TestBrief(t *testing.T) {
	obs, opt := queuedRun()
	var b bytes.Buffer
	if err := WriteJSONWith(&b, Compute(obs, opt), Brief); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"total_token_throughput": 3.0, "latencies": [0.01, 0.01, 0.01], "queue_times": [0.001, 0.002, 0.003], "max_output_tokens_per_s"`) {
		t.Error(b.String())
	}
}

// TestRamp: its settings follow the limit, and every whole rate has the time of the
// request that reached it.
func TestRamp(t *testing.T) {
	obs, opt := queuedRun()
	opt.MaxConcurrency, opt.Ramp = 0, &Ramp{Strategy: "linear", StartRPS: 1, EndRPS: 3.5}
	var b bytes.Buffer
	if err := WriteJSON(&b, Compute(obs, opt)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"request_rate": "inf", "burstiness": 1.0, "max_concurrency": null, "ramp_up_strategy": "linear", "ramp_up_start_rps": 1, "ramp_up_end_rps": 3.5, "duration"`,
		`"rtfx": 0.0, "rps_change_events": [{"rps": 1, "timestamp": "2026-11-25T01:02:03.000000"}, {"rps": 2, "timestamp": "2026-11-25T01:02:04.100000"}, {"rps": 3, "timestamp": "2026-11-25T01:02:04.200000"}], "mean_ttft_ms"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}
