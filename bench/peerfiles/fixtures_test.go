package peerfiles

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/vllmbench"
)

// fixture is one file with where its numbers stand in it: paths of its JSON with a
// factor, or the numbers themselves.
type fixture struct {
	file    string // in testdata
	made    string // by what
	tool    string
	version string
	notes   string // codes of the notes, sorted as they come
	paths   map[string]string
	factor  float64 // of latencies given by paths
	numbers map[string]float64
}

// without drops keys that a version does not write.
func without(paths map[string]string, keys ...string) map[string]string {
	for _, key := range keys {
		delete(paths, key)
	}
	return paths
}

// latencyPaths are paths of one latency section for the statistics that are checked.
func latencyPaths(into map[string]string, section, mean, median, p99 string) map[string]string {
	into["mean_"+section+"_ms"], into["median_"+section+"_ms"], into["p99_"+section+"_ms"] = mean, median, p99
	return into
}

func aiperfPaths() map[string]string {
	paths := map[string]string{
		"completed": "request_count.avg", "duration": "benchmark_duration.avg", "total_input_tokens": "total_isl.avg", "total_output_tokens": "total_osl.avg",
		"request_throughput": "request_throughput.avg", "output_throughput": "output_token_throughput.avg", "total_token_throughput": "total_token_throughput.avg",
		"std_ttft_ms": "time_to_first_token.std", "p10_e2el_ms": "request_latency.p10",
	}
	for section, name := range map[string]string{"ttft": "time_to_first_token", "tpot": "inter_token_latency", "itl": "inter_chunk_latency", "e2el": "request_latency"} {
		latencyPaths(paths, section, name+".avg", name+".p50", name+".p99")
	}
	return paths
}

func guidellmPaths() map[string]string {
	m := "benchmarks.0.metrics."
	paths := map[string]string{
		"completed": m + "request_totals.successful", "failed": m + "request_totals.errored", "duration": "benchmarks.0.duration",
		"request_rate":       "benchmarks.0.config.strategy.rate",
		"total_input_tokens": m + "prompt_token_count.successful.total_sum", "total_output_tokens": m + "output_token_count.successful.total_sum",
		"request_throughput": m + "requests_per_second.successful.mean", "output_throughput": m + "output_tokens_per_second.successful.mean",
		"total_token_throughput": m + "tokens_per_second.successful.mean", "p99.9_ttft_ms": m + "time_to_first_token_ms.successful.percentiles.p999",
		"p5_tpot_ms": m + "inter_token_latency_ms.successful.percentiles.p05",
	}
	for section, name := range map[string]string{"ttft": "time_to_first_token_ms", "tpot": "inter_token_latency_ms"} {
		latencyPaths(paths, section, m+name+".successful.mean", m+name+".successful.median", m+name+".successful.percentiles.p99")
	}
	return paths
}

func inferencePerfPaths() map[string]string {
	paths := map[string]string{
		"completed": "successes.count", "failed": "failures.count", "duration": "benchmark_time_seconds",
		"total_input_tokens": "successes.prompt_tokens.total", "total_output_tokens": "successes.output_tokens.total",
		"request_throughput": "successes.throughput.requests_per_sec", "output_throughput": "successes.throughput.output_tokens_per_sec",
	}
	for section, name := range map[string]string{"ttft": "time_to_first_token", "tpot": "time_per_output_token", "itl": "inter_token_latency", "e2el": "request_latency"} {
		at := "successes.latency." + name
		latencyPaths(paths, section, at+".mean", at+".median", at+".p99")
	}
	return paths
}

func vllmPaths() map[string]string {
	paths := map[string]string{}
	for _, key := range strings.Fields("completed failed duration request_rate total_input_tokens total_output_tokens request_throughput output_throughput total_token_throughput") {
		paths[key] = key
	}
	for _, section := range []string{"ttft", "tpot", "itl", "e2el"} {
		latencyPaths(paths, section, "mean_"+section+"_ms", "median_"+section+"_ms", "p99_"+section+"_ms")
	}
	return paths
}

func sglangPaths() map[string]string {
	paths := vllmPaths()
	delete(paths, "failed") // it does not count them
	paths["total_token_throughput"] = "total_throughput"
	return latencyPaths(paths, "e2el", "mean_e2e_latency_ms", "median_e2e_latency_ms", "p99_e2e_latency_ms")
}

const (
	real0     = "written by the tool itself, in part left out here"
	exported  = "written by the exporters of the tool from made-up samples"
	fromShape = "written by hand after the source of the tool, which did not run here"
)

