package report

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"siglab/bench/vllmbench"
)

func log(source string, values ...vllmbench.Value) vllmbench.Log {
	return vllmbench.Log{Source: source, Metrics: values}
}

// TestSideBySide has the table that a vLLM pull request gave for its change; the
// median's change is −9.95 %, which it had cut to −9.9.
func TestSideBySide(t *testing.T) {
	a := log("a.txt", vllmbench.Value{Key: "request_throughput", Value: 9.82}, vllmbench.Value{Key: "mean_ttft_ms", Value: 229.53}, vllmbench.Value{Key: "median_ttft_ms", Value: 180.19},
		vllmbench.Value{Key: "mean_tpot_ms", Value: 40.65}, vllmbench.Value{Key: "median_tpot_ms", Value: 36.29}, vllmbench.Value{Key: "failed", Value: 0}, vllmbench.Value{Key: "p99.9_itl_ms", Value: 4})
	b := log("b.txt", vllmbench.Value{Key: "request_throughput", Value: 9.84}, vllmbench.Value{Key: "mean_ttft_ms", Value: 203.78}, vllmbench.Value{Key: "median_ttft_ms", Value: 162.26},
		vllmbench.Value{Key: "mean_tpot_ms", Value: 36.27}, vllmbench.Value{Key: "median_tpot_ms", Value: 31.53}, vllmbench.Value{Key: "failed", Value: 2}, vllmbench.Value{Key: "mean_itl_ms", Value: 3})
	side := SideBySide(a, b)
	checkGolden(t, "side.txt", side.Text)
	want := map[string][2]string{
		"request_throughput": {"+0.2%", "better"}, "mean_ttft_ms": {"-11.2%", "better"}, "median_ttft_ms": {"-10.0%", "better"},
		"mean_tpot_ms": {"-10.8%", "better"}, "median_tpot_ms": {"-13.1%", "better"}, "failed": {"n/a", ""}, "p99.9_itl_ms": {"-", ""}, "mean_itl_ms": {"-", ""},
	}
	for _, r := range side.Rows {
		if got := [2]string{r.change(), r.annotation()}; got != want[r.Key] {
			t.Errorf("%s: %v, want %v", r.Key, got, want[r.Key])
		}
		delete(want, r.Key)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

// TestSideBySideFull: a complete result fits the lines after the mark, and has no
// verdict.
func TestSideBySideFull(t *testing.T) {
	var all []vllmbench.Value
	for _, m := range vllmbench.Metrics() {
		all = append(all, vllmbench.Value{Key: m.Key, Value: 7})
	}
	side := SideBySide(log("a", all...), log("b", all...))
	var b bytes.Buffer
	if err := side.Text(&b); err != nil {
		t.Fatal(err)
	}
	if table := tableAfterMark(t, b.String()); len(table) != mostRows+2 {
		t.Errorf("%d lines", len(table))
	}
	if !strings.Contains(strings.ToLower(b.String()), noVerdict) {
		t.Error("the sentence about the verdict is missing")
	}
	data, err := json.Marshal(side)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Source  []string
		Metrics []struct{ Verdict string }
	}
	if err := json.Unmarshal(data, &got); err != nil || len(got.Source) != 2 || len(got.Metrics) != len(all) || got.Metrics[0].Verdict != "none" {
		t.Errorf("%s, error %v", data, err)
	}
}

func TestSideBySideEmpty(t *testing.T) {
	if err := SideBySide(vllmbench.Log{}, vllmbench.Log{}).Text(io.Discard); err != nil {
		t.Error(err)
	}
}
