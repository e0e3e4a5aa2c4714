package configfile

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write doc/experiment.schema.json anew")

const whole = `
model: random:tiny
dataset: builtin
image_size: 512
variants:
  - {name: main, pos_embed: reference}
  - name: optimized
    pos_embed: bilinear
    inject_delay: 20ms
  - {name: running, url: 'http://127.0.0.1:8000/a,b'}
  - {name: own, command: [serve, '--x={"a":1,"b":2}', '{port}'], env: {A: b}, dir: /tmp, ready: /health, ready_timeout: 300s}
  - {name: branch, ref: feature/x, repo: ../vllm, setup: [make, 'a b'], overlay: true, module: vllm, commit_log: 'at (\w+)', trigger: {log: 'a, b=c', at_least: 3}}
load:
  {request_rate: inf, burstiness: 0.5, num_prompts: 50, max_concurrency: 8, closed_loop: true, max_tokens: 16, warmups: 4, timeout: 30s, idle_timeout: 5s, schedule: vllm,
   ramp_up_strategy: linear, ramp_up_start_rps: 1, ramp_up_end_rps: 2.5, ready_check_timeout_sec: 7}
request:
  backend: openai
  endpoint: /v1/x
  served_model_name: m
  ignore_eos: false
  temperature: 0.5
  top_p: 0.9
  top_k: 3
  extra_body: {chat_template_kwargs: {enable_thinking: false}, stop: ['a,b']}
  header: {X-Two: 'c,d', X-One: a=b}
analysis: {equivalence: 0.03, alpha: 0.01, primary: [median_ttft_ms, median_e2el_ms], may_differ: [torch]}
server:
  {threads: 2, port: 8100, repo: ../v, serve_command: "vllm serve --port '{port}'", setup: pip install -e ., setup_timeout: 90m, overlay: false, module: m, keep_worktrees: true}
hooks: {before_pair: [sync], after_run: [sh, -c, 'a,b'], timeout: 5s}
design: {restart: each-pair, warmup_stability: 0.2, cool_down: 3s, caches: keep, max_duration: 30m, pairs: 8, seed: 18446744073709551615, early_stop: true, aa: false, noise_floor: none, calibrate: false}
output:
  {dir: run, fail_on: [slower], junit: result.xml, goodput: {ttft: 200, tpot: 12.5}, percentile_metrics: [ttft, itl], metric_percentiles: [50, 99.9], metadata: {tp: '1'},
   save_result: true, append_result: false, result_dir: out, result_filename: r.json, label: l}
`

