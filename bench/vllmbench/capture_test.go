package vllmbench

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"siglab/bench/record"
)

// capture is what vLLM 0.32 saved of one run with --save-detailed.
type capture struct {
	Date           string      `json:"date"`
	Model          string      `json:"model_id"`
	NumPrompts     int         `json:"num_prompts"`
	Variant        string      `json:"variant"`
	Commit         string      `json:"commit"`
	RequestRate    any         `json:"request_rate"`
	Burstiness     float64     `json:"burstiness"`
	MaxConcurrency int         `json:"max_concurrency"`
	Duration       float64     `json:"duration"`
	InputLens      []int       `json:"input_lens"`
	OutputLens     []int       `json:"output_lens"`
	TTFTs          []float64   `json:"ttfts"`
	ITLs           [][]float64 `json:"itls"`
	Latencies      []float64   `json:"latencies"`
	StartTimes     []float64   `json:"start_times"`
	QueueTimes     []float64   `json:"queue_times"`
	Texts          []string    `json:"generated_texts"`
	Errors         []string    `json:"errors"`
}

// captures are the runs whose text and detailed JSON were both saved, with the
// options that the files do not name.
var captures = []struct {
	name string
	opt  Options
}{
	{"hf_visionarena", Options{Sections: []string{"ttft", "tpot", "itl"}}},
	{"inf_rate", Options{Sections: []string{"ttft", "tpot", "itl"}}},
	{"dead_port", Options{}},
	{"conc2_goodput", Options{Percentiles: []float64{50, 90, 99}, Goodput: Goodput{TTFT: 2 * time.Second}}},
}

// load returns the capture's observations and completes its options.
func load(t *testing.T, name string, opt Options) ([]record.Observation, Options) {
	t.Helper()
	var c capture
	if err := json.Unmarshal(readFile(t, name+".json"), &c); err != nil {
		t.Fatal(err)
	}
	date, err := time.Parse(dateLayout, c.Date)
	if err != nil {
		t.Fatal(err)
	}
	opt.Date, opt.Model, opt.NumPrompts = date, c.Model, c.NumPrompts
	opt.Burstiness, opt.MaxConcurrency, opt.Duration = c.Burstiness, c.MaxConcurrency, duration(c.Duration)
	if rate, ok := c.RequestRate.(float64); ok {
		opt.RequestRate = rate
	}
	if c.Variant != "" {
		opt.Metadata = []Meta{{"variant", c.Variant}, {"commit", c.Commit}}
	}
	obs := make([]record.Observation, len(c.Errors))
	for i := range obs {
		obs[i] = observe(output{
			Success: c.Errors[i] == "", PromptLen: c.InputLens[i], OutputTokens: c.OutputLens[i],
			TTFT: c.TTFTs[i], ITL: c.ITLs[i], Latency: c.Latencies[i], StartTime: c.StartTimes[i],
			Text: c.Texts[i], Error: c.Errors[i],
		})
		obs[i].Dequeued = obs[i].Sent - duration(c.QueueTimes[i])
	}
	return obs, opt
}

// output is one request as vLLM's client holds it, times in seconds.
type output struct {
	Success      bool      `json:"success"`
	PromptLen    int       `json:"prompt_len"`
	OutputTokens int       `json:"output_tokens"`
	TTFT         float64   `json:"ttft"`
	ITL          []float64 `json:"itl"`
	Latency      float64   `json:"latency"`
	StartTime    float64   `json:"start_time"`
	Text         string    `json:"generated_text"`
	Error        string    `json:"error"`
}

// observe turns a request of vLLM's client into an observation.
func observe(out output) record.Observation {
	o := record.Observation{
		Sent: duration(out.StartTime), PromptTokens: out.PromptLen, OutputTokens: out.OutputTokens,
		Text: out.Text, Error: out.Error,
	}
	if out.TTFT > 0 {
		at := out.StartTime + out.TTFT
		o.RoleChunk = duration(at)
		o.ChunkAt = append(o.ChunkAt, o.RoleChunk)
		for _, gap := range out.ITL {
			at += gap
			o.ChunkAt = append(o.ChunkAt, duration(at))
		}
	}
	if out.Success {
		o.LastToken = o.Sent + duration(out.Latency)
	}
	return o
}

// duration rounds seconds to nanoseconds, the resolution of vLLM's clock.
func duration(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }

// block returns the result block of a captured log.
func block(t *testing.T, name string) string {
	t.Helper()
	mark := "============ " + title
	_, rest, ok := strings.Cut(string(readFile(t, name+".txt")), mark)
	if !ok {
		t.Fatalf("%s.txt has no result", name)
	}
	return mark + rest
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
