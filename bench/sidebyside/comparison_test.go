package sidebyside

import (
	"slices"
	"strings"
	"testing"
	"time"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/vllmbench"
)

// run is a result whose latencies are scaled, made some minutes after the first.
func run(source string, scale float64, minutes int, change ...func(*peerfiles.Result)) peerfiles.Result {
	r := peerfiles.Result{Tool: vllmbench.VLLM, Version: "1", Workload: "1", Host: "1", Log: vllmbench.Log{Source: source}}
	r.About = vllmbench.About{Program: vllmbench.VLLM, Model: "m", Backend: "openai-chat", Prompts: 100, Date: time.Date(2026, 9, 1, 12, minutes, 0, 0, time.UTC)}
	r.Metrics = append(r.Metrics, []vllmbench.Value{
		{Key: "completed", Value: 100}, {Key: "failed", Value: 0}, {Key: "request_rate", Value: 10}, {Key: "duration", Value: 10}, {Key: "total_input_tokens", Value: 1000},
		{Key: "total_output_tokens", Value: 3200}, {Key: "median_ttft_ms", Value: 50 * scale}, {Key: "p90_ttft_ms", Value: 70 * scale}, {Key: "mean_ttft_ms", Value: 55 * scale}, {Key: "median_tpot_ms", Value: 10 * scale},
	}...)
	for _, f := range change {
		f(&r)
	}
	return r
}

// with changes one number.
func with(key string, v float64) func(*peerfiles.Result) {
	return func(r *peerfiles.Result) {
		i := slices.IndexFunc(r.Metrics, func(have vllmbench.Value) bool { return have.Key == key })
		if i < 0 {
			r.Metrics = append(r.Metrics, vllmbench.Value{Key: key, Value: v})
			return
		}
		r.Metrics[i].Value = v
	}
}

func codes(c *Comparison) []string {
	var out []string
	for _, w := range c.Warnings {
		out = append(out, w.Code)
	}
	return out
}

func find(t *testing.T, c *Comparison, key string) compare.Metric {
	t.Helper()
	for _, m := range c.Metrics {
		if m.Metric == key {
			return m
		}
	}
	t.Fatalf("no metric %s", key)
	return compare.Metric{}
}