// TestFlags: every key of a file is a flag.
func TestFlags(t *testing.T) {
	f, err := Read(strings.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	timeout := "5s"
	want := map[string]any{
		"restart": "each-pair", "warmup-stability": "0.2", "cool-down": "3s", "caches": "keep", "max-duration": "30m",
		"hooks": Hooks{BeforePair: []string{"sync"}, AfterRun: []string{"sh", "-c", "a,b"}, Timeout: &timeout},
		"model": "random:tiny", "dataset": "builtin", "image-size": "512", "inject-delay": "optimized=20ms", "baseline": "main",
		"variant": []any{"main=reference", "optimized=bilinear"}, "command": []any{Variant{Name: "own", Command: []string{"serve", `--x={"a":1,"b":2}`, "{port}"}, Env: map[string]string{"A": "b"}, Dir: "/tmp", Ready: "/health", ReadyTimeout: "300s"}},
		"ref":          []any{Variant{Name: "branch", Ref: "feature/x", Repo: "../vllm", Setup: []string{"make", "a b"}, Overlay: &yes, Module: "vllm", CommitLog: `at (\w+)`, Trigger: &Trigger{Log: "a, b=c", AtLeast: 3}}},
		"trigger":      []any{NamedTrigger{"branch", Trigger{Log: "a, b=c", AtLeast: 3}}},
		"url":          []any{"running=http://127.0.0.1:8000/a,b"},
		"request-rate": "+Inf", "burstiness": "0.5", "num-prompts": "50", "max-concurrency": "8", "closed-loop": "true", "max-tokens": "16", "warmups": "4",
		"timeout": "30s", "idle-timeout": "5s", "schedule": "vllm", "ramp-up-strategy": "linear", "ramp-up-start-rps": "1", "ramp-up-end-rps": "2.5", "ready-check-timeout-sec": "7",
		"backend": "openai", "endpoint": "/v1/x", "served-model-name": "m", "ignore-eos": "false", "temperature": "0.5", "top-p": "0.9", "top-k": "3",
		"extra-body": `{"chat_template_kwargs":{"enable_thinking":false},"stop":["a,b"]}`, "header": []any{"X-One=a=b", "X-Two=c,d"},
		"pairs": "8", "seed": "18446744073709551615", "early-stop": "true", "aa": "false", "noise-floor": "none", "calibrate": "false",
		"equivalence": "0.03", "alpha": "0.01", "primary": []any{"median_ttft_ms", "median_e2el_ms"}, "may-differ": []any{"torch"},
		"server-threads": "2", "port": "8100", "repo": "../v", "serve-command": "vllm serve --port '{port}'", "setup": "pip install -e .", "setup-timeout": "90m", "overlay": "false", "module": "m", "keep-worktrees": "true", "out": "run", "fail-on": []any{"slower"}, "junit": "result.xml",
		"goodput": []any{"tpot:12.5", "ttft:200"}, "percentile-metrics": []any{"ttft", "itl"}, "metric-percentiles": []any{50.0, 99.9}, "metadata": []any{"tp=1"},
		"save-result": "true", "append-result": "false", "result-dir": "out", "result-filename": "r.json", "label": "l",
	}
	if diff := cmp.Diff(want, f.Flags()); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	var written bytes.Buffer
	if err := f.Write(&written); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&written)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, again); diff != "" {
		t.Errorf("written and read again (-want +got):\n%s", diff)
	}
}

// TestRead: files that say little, and files that are wrong.
func TestRead(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"an empty file leaves everything at its default", "", ""},
		{"one key", "load: {num_prompts: 5}", ""},
		{"a key that is not", "mode: x", `unknown field "mode"`},
		{"a key that is not, further in, with its line", "load:\n  request_rte: 3", "[2:3]"},
		{"a word for a number", "load: {num_prompts: many}", "num_prompts"},
		{"a key twice", "model: a\nmodel: b", "model"},
		{"no variants", "variants: []", "name at least one"},
		{"a variant without a name", "variants: [{pos_embed: exact}]", "variants[0]"},
		{"a variant whose name is two", "variants: [{name: 'a,b', pos_embed: exact}]", "no ','"},
		{"a variant of no kind", "variants: [{name: a}]", "pos_embed, command, ref or url"},
		{"a set-up of no ref", "variants: [{name: a, command: [x], setup: [make]}]", "of a ref"},
		{"a trigger of nothing", "variants: [{name: a, ref: main, trigger: {none: true}}]", "a log expression or a metric"},
		{"a path that nobody asks", "variants: [{name: a, url: 'http://h', ready: /x}]", "are of a command"},
		{"a variant of two kinds", "variants: [{name: a, pos_embed: exact, url: 'http://h'}]", "give one"},
		{"a word for a rate", "load: {request_rate: fast}", "request_rate"},
		{"no YAML", "a: [", "experiment file"},
		{"a list", "- a", "experiment file"},
		{"something large", strings.Repeat("#", mostBytes+1), "is it one?"},
	} {
		_, err := Read(strings.NewReader(test.text))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}

// TestSchema: the schema in the documents is that of the code. -update writes it.
func TestSchema(t *testing.T) {
	const path = "../../doc/experiment.schema.json"
	var schema bytes.Buffer
	if err := WriteSchema(&schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, schema.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), schema.String()); diff != "" {
		t.Errorf("run go test ./bench/configfile -update (-have +want):\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(whole)
	f.Add("variants: [{name: a, pos_embed: exact}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(_ *testing.T, text string) {
		file, err := Read(strings.NewReader(text))
		if err == nil {
			file.Flags()
		}
	})
}
