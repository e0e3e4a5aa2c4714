package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/sidebyside"
	"siglab/bench/vllmbench"
)

func result(source string, values ...vllmbench.Value) peerfiles.Result {
	return peerfiles.Result{Tool: vllmbench.VLLM, Log: vllmbench.Log{Source: source, Metrics: values}}
}

func sideBySide(t *testing.T, baseline, candidate []peerfiles.Result) *sidebyside.Comparison {
	t.Helper()
	c, err := sidebyside.Compare(baseline, candidate, sidebyside.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pullRequest has the table that a vLLM pull request gave for its change; the
// median's change is −9.95 %, which it had cut to −9.9.
func pullRequest(t *testing.T) *sidebyside.Comparison {
	a := result("a.txt", vllmbench.Value{Key: "request_throughput", Value: 9.82}, vllmbench.Value{Key: "mean_ttft_ms", Value: 229.53}, vllmbench.Value{Key: "median_ttft_ms", Value: 180.19},
		vllmbench.Value{Key: "mean_tpot_ms", Value: 40.65}, vllmbench.Value{Key: "median_tpot_ms", Value: 36.29}, vllmbench.Value{Key: "failed", Value: 0}, vllmbench.Value{Key: "p99.9_itl_ms", Value: 4})
	b := result("b.txt", vllmbench.Value{Key: "request_throughput", Value: 9.84}, vllmbench.Value{Key: "mean_ttft_ms", Value: 203.78}, vllmbench.Value{Key: "median_ttft_ms", Value: 162.26},
		vllmbench.Value{Key: "mean_tpot_ms", Value: 36.27}, vllmbench.Value{Key: "median_tpot_ms", Value: 31.53}, vllmbench.Value{Key: "failed", Value: 2}, vllmbench.Value{Key: "mean_itl_ms", Value: 3})
	return sideBySide(t, []peerfiles.Result{a}, []peerfiles.Result{b})
}

func TestSideBySide(t *testing.T) {
	side := pullRequest(t)
	checkGolden(t, "side.txt", func(w io.Writer) error { return SideText(w, side) })
	want := map[string][2]string{
		"request_throughput": {"+0.2%", "better"}, "mean_ttft_ms": {"-11.2%", "better"}, "median_ttft_ms": {"-10.0%", "better"},
		"mean_tpot_ms": {"-10.8%", "better"}, "median_tpot_ms": {"-13.1%", "better"}, "failed": {"n/a", ""}, "p99.9_itl_ms": {"-", ""}, "mean_itl_ms": {"-", ""},
	}
	for _, m := range side.Metrics {
		if got := [2]string{sideChange(m), annotation(m)}; got != want[m.Metric] {
			t.Errorf("%s: %v, want %v", m.Metric, got, want[m.Metric])
		}
		delete(want, m.Metric)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

// repeats are three runs per side of different tools' versions of one result.
func repeats(t *testing.T, tool string) *sidebyside.Comparison {
	var sides [2][]peerfiles.Result
	for i, scale := range []float64{1, 0.9, 1.02, 0.91, 0.98, 0.89} {
		r := result(string(rune('a'+i))+".json", vllmbench.Value{Key: "completed", Value: 100}, vllmbench.Value{Key: "median_ttft_ms", Value: 50 * scale},
			vllmbench.Value{Key: "p10_ttft_ms", Value: 40 * scale}, vllmbench.Value{Key: "p99_ttft_ms", Value: 90 * scale}, vllmbench.Value{Key: "mean_itl_ms", Value: 5})
		if i%2 == 1 {
			r.Tool = tool
		}
		sides[i%2] = append(sides[i%2], r)
	}
	return sideBySide(t, sides[0], sides[1])
}

func TestSideBySideRepeats(t *testing.T) {
	checkGolden(t, "siderepeats.txt", func(w io.Writer) error { return SideText(w, repeats(t, vllmbench.VLLM)) })
	checkGolden(t, "siderepeats.md", func(w io.Writer) error { return SideMarkdown(w, repeats(t, vllmbench.VLLM)) })
	checkGolden(t, "sidetools.txt", func(w io.Writer) error { return SideText(w, repeats(t, peerfiles.AIPerf)) })
	checkGolden(t, "siderepeats.csv", func(w io.Writer) error {
		return SideCSV(w, []*sidebyside.Comparison{repeats(t, vllmbench.VLLM)})
	})
	checkGolden(t, "siderepeats.bench", func(w io.Writer) error {
		return SideBenchstat(w, []*sidebyside.Comparison{repeats(t, vllmbench.VLLM)})
	})
}

// TestSideBySideFull: a complete result fits the lines after the mark, and has no
// verdict.
func TestSideBySideFull(t *testing.T) {
	var all []vllmbench.Value
	for _, m := range vllmbench.Metrics() {
		all = append(all, vllmbench.Value{Key: m.Key, Value: 7})
	}
	side := sideBySide(t, []peerfiles.Result{result("a", all...)}, []peerfiles.Result{result("b", all...)})
	var b bytes.Buffer
	if err := SideText(&b, side); err != nil {
		t.Fatal(err)
	}
	if table := tableAfterMark(t, b.String()); len(table) != mostRows+2 {
		t.Errorf("%d lines", len(table))
	}
	if !strings.Contains(strings.ToLower(b.String()), noVerdict) {
		t.Error("the sentence about the verdict is missing")
	}
}

// TestSideJSON: the keys that programs rely on are there, with null for what one run
// per side cannot give.
func TestSideJSON(t *testing.T) {
	data, err := json.Marshal(SideJSON([]*sidebyside.Comparison{pullRequest(t)}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Source  []string
		Files   []map[string]any
		Metrics []map[string]any
	}
	if err := json.Unmarshal(data, &got); err != nil || strings.Join(got.Source, " ") != "a.txt b.txt" || len(got.Files) != 2 {
		t.Fatalf("%s, error %v", data, err)
	}
	for _, m := range got.Metrics {
		for _, key := range strings.Fields("metric unit variant baseline candidate change_pct ci_low_pct ci_high_pct change_abs ci_low_abs ci_high_abs p p_holm verdict mde_pct primary notes") {
			if _, ok := m[key]; !ok {
				t.Errorf("%v has no %s", m["metric"], key)
			}
		}
		if m["verdict"] != "none" || m["ci_low_pct"] != nil {
			t.Errorf("%v", m)
		}
	}
}

// TestSideCSV: every row has a cell for every column.
func TestSideCSV(t *testing.T) {
	var b bytes.Buffer
	if err := SideCSV(&b, []*sidebyside.Comparison{pullRequest(t), repeats(t, vllmbench.VLLM)}); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) != 1+8+5 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestSideVerdictOfPrimary(t *testing.T) {
	for _, m := range repeats(t, vllmbench.VLLM).Metrics {
		if m.Metric == "median_ttft_ms" && (m.Verdict != compare.Faster || annotation(m) != "* faster") {
			t.Errorf("%s, %q", m.Verdict, annotation(m))
		}
	}
}
