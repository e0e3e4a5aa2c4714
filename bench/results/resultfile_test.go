package results

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
	"siglab/bench/vllmbench"
)

// TestSave: a file for each variant under vLLM's name for it, or all in one.
func TestSave(t *testing.T) {
	run, to := writeRun(t), filepath.Join(t.TempDir(), "new", "dir")
	names, err := Save(run, Destination{Dir: to, Detail: vllmbench.Brief})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(to, "main-10.0qps-m-20260304-050607.json"), filepath.Join(to, "other-10.0qps-m-20260304-050607.json")}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for range 2 {
		if _, err := Save(run, Destination{Dir: to, Name: "all.jsonl", Append: true, Detail: vllmbench.Detailed}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(to, "all.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], `"label": "other"`) || !strings.HasSuffix(lines[3], "}") {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
	results, err := vllmbench.ParseAll(bytes.NewReader(text))
	if err != nil || len(results) != 4 {
		t.Errorf("read back: %d results, error %v", len(results), err)
	}
	if _, err := Save(t.TempDir(), Destination{}); err == nil {
		t.Error("a directory that is no run was saved")
	}
}

func TestResultName(t *testing.T) {
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		e    record.Experiment
		o    vllmbench.Options
		want string
	}{
		{record.Experiment{}, vllmbench.Options{Label: "l", Model: "org/m", Date: date}, "l-infqps-m-20260102-030405.json"},
		{record.Experiment{MaxConcurrency: 4}, vllmbench.Options{Label: "l", Model: "random:tiny", RequestRate: 2.5, Date: date}, "l-2.5qps-concurrency4-random-tiny-20260102-030405.json"},
		{record.Experiment{}, vllmbench.Options{Label: "l", Model: "m", Ramp: &vllmbench.Ramp{Strategy: "linear", StartRPS: 1, EndRPS: 20}, Date: date}, "l-ramp-up-linear-1qps-20qps-m-20260102-030405.json"},
	} {
		if got := resultName(test.e, test.o); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
