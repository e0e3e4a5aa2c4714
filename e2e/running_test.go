package e2e

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// mostApart is by how much two clients may differ in a median: they run minutes apart on
// shared cores, where a factor of two is noise. A client that counted something else
// would be further off.
const mostApart = 3

// testTwoClients measures one server by vllm bench serve and by siglab, with the same
// rows and the same schedule.
func testTwoClients(ctx context.Context, t *testing.T, l lab, s *server) {
	const rate = "4"
	ours := l.bench(ctx, t, 3*time.Minute, "--url", "one="+s.url, "--num-prompts", strconv.Itoa(rows), "--request-rate", rate,
		"--schedule", "vllm", "--seed", "0", "--out", filepath.Join(l.dir, "one"))
	l.mustRun(ctx, t, 4*time.Minute, l.program("vllm"), "bench", "serve", "--backend", "openai-chat", "--endpoint", "/v1/chat/completions",
		"--base-url", s.url, "--model", servedName, "--tokenizer", l.model,
		"--dataset-name", "hf", "--dataset-path", l.dataset, "--hf-name", "lmarena-ai/VisionArena-Chat", "--hf-split", "train",
		"--hf-output-len", strconv.Itoa(maxTokens), "--num-prompts", strconv.Itoa(rows), "--request-rate", rate, "--seed", "0",
		"--ignore-eos", "--temperature", "0", "--percentile-metrics", "ttft,tpot,itl,e2el",
		"--save-result", "--result-dir", l.dir, "--result-filename", "vllm.json")
	a, b := readVLLM(t, filepath.Join(ours.RunDir, "one_benchmark.json")), readVLLM(t, filepath.Join(l.dir, "vllm.json"))
	t.Logf("siglab: %+v", a)
	t.Logf("vllm:   %+v", b)
	if a.Completed != rows || b.Completed != rows {
		t.Errorf("completed: %d by siglab, %d by vllm bench serve, of %d", a.Completed, b.Completed, rows)
	}
	if a.InputTokens != b.InputTokens || a.OutputTokens != b.OutputTokens {
		t.Errorf("tokens in and out: %d and %d by siglab, %d and %d by vllm bench serve", a.InputTokens, a.OutputTokens, b.InputTokens, b.OutputTokens)
	}
	if patches := imageSize / 14 * (imageSize / 14); a.InputTokens < rows*patches {
		t.Errorf("%d tokens in: %d images of %d patches have more", a.InputTokens, rows, patches)
	}
	if apart(a.Throughput, b.Throughput) > 1.1 {
		t.Errorf("requests per second: %.3f by siglab, %.3f by vllm bench serve, of one schedule", a.Throughput, b.Throughput)
	}
	if apart(a.MedianTTFT, b.MedianTTFT) > mostApart || apart(a.MedianE2EL, b.MedianE2EL) > mostApart {
		t.Errorf("medians in ms: TTFT %.2f, E2EL %.2f by siglab, %.2f, %.2f by vllm bench serve", a.MedianTTFT, a.MedianE2EL, b.MedianTTFT, b.MedianE2EL)
	}
}

// testPairsByURL compares two servers that run.
func testPairsByURL(ctx context.Context, t *testing.T, l lab, reference, cached *server) {
	r := l.bench(ctx, t, 5*time.Minute, "--url", "reference="+reference.url, "--url", "cached="+cached.url, "--num-prompts", strconv.Itoa(rows),
		"--request-rate", "5", "--pairs", "4", "--noise-floor", "none", "--out", filepath.Join(l.dir, "pairs"))
	if r.Pairs != 4 {
		t.Errorf("%d complete pairs of 4", r.Pairs)
	}
	r.checkVerdicts(t)
	r.checkFiles(t, "reference", "cached")
	r.checkGates(t)
	checkMode(t, reference.log, "reference", "cached", "bilinear")
	checkMode(t, cached.log, "cached", "reference", "bilinear")
}
