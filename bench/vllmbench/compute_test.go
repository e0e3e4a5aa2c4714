package vllmbench

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/bench/record"
)

// roughly accepts the rounding of float64 sums in another order, and of times to
// nanoseconds.
var roughly = cmpopts.EquateApprox(1e-9, 1e-6)

// goldenCase is one call of vLLM 0.32's calculate_metrics and what it returned.
type goldenCase struct {
	Name        string             `json:"name"`
	Duration    float64            `json:"dur_s"`
	Goodput     map[string]float64 `json:"goodput"` // ms
	Tokenizer   *string            `json:"tokenizer"`
	Percentiles []float64          `json:"selected_percentiles"`
	Outputs     []output           `json:"outputs"`
	Metrics     json.RawMessage    `json:"metrics"`
	OutputLens  []int              `json:"actual_output_lens"`
}

func TestComputeGivesCalculateMetrics(t *testing.T) {
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(readFile(t, "calculate_metrics_golden.json"), &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 5 {
		t.Fatalf("%d cases, want 5", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			r := Compute(c.observations(), c.options())
			var want map[string]any
			if err := json.Unmarshal(c.Metrics, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, asMetrics(r), roughly); diff != "" {
				t.Errorf("metrics (-vLLM +ours):\n%s", diff)
			}
			lens := column(r.Requests, func(r Request) int { return r.OutputTokens })
			if diff := cmp.Diff(c.OutputLens, lens); diff != "" {
				t.Errorf("output lengths (-vLLM +ours):\n%s", diff)
			}
		})
	}
}

func (c goldenCase) observations() []record.Observation {
	var obs []record.Observation
	for _, out := range c.Outputs {
		obs = append(obs, observe(out))
	}
	return obs
}

func (c goldenCase) options() Options {
	limit := func(name string) time.Duration { return duration(c.Goodput[name] / 1000) }
	o := Options{
		Duration: duration(c.Duration), Percentiles: c.Percentiles,
		Goodput: Goodput{TTFT: limit("ttft"), TPOT: limit("tpot"), E2EL: limit("e2el")},
	}
	if c.Tokenizer != nil { // the two texts without usage, as that tokenizer counts them
		o.CountTokens = func(text string) int { return map[string]int{"the dog and the cat": 6}[text] }
	}
	return o
}

// asMetrics writes a result with the names of vLLM's BenchmarkMetrics.
func asMetrics(r Result) map[string]any {
	m := map[string]any{
		"completed": float64(r.Completed), "failed": float64(r.Failed),
		"total_input": float64(r.InputTokens), "total_output": float64(r.OutputTokens),
		"request_throughput": r.RequestThroughput, "request_goodput": r.RequestGoodput,
		"output_throughput": r.OutputThroughput, "total_token_throughput": r.TotalTokenThroughput,
		"max_output_tokens_per_s": float64(r.PeakOutputTokens),
		"max_concurrent_requests": float64(r.PeakConcurrent), "rtfx": 0.0,
	}
	for _, l := range r.latencies() {
		m["mean_"+l.key+"_ms"], m["median_"+l.key+"_ms"], m["std_"+l.key+"_ms"] = l.Mean, l.Median, l.Std
		var percentiles []any
		for _, p := range l.Percentiles {
			percentiles = append(percentiles, []any{p.Percent, p.Value})
		}
		m["percentiles_"+l.key+"_ms"] = percentiles
	}
	return m
}

func TestPeaksSpanBlocks(t *testing.T) {
	at := duration
	request := func(sent, last float64, chunks ...time.Duration) record.Observation {
		return record.Observation{Sent: at(sent), LastToken: at(last), ChunkAt: chunks}
	}
	failed := request(0.5, 9, at(1), at(1), at(1), at(1))
	failed.Error = "reset"
	tests := []struct {
		why                string
		obs                []record.Observation
		tokens, concurrent int
	}{
		{"nothing was observed", nil, 0, 0},
		{"failed requests do not count, and do not set the origin", []record.Observation{
			failed, request(1, 1.5, at(1.2), at(1.5))}, 2, 1},
		{"seconds count from the first send, not from the clock's origin", []record.Observation{
			request(0.9, 1.8, at(1.1), at(1.8))}, 2, 1},
		{"two requests of one second count as concurrent though the first had ended", []record.Observation{
			request(1, 1.2, at(1.1)), request(1.5, 1.7, at(1.6))}, 2, 2},
		{"requests of different seconds do not", []record.Observation{
			request(1, 1.2, at(1.1)), request(2.5, 2.7, at(2.6))}, 1, 1},
		{"a block an hour later is counted on the same clock", []record.Observation{
			request(1, 1.2, at(1.1)), request(3601, 3603, at(3602), at(3602.5)), request(3601.9, 3602.2, at(3602.2))}, 3, 2},
	}
	for _, tt := range tests {
		tokens, concurrent := peaks(tt.obs)
		if tokens != tt.tokens || concurrent != tt.concurrent {
			t.Errorf("%s: got %d tokens, %d requests, want %d, %d", tt.why, tokens, concurrent, tt.tokens, tt.concurrent)
		}
	}
}

func TestPercentile(t *testing.T) {
	tests := []struct {
		why    string
		sorted []float64
		p      float64
		want   float64
	}{
		{"one value is every percentile", []float64{7}, 99, 7},
		{"0 is the smallest", []float64{1, 2, 4}, 0, 1},
		{"100 is the largest", []float64{1, 2, 4}, 100, 4},
		{"the middle of two values", []float64{1, 2}, 50, 1.5},
		{"linear between neighbours", []float64{0, 10, 20, 30}, 90, 27},
		{"beyond 100 is the largest", []float64{1, 2}, 250, 2},
		{"below 0 is the smallest", []float64{1, 2}, -3, 1},
		{"NaN stays NaN", []float64{1, 2}, math.NaN(), math.NaN()},
	}
	for _, tt := range tests {
		if got := percentile(tt.sorted, tt.p); !cmp.Equal(got, tt.want, roughly, cmpopts.EquateNaNs()) {
			t.Errorf("%s: percentile(%v, %v) = %v, want %v", tt.why, tt.sorted, tt.p, got, tt.want)
		}
	}
}

func TestRequestWithoutAnswerIsAFailure(t *testing.T) {
	r := Compute([]record.Observation{{Sent: time.Second}}, Options{})
	if r.Failed != 1 || r.Requests[0].Error == "" {
		t.Errorf("failed %d, error %q: want 1 and a reason", r.Failed, r.Requests[0].Error)
	}
	if r.RequestThroughput != 0 {
		t.Errorf("throughput %v without a duration, want 0", r.RequestThroughput)
	}
}