var fixtures = []fixture{
	{"vllm-0.32_poisson10.json", real0, vllmbench.VLLM, "", "role-chunk role-chunk", vllmPaths(), 1, nil},
	{"vllm-0.32_http500.json", real0, vllmbench.VLLM, "", "role-chunk role-chunk failures-dropped", vllmPaths(), 1, map[string]float64{"completed": 56, "failed": 4}},
	{"vllm-0.32_abort.json", real0, vllmbench.VLLM, "", "role-chunk role-chunk failures-dropped", vllmPaths(), 1, map[string]float64{"completed": 50, "failed": 10}},
	{"vllm-0.32_random_mm.json", real0, vllmbench.VLLM, "", "role-chunk role-chunk", without(vllmPaths(), "mean_e2el_ms", "median_e2el_ms", "p99_e2el_ms"), 1, nil},
	{"vllm-0.32_wrong_model_all_fail.json", real0, vllmbench.VLLM, "", "role-chunk role-chunk no-successes", map[string]string{"failed": "failed", "completed": "completed", "duration": "duration"}, 1, map[string]float64{"failed": 4}},
	{"vllm-0.32_wrong_model_all_fail.txt", real0, vllmbench.VLLM, "", "no-successes", nil, 1, map[string]float64{"completed": 0, "failed": 4, "duration": 0.4, "request_rate": 10}},
	{"vllm-bench_rust.json", fromShape, vllmbench.RustClient, "", "input-tokens-client role-chunk role-chunk failures-dropped", vllmPaths(), 1, map[string]float64{"completed": 48}},
	{"vllm-bench_rust.txt", fromShape, vllmbench.RustClient, "", "input-tokens-client role-chunk role-chunk failures-dropped", nil, 1,
		map[string]float64{"completed": 48, "failed": 2, "request_rate": 10, "mean_ttft_ms": 50.5, "p99_e2el_ms": 727.2, "total_token_throughput": 1218.5}},
	{"guidellm-0.8_poisson10.json", real0, GuideLLM, "0.8.1", "itl-per-request tpot-includes-ttft repeated-gaps", guidellmPaths(), 1, map[string]float64{"median_e2el_ms": 891.1662101745605}},
	{"guidellm-0.8_http500.json", real0, GuideLLM, "0.8.1", "itl-per-request tpot-includes-ttft failures-dropped", guidellmPaths(), 1, map[string]float64{"failed": 4, "mean_e2el_ms": 281.1298583235059}},
	{"aiperf-0.13_poisson10.json", real0, AIPerf, "0.13.0", "itl-per-request", aiperfPaths(), 1, map[string]float64{"request_rate": 10, "failed": 0}},
	{"aiperf-0.13_http500.json", real0, AIPerf, "0.13.0", "itl-per-request failures-dropped", aiperfPaths(), 1, map[string]float64{"request_rate": 20, "completed": 56, "failed": 4}},
	{"aiperf-0.13_poisson10.csv", real0, AIPerf, "", "itl-per-request rounded", nil, 1,
		map[string]float64{"completed": 100, "failed": 0, "duration": 10.76, "mean_ttft_ms": 50.52, "p99_e2el_ms": 1320.49, "median_tpot_ms": 10, "p99_itl_ms": 10.9, "total_output_tokens": 8086, "request_throughput": 9.16}},
	{"aiperf-0.13_poisson10.txt", real0, AIPerf, "", "itl-per-request rounded", nil, 1,
		map[string]float64{"completed": 100, "mean_ttft_ms": 50.52, "p99_e2el_ms": 1320.49, "median_e2el_ms": 870.73, "output_throughput": 740.71}},
	{"aiperf-0.2.json", real0, AIPerf, "", "itl-per-request", without(aiperfPaths(), "total_token_throughput"), 1, map[string]float64{"request_rate": 8, "failed": 0}},
	{"aiperf-0.2.csv", real0, AIPerf, "", "itl-per-request rounded", nil, 1,
		map[string]float64{"completed": 12, "duration": 2.79, "mean_ttft_ms": 67.22, "p99_itl_ms": 29.62, "p99_tpot_ms": 3.8, "total_input_tokens": 6600, "request_throughput": 4.3}},
	{"genai-perf-0.0.16.json", exported, GenAIPerf, "", "itl-per-request failed-not-counted", without(aiperfPaths(), "total_token_throughput", "duration", "total_input_tokens", "total_output_tokens", "mean_itl_ms", "median_itl_ms", "p99_itl_ms"), 1,
		map[string]float64{"max_concurrency": 2, "total_input_tokens": 600, "total_output_tokens": 1026}},
	{"genai-perf-0.0.16.csv", exported, GenAIPerf, "", "itl-per-request failed-not-counted rounded", nil, 1,
		map[string]float64{"completed": 12, "mean_e2el_ms": 1339.37, "p99_tpot_ms": 10.11, "median_ttft_ms": 49.2, "output_throughput": 620.5, "request_throughput": 7.5}},
	{"inference-perf_poisson10/summary_lifecycle_metrics.json", real0, InferencePerf, "", "tpot-includes-ttft", inferencePerfPaths(), 1000, nil},
	{"inference-perf_poisson10/stage_0_lifecycle_metrics.json", real0, InferencePerf, "", "tpot-includes-ttft", inferencePerfPaths(), 1000, map[string]float64{"request_rate": 10}},
	{"sglang-0.5.2.txt", real0, vllmbench.SGLang, "", "failed-not-counted", nil, 1,
		map[string]float64{"completed": 16, "max_concurrency": 4, "median_e2el_ms": 16.91, "p99_ttft_ms": 14.45, "p95_itl_ms": 5.21, "total_token_throughput": 5391.38}},
	{"sglang-0.5.23.txt", real0, vllmbench.SGLang, "", "failed-not-counted", nil, 1,
		map[string]float64{"completed": 12, "request_rate": 10, "median_e2el_ms": 682.03, "p99_ttft_ms": 56.47, "p95_itl_ms": 10.83, "p90_tpot_ms": 10.01, "total_token_throughput": 782.59}},
	{"sglang-0.5.23.jsonl", real0, vllmbench.SGLang, "", "failed-not-counted", sglangPaths(), 1, map[string]float64{"completed": 12, "total_token_throughput": 782.9852389882896}},
	{"llmperf_summary.json", fromShape, LLMPerf, "2023-08-31", "tpot-includes-ttft output-tokens-client failures-dropped",
		latencyPaths(latencyPaths(map[string]string{}, "ttft", "results_ttft_s_mean", "results_ttft_s_quantiles_p50", "results_ttft_s_quantiles_p99"), "e2el", "results_end_to_end_latency_s_mean", "results_end_to_end_latency_s_quantiles_p50", "results_end_to_end_latency_s_quantiles_p99"), 1000,
		map[string]float64{"completed": 48, "failed": 2, "max_concurrency": 4, "duration": 40, "request_throughput": 1.2, "output_throughput": 176.4, "total_input_tokens": 26208}},
}

