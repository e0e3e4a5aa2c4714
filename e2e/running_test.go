package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Two clients that run one after the other on shared cores may differ by as much as the
// machine does meanwhile. One that counted something else is off in every attempt.
const (
	attempts            = 3
	mostApart           = 2   // in a median
	mostApartThroughput = 1.1 // of one schedule
)

// testTwoClients measures one server by vllm bench serve and by siglab, with the same
// rows and the same schedule.
func testTwoClients(ctx context.Context, t *testing.T, l lab, s *server) {
	for attempt := range attempts {
		a, b := l.twoClients(ctx, t, s, attempt)
		t.Logf("siglab: %+v", a)
		t.Logf("vllm:   %+v", b)
		if a.Completed != rows || b.Completed != rows {
			t.Fatalf("completed: %d by siglab, %d by vllm bench serve, of %d", a.Completed, b.Completed, rows)
		}
		if a.InputTokens != b.InputTokens || a.OutputTokens != b.OutputTokens {
			t.Fatalf("tokens in and out: %d and %d by siglab, %d and %d by vllm bench serve", a.InputTokens, a.OutputTokens, b.InputTokens, b.OutputTokens)
		}
		if patches := imageSize / 14 * (imageSize / 14); a.InputTokens < rows*patches {
			t.Fatalf("%d tokens in: %d images of %d patches have more", a.InputTokens, rows, patches)
		}
		if apart(a.Throughput, b.Throughput) <= mostApartThroughput && apart(a.MedianTTFT, b.MedianTTFT) <= mostApart && apart(a.MedianE2EL, b.MedianE2EL) <= mostApart {
			return
		}
	}
	t.Errorf("in none of %d attempts did the two clients measure about the same", attempts)
}

// twoClients are the results of siglab and of vllm bench serve.
func (l lab) twoClients(ctx context.Context, t *testing.T, s *server, attempt int) (ours, vllms vllmResult) {
	t.Helper()
	const rate = "4"
	out, file := filepath.Join(l.dir, fmt.Sprint("one", attempt)), fmt.Sprintf("vllm%d.json", attempt)
	r := l.bench(ctx, t, 3*time.Minute, "--url", "one="+s.url, "--num-prompts", strconv.Itoa(rows), "--request-rate", rate,
		"--schedule", "vllm", "--seed", "0", "--out", out)
	l.mustRun(ctx, t, 4*time.Minute, l.program("vllm"), "bench", "serve", "--backend", "openai-chat", "--endpoint", "/v1/chat/completions",
		"--base-url", s.url, "--model", servedName, "--tokenizer", l.model,
		"--dataset-name", "hf", "--dataset-path", l.dataset, "--hf-name", "lmarena-ai/VisionArena-Chat", "--hf-split", "train",
		"--hf-output-len", strconv.Itoa(maxTokens), "--num-prompts", strconv.Itoa(rows), "--request-rate", rate, "--seed", "0",
		"--ignore-eos", "--temperature", "0", "--percentile-metrics", "ttft,tpot,itl,e2el",
		"--save-result", "--result-dir", l.dir, "--result-filename", file)
	return readVLLM(t, filepath.Join(r.RunDir, "one_benchmark.json")), readVLLM(t, filepath.Join(l.dir, file))
}

// testPairsByURL compares two servers that run.
func testPairsByURL(ctx context.Context, t *testing.T, l lab, reference, cached *server) {
	r := l.bench(ctx, t, 5*time.Minute, "--url", "reference="+reference.url, "--url", "cached="+cached.url, "--num-prompts", "20",
		"--request-rate", "5", "--pairs", "3", "--no-calibrate", "--noise-floor", "none", "--out", filepath.Join(l.dir, "pairs"))
	if r.Pairs != 3 {
		t.Errorf("%d complete pairs of 3", r.Pairs)
	}
	r.checkVerdicts(t)
	r.checkFiles(t, "reference", "cached")
	r.checkGates(t)
	checkMode(t, reference.log, "reference", "cached", "bilinear")
	checkMode(t, cached.log, "cached", "reference", "bilinear")
}