func TestCompareRepeats(t *testing.T) {
	a := []peerfiles.Result{run("a1", 1, 0), run("a2", 1.01, 2), run("a3", 0.99, 4)}
	b := []peerfiles.Result{run("b1", 0.9, 1), run("b2", 0.91, 3), run("b3", 0.89, 5)}
	c, err := Compare(a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := find(t, c, "median_ttft_ms"); m.Verdict != compare.Faster || m.Variant != "candidate" || !(m.Percent.Low < -10 && m.Percent.High > -10) {
		t.Errorf("%+v", m)
	}
	if !c.Comparable || !slices.Equal(codes(c), []string{"noise-floor-unmeasured"}) {
		t.Errorf("warnings %v", codes(c))
	}
	var order []string
	for _, m := range c.Metrics {
		order = append(order, m.Metric)
	}
	if want := "completed failed request_rate duration total_input_tokens total_output_tokens mean_ttft_ms median_ttft_ms p90_ttft_ms median_tpot_ms"; strings.Join(order, " ") != want {
		t.Errorf("order %v", order)
	}
}

func TestComparePaired(t *testing.T) {
	a := []peerfiles.Result{run("a1", 1, 0), run("a2", 1.5, 2), run("a3", 0.7, 4)}
	b := []peerfiles.Result{run("b1", 0.9, 1), run("b2", 1.36, 3), run("b3", 0.628, 5)}
	for paired, want := range map[bool]compare.Verdict{false: compare.Inconclusive, true: compare.Faster} {
		c, err := Compare(a, b, Options{Paired: paired})
		if err != nil {
			t.Fatal(err)
		}
		if m := find(t, c, "median_ttft_ms"); m.Verdict != want {
			t.Errorf("paired %v: %s", paired, m.Verdict)
		}
	}
	if _, err := Compare(a, b[:2], Options{Paired: true}); err == nil {
		t.Error("three runs were paired with two")
	}
	if _, err := Compare(a, nil, Options{}); err == nil {
		t.Error("three runs were compared with none")
	}
}

// TestWarnings: each thing that makes results incomparable is told, and takes the
// verdict of repeats away.
func TestWarnings(t *testing.T) {
	tool := func(name string) func(*peerfiles.Result) { return func(r *peerfiles.Result) { r.Tool = name } }
	about := func(f func(*vllmbench.About)) func(*peerfiles.Result) {
		return func(r *peerfiles.Result) { f(&r.About) }
	}
	tests := []struct {
		why      string
		change   func(*peerfiles.Result) // of every candidate
		code     string
		obstacle bool
	}{
		{"another tool", tool(peerfiles.AIPerf), "different-tools", true},
		{"another rate", with("request_rate", 11), "different-rates", true},
		{"no rate at all", func(r *peerfiles.Result) {
			r.Metrics = slices.DeleteFunc(r.Metrics, func(v vllmbench.Value) bool { return v.Key == "request_rate" })
			r.About.Endless = true
		}, "different-rates", true},
		{"a rate apart by rounding", with("request_rate", 10.05), "", false},
		{"another number of prompts", about(func(a *vllmbench.About) { a.Prompts = 99 }), "different-prompts", true},
		{"a limit of concurrency", with("max_concurrency", 4), "different-concurrency", true},
		{"more input tokens", with("total_input_tokens", 1020), "different-input-tokens", true},
		{"as many output tokens, nearly", with("total_output_tokens", 3210), "", false},
		{"fewer output tokens", with("total_output_tokens", 3100), "different-output-tokens", true},
		{"failed requests", func(r *peerfiles.Result) { with("failed", 4)(r); with("completed", 96)(r) }, "failed-requests", true},
		{"nothing answered", func(r *peerfiles.Result) { with("failed", 100)(r); with("completed", 0)(r) }, "no-successes", true},
		{"longer", with("duration", 12), "different-durations", false},
		{"another protocol", about(func(a *vllmbench.About) { a.Backend = "openai" }), "different-backends", true},
		{"another version", func(r *peerfiles.Result) { r.Version = "2" }, "different-versions", false},
		{"another workload", func(r *peerfiles.Result) { r.Workload = "2" }, "different-workloads", false},
		{"another machine", func(r *peerfiles.Result) { r.Host = "2" }, "different-hosts", false},
		{"arrivals at another rate than asked", with("request_throughput", 15.7), "rate-not-kept", false},
		{"a server that did not keep up", with("request_throughput", 4), "rate-not-kept", false},
		{"another model", about(func(a *vllmbench.About) { a.Model = "n" }), "different-models", false},
		{"a newer version of vLLM", about(func(a *vllmbench.About) { a.Built.From = time.Date(2026, 8, 28, 0, 0, 0, 0, time.UTC) }), "", false},
		{"a block that was cut off", about(func(a *vllmbench.About) { a.CutOff = true }), "cut-off", false},
		{"a note that forbids", func(r *peerfiles.Result) { r.Notes = []peerfiles.Note{{Code: "cancelled", Text: "x"}} }, "cancelled", true},
		{"a note that does not", func(r *peerfiles.Result) { r.Notes = []peerfiles.Note{{Code: "rounded", Text: "x"}} }, "rounded", false},
		{"dates that are unknown", about(func(a *vllmbench.About) { a.Date = time.Time{} }), "unknown-order", false},
		{"one side after the other", about(func(a *vllmbench.About) { a.Date = a.Date.Add(time.Hour) }), "sequential-sides", false},
	}
	for _, tt := range tests {
		a := []peerfiles.Result{run("a1", 1, 0), run("a2", 1.01, 2), run("a3", 0.99, 4)}
		b := []peerfiles.Result{run("b1", 0.9, 1, tt.change), run("b2", 0.91, 3, tt.change), run("b3", 0.89, 5, tt.change)}
		c, err := Compare(a, b, Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		want := []string{"noise-floor-unmeasured"}
		if tt.code != "" {
			want = append(want, tt.code)
		}
		got := codes(c)
		slices.Sort(got)
		got = slices.Compact(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || c.Comparable == tt.obstacle {
			t.Errorf("%s: warnings %v, comparable %v; want %v", tt.why, got, c.Comparable, want)
		}
		if m := find(t, c, "median_ttft_ms"); (m.Verdict == compare.None) != tt.obstacle {
			t.Errorf("%s: verdict %s", tt.why, m.Verdict)
		}
	}
}

func TestVersionsOfVLLM(t *testing.T) {
	old := func(r *peerfiles.Result) { r.About.Built.Until = time.Date(2025, 10, 16, 0, 0, 0, 0, time.UTC) }
	recent := func(r *peerfiles.Result) { r.About.Built.From = time.Date(2026, 8, 28, 0, 0, 0, 0, time.UTC) }
	for _, swap := range []bool{false, true} {
		a, b := run("a", 1, 0, old), run("b", 1, 1, recent)
		if swap {
			a, b = b, a
		}
		c, err := Compare([]peerfiles.Result{a}, []peerfiles.Result{b}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Comparable || c.Warnings[0].Code != "versions-differ" || !strings.Contains(c.Warnings[0].Text, "temperature") || !strings.Contains(c.Warnings[0].Text, "image tokens") {
			t.Errorf("swapped %v: %v", swap, c.Warnings)
		}
	}
}

// TestNoRepeats: the same result twice, and repeats of different load, are none.
func TestNoRepeats(t *testing.T) {
	other := []peerfiles.Result{run("b1", 0.9, 1), run("b2", 0.91, 3)}
	tests := []struct {
		why  string
		a    []peerfiles.Result
		code string
	}{
		{"one file twice", []peerfiles.Result{run("a1", 1, 0), run("a1", 1, 0)}, "same-result"},
		{"a copy under another name", []peerfiles.Result{run("a1", 1, 0), run("copy", 1, 0)}, "same-result"},
		{"a file of the other side", []peerfiles.Result{run("a1", 1, 0), run("b1", 0.9, 1)}, "same-result"},
		{"another rate", []peerfiles.Result{run("a1", 1, 0), run("a2", 1.01, 2, with("request_rate", 20))}, "mixed-repeats"},
	}
	for _, tt := range tests {
		c, err := Compare(tt.a, other, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Comparable || !slices.Contains(codes(c), tt.code) {
			t.Errorf("%s: warnings %v", tt.why, codes(c))
		}
	}
}

// TestDefinitions: two tools' meanings of a latency stand at the metric.
func TestDefinitions(t *testing.T) {
	c, err := Compare([]peerfiles.Result{run("a", 1, 0)}, []peerfiles.Result{run("b", 1, 1, func(r *peerfiles.Result) { r.Tool = peerfiles.AIPerf })}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := find(t, c, "median_ttft_ms")
	if m.Notes[0].Code != "definition-differs" || !strings.Contains(m.Notes[0].Text, "role chunk") || m.Verdict != compare.None {
		t.Errorf("%+v", m)
	}
	if m := find(t, c, "median_tpot_ms"); m.Notes[0].Code != "one-run" {
		t.Errorf("TPOT is the same in both: %v", m.Notes)
	}
}