// TestFixtures: what is read is what stands in the file.
func TestFixtures(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			results, err := Open(filepath.Join("testdata", filepath.FromSlash(f.file)))
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != 1 {
				t.Fatalf("%d results", len(results))
			}
			r := results[0]
			if r.Tool != f.tool || r.Version != f.version {
				t.Errorf("%s %s, want %s %s", r.Tool, r.Version, f.tool, f.version)
			}
			var codes []string
			for _, n := range r.Notes {
				codes = append(codes, n.Code)
			}
			if got := strings.Join(codes, " "); got != f.notes {
				t.Errorf("notes %q, want %q", got, f.notes)
			}
			want := map[string]float64{}
			for key, path := range f.paths {
				want[key] = at(t, f.file, path)
				if strings.HasSuffix(key, "_ms") {
					want[key] *= f.factor
				}
			}
			for key, v := range f.numbers {
				want[key] = v
			}
			for key, v := range want {
				if got := r.number(key); !(math.Abs(got-v) <= 1e-12*math.Abs(v)) {
					t.Errorf("%s = %v, want %v", key, got, v)
				}
			}
		})
	}
}

// at finds a number of a JSON file: "benchmarks.0.duration".
func at(t *testing.T, file, path string) float64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil {
				t.Fatal(err)
			}
			value = v[i]
		}
	}
	v, ok := value.(float64)
	if !ok {
		t.Fatalf("%s: %s is %v", file, path, value)
	}
	return v
}

// TestVLLMTextAndJSON: a log and the file that was saved with it are one result.
func TestVLLMTextAndJSON(t *testing.T) {
	names := []string{filepath.Join("testdata", "vllm-0.32_random_mm")}
	for _, name := range []string{"hf_visionarena", "inf_rate", "dead_port", "conc2_goodput", "sustain"} {
		names = append(names, filepath.Join("..", "vllmbench", "testdata", name))
	}
	for _, name := range names {
		text, saved := openOne(t, name+".txt"), openOne(t, name+".json")
		for _, v := range text.Metrics {
			if got := saved.number(v.Key); !(math.Abs(got-v.Value) <= 0.005+1e-9) {
				t.Errorf("%s: %s is %v in the text, %v in the JSON", name, v.Key, v.Value, got)
			}
		}
		if text.About.Endless != saved.About.Endless || text.Tool != saved.Tool {
			t.Errorf("%s: %+v, %+v", name, text.About, saved.About)
		}
	}
}

// TestNoResultInLog: the log of a run that never began is no result.
func TestNoResultInLog(t *testing.T) {
	if _, err := Open(filepath.Join("testdata", "vllm-0.32_readycheck.txt")); err == nil || !strings.Contains(err.Error(), "no result found") {
		t.Error(err)
	}
}

