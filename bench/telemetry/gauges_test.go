package telemetry

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

const vllmGauges = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
`

func TestGauges(t *testing.T) {
	tests := []struct {
		name, text string
		want       *record.Gauges
	}{
		{"vLLM: engines are added up, the fullest cache counts", vllmGauges, &record.Gauges{Running: new(5.0), Waiting: new(1.0), KVCache: new(0.5)}},
		{"SGLang", "# TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs{m=\"x\"} 4\nsglang:num_queue_reqs 2\n# TYPE sglang:token_usage gauge\nsglang:token_usage 0.28\n",
			&record.Gauges{Running: new(4.0), Waiting: new(2.0), KVCache: new(0.28)}},
		{"a server that tells one of them", "vllm:num_requests_running 1\n", &record.Gauges{Running: new(1.0)}},
		{"no number", "vllm:num_requests_running NaN\n", nil},
		{"another server", "# TYPE up gauge\nup 1\n", nil},
		{"lines that do not count may be garbage", "<html>\nvllm:num_requests_waiting 2\n", &record.Gauges{Waiting: new(2.0)}},
		{"garbage", "vllm:num_requests_running {{{\n", nil},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, gauges([]byte(tt.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func FuzzGauges(f *testing.F) {
	f.Add([]byte(vllmGauges))
	f.Add([]byte("vllm:kv_cache_usage_perc +Inf\n# TYPE sglang:token_usage histogram\nsglang:token_usage_sum 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		g := gauges(text)
		if g != nil && g.Running == nil && g.Waiting == nil && g.KVCache == nil {
			t.Error("gauges without any")
		}
	})
}
