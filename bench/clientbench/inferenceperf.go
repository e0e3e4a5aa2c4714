package clientbench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// inferencePerf is the client of Kubernetes' working group. Text goes to completions:
// its generators of text for chat want data sets from a hub.
func inferencePerf(c Config) client {
	venv := venv{dir: filepath.Join(c.Dir, "venv-inference-perf"), requirements: "inference-perf.txt", config: c, oldest: 12}
	return client{
		name:    "inference-perf 0.7",
		prepare: func(ctx context.Context) error { return venv.make(ctx, nil) },
		cannot: func(load Load) string {
			if load.Image {
				return "its synthetic images are of one colour: 14 KB, however large"
			}
			return ""
		},
		command: func(t task) (argv, env []string, err error) {
			config, err := json.MarshalIndent(inferencePerfConfig(c, t), "", "  ")
			if err != nil {
				return nil, nil, err
			}
			file := filepath.Join(t.dir, "config.yml") // JSON is YAML
			if err := os.WriteFile(file, config, 0o644); err != nil {
				return nil, nil, err
			}
			return []string{venv.program("inference-perf"), "--config_file", file}, []string{"HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1"}, nil
		},
		read: readInferencePerf,
	}
}

func inferencePerfConfig(c Config, t task) map[string]any {
	type object = map[string]any
	exactly := func(n int) object {
		return object{"min": n, "max": n, "mean": n, "std_dev": 0, "total_count": t.Requests}
	}
	data := object{"type": "random", "input_distribution": exactly(50), "output_distribution": exactly(t.Tokens)}
	load := object{"type": "poisson", "base_seed": t.round, "stages": []object{{"rate": t.Rate, "duration": max(1, int(float64(t.Requests)/max(t.Rate, 1)))}}}
	if t.Streams > 0 {
		load = object{"type": "concurrent", "stages": []object{{"num_requests": t.Requests, "concurrency_level": t.Streams}}}
	}
	load["num_workers"] = 2
	return object{
		"api": object{"type": "completion", "streaming": true}, "data": data, "load": load,
		"report":    object{"request_lifecycle": object{"summary": true, "per_stage": false, "per_request": true}},
		"storage":   object{"local_storage": object{"path": t.dir}},
		"server":    object{"type": "vllm", "model_name": "truth", "base_url": t.url, "ignore_eos": true},
		"tokenizer": object{"pretrained_model_name_or_path": tokenizerDir(c.Dir)},
	}
}

// readInferencePerf reads perf_counter's times, which are of the monotonic clock.
func readInferencePerf(t task) (requests []request, err error) {
	data, err := os.ReadFile(filepath.Join(t.dir, "per_request_lifecycle_metrics.json"))
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Start float64 `json:"start_time"`
		Error any     `json:"error"`
		Info  struct {
			Response struct {
				Times []float64 `json:"output_token_times"`
			} `json:"response_metrics"`
		} `json:"info"`
	}
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("per_request_lifecycle_metrics.json: %w", err)
	}
	for _, row := range rows {
		times := row.Info.Response.Times
		if row.Error != nil || len(times) == 0 {
			continue
		}
		r := request{start: row.Start, ttft: (times[0] - row.Start) * milli, gaps: gapsOf(times)}
		for _, at := range times {
			r.reads = append(r.reads, seconds(at))
		}
		requests = append(requests, r)
	}
	return requests, nil
}