// TestLeftOut: what means something else has no key.
func TestLeftOut(t *testing.T) {
	for file, keys := range map[string][]string{
		"guidellm-0.8_poisson10.json": {"mean_itl_ms", "p99_itl_ms"},
		"llmperf_summary.json":        {"mean_itl_ms", "mean_tpot_ms"},
	} {
		r := openOne(t, filepath.Join("testdata", file))
		for _, key := range keys {
			if v, ok := r.Get(key); ok {
				t.Errorf("%s: %s = %v", file, key, v)
			}
		}
	}
}

// TestRecords: the statistics of the records are those that the values give by hand.
func TestRecords(t *testing.T) {
	r := openOne(t, filepath.Join("testdata", "aiperf-0.13_poisson10_first6.jsonl"))
	raw, err := os.ReadFile(filepath.Join("testdata", "aiperf-0.13_poisson10_first6.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var ttft, output, gaps, chunks float64
	n := 0.0
	for line := range strings.Lines(string(raw)) {
		var rec struct {
			Metrics struct {
				TTFT struct{ Value float64 }   `json:"time_to_first_token"`
				OSL  struct{ Value float64 }   `json:"output_sequence_length"`
				Gaps struct{ Value []float64 } `json:"inter_chunk_latency"`
			}
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatal(err)
		}
		n++
		ttft += rec.Metrics.TTFT.Value
		output += rec.Metrics.OSL.Value
		for _, g := range rec.Metrics.Gaps.Value {
			gaps, chunks = gaps+g, chunks+1
		}
	}
	want := map[string]float64{"completed": 6, "failed": 0, "mean_ttft_ms": ttft / n, "total_output_tokens": output, "mean_itl_ms": gaps / chunks}
	for key, v := range want {
		if got := r.number(key); math.Abs(got-v) > 1e-9*v {
			t.Errorf("%s = %v, want %v", key, got, v)
		}
	}
	if r.Tool != AIPerf || r.Format != "JSON Lines" {
		t.Errorf("%s, %s", r.Tool, r.Format)
	}
}

// TestSeveralResults: appended runs are told apart and can be picked.
func TestSeveralResults(t *testing.T) {
	path := filepath.Join("testdata", "sglang-0.5.2.jsonl")
	all, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range all {
		got = append(got, r.Source, r.Tool, strconv.FormatFloat(r.number("request_rate"), 'g', -1, 64), strconv.FormatBool(r.About.Endless))
	}
	want := []string{path + "#1", vllmbench.SGLang, "8", "false", path + "#2", vllmbench.SGLang, "8", "false", path + "#3", vllmbench.SGLang, "NaN", "true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	third := openOne(t, path+"#3")
	if diff := cmp.Diff(all[2], third); diff != "" || third.number("max_concurrency") != 4 {
		t.Error(diff)
	}
	for _, wrong := range []string{"#4", "#0", "#x"} {
		if _, err := Open(path + wrong); err == nil {
			t.Errorf("%s was read", wrong)
		}
	}
}

// TestSweep: guidellm 0.3 tried two rates, and had other places for them than 0.8.
func TestSweep(t *testing.T) {
	file := "guidellm-0.3.json"
	all, err := Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d results", len(all))
	}
	for i, r := range all {
		b := "benchmarks." + strconv.Itoa(i) + "."
		for key, want := range map[string]float64{
			"request_rate": at(t, file, b+"args.strategy.rate"), "completed": at(t, file, b+"run_stats.requests_made.successful"), "duration": at(t, file, b+"duration"),
			"mean_ttft_ms": at(t, file, b+"metrics.time_to_first_token_ms.successful.mean"), "p99_e2el_ms": 1000 * at(t, file, b+"metrics.request_latency.successful.percentiles.p99"),
			"total_output_tokens": at(t, file, b+"metrics.output_token_count.successful.total_sum"),
		} {
			if got := r.number(key); got != want {
				t.Errorf("result %d: %s = %v, want %v", i+1, key, got, want)
			}
		}
	}
}

// TestDirectory: a directory stands for its summary, with the rate of its stage.
func TestDirectory(t *testing.T) {
	r := openOne(t, filepath.Join("testdata", "inference-perf_poisson10"))
	if r.Tool != InferencePerf || r.number("request_rate") != 10 || r.Source != filepath.Join("testdata", "inference-perf_poisson10") {
		t.Errorf("%s, rate %v, source %s", r.Tool, r.number("request_rate"), r.Source)
	}
	if _, err := Open("testdata"); err == nil || !strings.Contains(err.Error(), "name the file itself") {
		t.Errorf("a directory without a summary: %v", err)
	}
}

// TestTooLarge: a file beyond the bound is not read into memory to the end.
func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, MaxSize+1); err != nil { // sparse
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "more than 256 MB") || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func openOne(t *testing.T, path string) Result {
	t.Helper()
	results, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("%s: %d results", path, len(results))
	}
	return results[0]
}
