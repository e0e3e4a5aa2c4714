package clientbench

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
)

// aiperf is NVIDIA's client.
func aiperf(c Config) client {
	venv := venv{dir: filepath.Join(c.Dir, "venv-aiperf"), requirements: "aiperf.txt", config: c}
	return client{
		name:    "AIPerf 0.13",
		prepare: func(ctx context.Context) error { return venv.make(ctx, nil) },
		command: func(t task) (argv, env []string, err error) {
			// It takes a tokenizer's folder only as a relative path of two names.
			tokenizer, err := filepath.Rel(c.Dir, tokenizerDir(c.Dir))
			if err != nil {
				return nil, nil, err
			}
			argv = []string{
				venv.program("aiperf"), "profile", "--model", "truth", "--url", t.url, "--endpoint-type", "chat", "--streaming",
				"--tokenizer", filepath.ToSlash(tokenizer), "--use-server-token-count", "--ui", "none", "--no-gpu-telemetry", "--no-server-metrics",
				"--artifact-dir", t.dir, "--request-count", strconv.Itoa(t.Requests), "--osl", strconv.Itoa(t.Tokens), "--random-seed", strconv.Itoa(t.round),
			}
			if t.Image {
				argv = append(argv, "--input-file", imageInput(c.Dir, "aiperf", t.Load, sideAIPerf), "--custom-dataset-type", "single_turn")
			} else {
				argv = append(argv, "--isl", "50")
			}
			if t.Streams > 0 {
				return append(argv, "--concurrency", strconv.Itoa(t.Streams)), nil, nil
			}
			return append(argv, "--request-rate", strconv.FormatFloat(t.Rate, 'g', -1, 64), "--request-rate-mode", "poisson"), nil, nil
		},
		read: readAIPerf,
	}
}

func readAIPerf(t task) (requests []request, err error) {
	file, err := os.Open(filepath.Join(t.dir, "profile_export.jsonl"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only
	type number struct {
		Value float64 `json:"value"`
	}
	for d := json.NewDecoder(bufio.NewReader(file)); d.More(); {
		var row struct {
			Metadata struct {
				ID    string  `json:"x_request_id"`
				Start float64 `json:"request_start_ns"`
			} `json:"metadata"`
			Metrics struct {
				TTFT number `json:"time_to_first_token"`
				ITL  number `json:"inter_token_latency"`
				Gaps struct {
					Value []float64 `json:"value"`
				} `json:"inter_chunk_latency"`
			} `json:"metrics"`
			Error any `json:"error"`
		}
		if err := d.Decode(&row); err != nil {
			return nil, err
		}
		if row.Error != nil {
			continue
		}
		requests = append(requests, request{
			id: row.Metadata.ID, start: row.Metadata.Start, ttft: row.Metrics.TTFT.Value, gaps: row.Metrics.Gaps.Value, meanGap: row.Metrics.ITL.Value,
		})
	}
	return requests, nil
}
