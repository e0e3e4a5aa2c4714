package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"siglab/bench/runlog"
)

// result is of siglab bench --json what is checked here.
type result struct {
	RunDir  string `json:"run_dir"`
	Valid   bool   `json:"valid"`
	Pairs   int    `json:"pairs"`
	Gates   []gate `json:"gates"`
	Metrics []struct {
		Metric, Variant, Verdict string
		Baseline, Candidate      *float64
		Primary                  bool
	} `json:"metrics"`
}

type gate struct {
	Name, Detail string
	OK, Checked  bool
}

// bench runs siglab bench. A run that is not valid has code 4: on a busy machine that is
// the right answer, and is checked by those who want more.
func (l lab) bench(ctx context.Context, t *testing.T, timeout time.Duration, flags ...string) result {
	t.Helper()
	argv := slices.Concat([]string{l.siglab, "bench", "--json", "--dataset", l.dataset, "--max-tokens", strconv.Itoa(maxTokens)}, flags)
	out, err := l.run(ctx, timeout, argv...)
	if err != nil {
		t.Fatal(err)
	}
	if out.code != 0 && out.code != 4 {
		t.Fatalf("siglab bench: exit code %d\n%s", out.code, out.stderr)
	}
	var r result
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatalf("siglab bench --json: %v\n%s%s", err, out.stdout, out.stderr)
	}
	if r.Valid && out.code != 0 {
		t.Errorf("the run is valid, the exit code %d", out.code)
	}
	return r
}

// checkVerdicts wants a verdict for every primary metric.
func (r result) checkVerdicts(t *testing.T) {
	t.Helper()
	primaries := 0
	for _, m := range r.Metrics {
		if !m.Primary {
			continue
		}
		primaries++
		known := []string{"faster", "slower", "equivalent", "inconclusive", "none"} // none: a gate failed
		if !slices.Contains(known, m.Verdict) || r.Valid && m.Verdict == "none" {
			t.Errorf("%s of %s: verdict %q", m.Metric, m.Variant, m.Verdict)
		}
		t.Logf("%s of %s: %s, %s to %s ms", m.Metric, m.Variant, m.Verdict, text(m.Baseline), text(m.Candidate))
	}
	if primaries == 0 {
		t.Error("no metric is primary")
	}
}

func text(v *float64) string {
	if v == nil {
		return "?"
	}
	return fmt.Sprintf("%.2f", *v)
}

// gate is one by its name.
func (r result) gate(t *testing.T, name string) gate {
	t.Helper()
	i := slices.IndexFunc(r.Gates, func(g gate) bool { return g.Name == name })
	if i < 0 {
		t.Fatalf("no gate %s", name)
	}
	return r.Gates[i]
}

// checkGates wants the gates about the work to be passed, and that of the TTFT at the
// client and in vLLM's own histogram to be checked. That it is passed is for a quiet
// machine to show: on a busy one the client waits for a core as well.
func (r result) checkGates(t *testing.T) {
	t.Helper()
	for _, name := range []string{"complete", "same_workload", "same_inputs", "equal_output_tokens", "error_rate"} {
		if g := r.gate(t, name); !g.OK || !g.Checked {
			t.Errorf("gate %s: ok %v, checked %v: %s", name, g.OK, g.Checked, g.Detail)
		}
	}
	gap := r.gate(t, "client_server_gap")
	t.Logf("client_server_gap: ok %v, client on time %v: %s", gap.OK, r.gate(t, "send_lag_p99").OK, gap.Detail)
	if !gap.Checked {
		t.Errorf("gate client_server_gap was not checked: %s", gap.Detail)
	}
	r.checkHistogram(t)
}

// slack is by how much a mean TTFT at the client may be below vLLM's own, which is within
// it: their clocks tell a little more or less than what was.
const slack = time.Millisecond

// checkHistogram wants vLLM to have counted the requests of each block, and no others,
// and its TTFT to be a part of the client's, and most of it but for what a busy machine
// adds.
func (r result) checkHistogram(t *testing.T) {
	t.Helper()
	run, err := runlog.Read(r.RunDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range run.Manifest.Blocks {
		if b.Void != "" {
			continue
		}
		var sum time.Duration
		for _, o := range run.Observations {
			if o.Block == b.ID {
				sum += o.RoleChunk - o.Sent
			}
		}
		if int(b.Server.TTFTCount) != b.Requests {
			t.Errorf("block %d: vLLM counted %v requests of %d", b.ID, b.Server.TTFTCount, b.Requests)
			continue
		}
		client := sum / time.Duration(b.Requests)
		server := time.Duration(b.Server.TTFTSum / b.Server.TTFTCount * float64(time.Second))
		if client < server-slack || client > mostApart*server+time.Second {
			t.Errorf("block %d: mean TTFT %v at the client, %v in vLLM", b.ID, client, server)
		}
	}
}

// checkFiles wants the run directory to be whole.
func (r result) checkFiles(t *testing.T, variants ...string) {
	t.Helper()
	files := []string{"manifest.json", "workload.jsonl", "observations.jsonl", "telemetry.jsonl", "comparison.md", "comparison.json", "report.html"}
	for _, name := range variants {
		files = append(files, "benchmark_"+name+".txt", name+"_benchmark.json")
	}
	for _, file := range files {
		if info, err := os.Stat(filepath.Join(r.RunDir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty: %v", file, err)
		}
	}
}

// checkMode wants a server's log to show that a mode resampled, and no other did.
func checkMode(t *testing.T, log, mode string, others ...string) {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	line := func(mode string) []byte { return []byte("[SIGLIP] resampled: mode=" + mode + " ") }
	if n := bytes.Count(data, line(mode)); n == 0 {
		t.Errorf("%s: mode %s did not run", log, mode)
	}
	for _, other := range others {
		if n := bytes.Count(data, line(other)); n > 0 {
			t.Errorf("%s: mode %s ran %d times, where %s is expected", log, other, n, mode)
		}
	}
	seeds := bytes.Count(data, []byte("[SIGLIP] fast_interpolate called: h=32, w=32"))
	if bilinear := mode == "bilinear"; bilinear != (seeds > 0) {
		t.Errorf("%s: fast_interpolate is named %d times in mode %s", log, seeds, mode)
	}
}

// vllmResult is of the files of vllm bench serve what is compared.
type vllmResult struct {
	Completed    int     `json:"completed"`
	InputTokens  int     `json:"total_input_tokens"`
	OutputTokens int     `json:"total_output_tokens"`
	Throughput   float64 `json:"request_throughput"`
	MedianTTFT   float64 `json:"median_ttft_ms"`
	MedianE2EL   float64 `json:"median_e2el_ms"`
}

func readVLLM(t *testing.T, file string) (r vllmResult) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// apart is how many times the larger of two is the smaller.
func apart(a, b float64) float64 { return max(a, b) / math.Max(min(a, b), 1e-9) }
