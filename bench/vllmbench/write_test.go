package vllmbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWriteTextIsByteEqualToCaptures(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			var got strings.Builder
			if err := WriteText(&got, Compute(load(t, c.name, c.opt))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(block(t, c.name), got.String()); diff != "" {
				t.Errorf("text (-vLLM +ours):\n%s", diff)
			}
		})
	}
}

func TestWriteJSONHasTheKeysAndValuesOfCaptures(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			var got bytes.Buffer
			if err := WriteJSON(&got, Compute(load(t, c.name, c.opt))); err != nil {
				t.Fatal(err)
			}
			want := readFile(t, c.name+".json")
			if diff := cmp.Diff(keys(t, want), keys(t, got.Bytes())); diff != "" {
				t.Errorf("keys in order (-vLLM +ours):\n%s", diff)
			}
			if diff := cmp.Diff(decode(t, want, c.name), decode(t, got.Bytes(), c.name), roughly); diff != "" {
				t.Errorf("values (-vLLM +ours):\n%s", diff)
			}
		})
	}
}

// decode returns a JSON object as values, without input_lens where all requests
// failed: what a client's tokenizer says of those is not known to an observation.
func decode(t *testing.T, raw []byte, name string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if name == "dead_port" {
		delete(m, "input_lens")
	}
	return m
}

// keys returns the keys of an object in order.
func keys(t *testing.T, raw []byte) []string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			t.Fatal(err)
		}
		out = append(out, key.(string))
	}
	return out
}

func TestWriteJSONOfNothing(t *testing.T) {
	var got bytes.Buffer
	opt := Options{
		Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Model: "a/b", RequestRate: math.Inf(1),
		Sections: []string{}, Metadata: []Meta{{"note", `say "hé"`}},
	}
	if err := WriteJSON(&got, Compute(nil, opt)); err != nil {
		t.Fatal(err)
	}
	want := `{"date": "20260102-030405", "endpoint_type": "openai-chat", "backend": "openai-chat", "label": null, ` +
		`"model_id": "a/b", "tokenizer_id": "a/b", "num_prompts": 0, "note": "say \"hé\"", "request_rate": "inf", ` +
		`"burstiness": 1.0, "max_concurrency": null, "duration": 0.0, "completed": 0, "failed": 0, ` +
		`"total_input_tokens": 0, "total_output_tokens": 0, "request_throughput": 0.0, "request_goodput": null, ` +
		`"output_throughput": 0.0, "total_token_throughput": 0.0, "input_lens": [], "output_lens": [], "ttfts": [], ` +
		`"itls": [], "latencies": [], "start_times": [], "queue_times": [], "generated_texts": [], "errors": [], ` +
		`"max_output_tokens_per_s": 0.0, "max_concurrent_requests": 0, "rtfx": 0.0}`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("json (-want +got):\n%s", diff)
	}
}

func TestAppendFloat(t *testing.T) {
	tests := []struct {
		v    float64
		want string
	}{
		{5, "5.0"}, {0, "0.0"}, {0.1, "0.1"}, {139.22278961232465, "139.22278961232465"},
		{8.131999948091106e-06, "8.131999948091106e-06"}, {0.0001, "0.0001"}, {1e15, "1000000000000000.0"},
		{1e16, "1e+16"}, {-2.5, "-2.5"}, {math.NaN(), "null"}, {math.Inf(-1), "null"},
	}
	for _, tt := range tests {
		if got := string(appendFloat(nil, tt.v)); got != tt.want {
			t.Errorf("appendFloat(%v) = %s, want %s", tt.v, got, tt.want)
		}
	}
}

// full is a writer that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errNoRoom }

var errNoRoom = errors.New("no space left")

func TestWritersReportTheirError(t *testing.T) {
	if err := WriteText(full{}, Result{}); !errors.Is(err, errNoRoom) {
		t.Errorf("WriteText: %v", err)
	}
	if err := WriteJSON(full{}, Result{}); !errors.Is(err, errNoRoom) {
		t.Errorf("WriteJSON: %v", err)
	}
}
