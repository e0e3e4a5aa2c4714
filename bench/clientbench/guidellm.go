package clientbench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// guidellm is vLLM's project for evaluation, with its default number of workers.
func guidellm(c Config) client {
	venv := venv{dir: filepath.Join(c.Dir, "venv-guidellm"), requirements: "guidellm.txt", config: c}
	out := func(t task) string { return filepath.Join(t.dir, "result.json") }
	return client{
		name:    "guidellm 0.8",
		prepare: func(ctx context.Context) error { return venv.make(ctx, nil) },
		command: func(t task) (argv, env []string, err error) {
			data := fmt.Sprintf("kind=synthetic_text,prompt_tokens=50,output_tokens=%d", t.Tokens)
			if t.Image {
				data = "kind=json_file,path=" + imageInput(c.Dir, "guidellm", t.Load, sideGuidellm)
			}
			profile := "kind=poisson,rate=" + strconv.FormatFloat(t.Rate, 'g', -1, 64)
			if t.Streams > 0 {
				profile = fmt.Sprintf("kind=concurrent,streams=%d", t.Streams)
			}
			return []string{
				venv.program("guidellm"), "run", "--disable-console", "--profile", profile, "--data", data,
				"--backend", fmt.Sprintf("kind=openai_http,target=%s,model=truth,request_format=/v1/chat/completions,max_tokens=%d", t.url, t.Tokens),
				"--constraint", fmt.Sprintf("kind=max_requests,count=%d", t.Requests), "--seed", fmt.Sprintf("kind=static,value=%d", t.round),
				"--tokenizer", "kind=huggingface_auto,model=" + tokenizerDir(c.Dir), "--output", "kind=json,path=" + out(t),
			}, []string{"HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1"}, nil
		},
		read: func(t task) ([]request, error) { return readGuidellm(out(t)) },
	}
}

// readGuidellm gives the order alone: its requests have no ids on the wire.
func readGuidellm(path string) (requests []request, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var report struct {
		Benchmarks []struct {
			Requests struct {
				Successful []struct {
					Start float64 `json:"request_start_time"`
					TTFT  float64 `json:"time_to_first_token_ms"`
					ITL   float64 `json:"inter_token_latency_ms"`
				} `json:"successful"`
			} `json:"requests"`
		} `json:"benchmarks"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, err
	}
	for _, b := range report.Benchmarks {
		for _, r := range b.Requests.Successful {
			start := onSharedClock(time.Unix(0, int64(r.Start*float64(time.Second))))
			requests = append(requests, request{start: start.Seconds(), ttft: r.TTFT, meanGap: r.ITL})
		}
	}
	return requests, nil
}
