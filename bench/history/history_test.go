package history

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
	"siglab/bench/record"
)

var day0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// run is one of day n whose baseline has a median TTFT.
func run(n int, ttft float64, change func(*compare.Comparison)) Run {
	c := &compare.Comparison{
		Valid: true, Pairs: 6,
		Manifest: record.Manifest{
			Started: day0.AddDate(0, 0, n), Stopped: "complete", Siglab: fmt.Sprint("v", n), Experiment: record.Experiment{Model: "random:tiny", RequestRate: 10, Pairs: 6 + n},
			Variants: []record.Variant{{Name: "main"}, {Name: "fast"}}, Environment: record.Environment{CPU: "cpu", Cores: 2, Servers: []string{"a", "b"}},
		},
		Metrics: []compare.Metric{
			{Metric: "median_ttft_ms", Unit: "ms", Variant: "fast", Primary: true, Baseline: ttft, Candidate: ttft * 0.9, Percent: compare.Interval{Value: -10, Low: -11, High: -9}, Verdict: compare.Faster},
			{Metric: "mean_ttft_ms", Unit: "ms", Variant: "fast", Baseline: ttft, Candidate: ttft, Verdict: compare.None},
		},
	}
	if change != nil {
		change(c)
	}
	return Of(fmt.Sprintf("runs/%d", n), c)
}

func TestSelectAndFind(t *testing.T) {
	runs := []Run{
		run(2, 20, nil), run(0, 20, nil),
		run(1, 20, func(c *compare.Comparison) { c.Valid, c.Manifest.Experiment.Model = false, "other" }),
	}
	for _, test := range []struct {
		why    string
		filter Filter
		want   []string
	}{
		{"all, in order", Filter{}, []string{"runs/0", "runs/1", "runs/2"}},
		{"since a day", Filter{Since: day0.AddDate(0, 0, 1)}, []string{"runs/1", "runs/2"}},
		{"of a model", Filter{Model: "tiny"}, []string{"runs/0", "runs/2"}},
		{"with a variant", Filter{Variant: "fast"}, []string{"runs/0", "runs/1", "runs/2"}},
		{"with no such variant", Filter{Variant: "slow"}, nil},
		{"with a verdict", Filter{Verdict: "faster", Model: "tiny"}, []string{"runs/0", "runs/2"}},
		{"verdicts of primaries only", Filter{Verdict: "none"}, nil},
		{"not valid", Filter{Verdict: "invalid"}, []string{"runs/1"}},
	} {
		var got []string
		for _, r := range Select(runs, test.filter) {
			got = append(got, r.Dir)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
	}
	if r, err := Find(runs, "runs/1/"); err != nil || r.Dir != "runs/1" {
		t.Errorf("by directory: %v, %v", r.Dir, err)
	}
	if r, err := Find(runs, runs[0].ID[:8]); err != nil || r.ID != runs[0].ID {
		t.Errorf("by the beginning of its id: %v, %v", r.Dir, err)
	}
	if _, err := Find(runs, "nowhere"); err == nil || !strings.Contains(err.Error(), "siglab runs list") {
		t.Errorf("no such run: %v", err)
	}
	if _, err := Find(append(runs, runs[0]), runs[0].ID); err == nil || !strings.Contains(err.Error(), "more digits") {
		t.Errorf("two: %v", err)
	}
}

// TestExperiment: what was measured more, or seeded otherwise, is the same experiment;
// another load is another.
func TestExperiment(t *testing.T) {
	one := run(0, 20, nil)
	same := run(3, 30, func(c *compare.Comparison) { c.Manifest.Experiment.Seed = 7 })
	other := run(0, 20, func(c *compare.Comparison) { c.Manifest.Experiment.RequestRate = 11 })
	if one.Experiment != same.Experiment || one.Experiment == other.Experiment || one.ID == same.ID {
		t.Errorf("experiments %s, %s, %s; ids %s, %s", one.Experiment, same.Experiment, other.Experiment, one.ID, same.ID)
	}
}

// TestFollow: the trend of the newest run's experiment, with its change of level.
func TestFollow(t *testing.T) {
	var runs []Run
	for n := range 16 {
		level := 20.0
		if n >= 9 {
			level = 24
		}
		runs = append(runs, run(n, level+0.1*float64(n%3), nil))
	}
	runs = append(runs,
		run(16, 99, func(c *compare.Comparison) { c.Valid = false }),
		run(17, 99, func(c *compare.Comparison) { c.Manifest.Experiment.RequestRate = 3; c.Metrics = nil }))
	trend, err := Follow(runs, Question{Metric: "median_ttft_ms"})
	if err != nil {
		t.Fatal(err)
	}
	if len(trend.Points) != 16 || trend.Skipped != 1 || trend.Variant != "main" || trend.Unit != "ms" {
		t.Errorf("%d points of %s in %s, %d skipped", len(trend.Points), trend.Variant, trend.Unit, trend.Skipped)
	}
	if len(trend.Steps) != 1 || trend.Steps[0].At != 9 || trend.Steps[0].Percent < 19 || trend.Steps[0].Percent > 21 {
		t.Errorf("changes %+v", trend.Steps)
	}
	paired, err := Follow(runs, Question{Metric: "median_ttft_ms", Change: true})
	if err != nil || paired.Variant != "fast" || len(paired.Steps) != 0 || paired.Points[0].Value != -10 || paired.Unit != "%" {
		t.Errorf("paired: %+v, error %v", paired.Steps, err)
	}
	if fast, err := Follow(runs, Question{Metric: "median_ttft_ms", Variant: "fast"}); err != nil || fast.Points[0].Value != 18 {
		t.Errorf("of the candidate: %v", err)
	}
	if _, err := Follow(runs, Question{Metric: "median_foo_ms"}); err == nil || !strings.Contains(err.Error(), "there are mean_ttft_ms, median_ttft_ms") {
		t.Errorf("no such metric: %v", err)
	}
}

// TestStore: a run is kept once; one that went on takes its own place; what is kept
// comes back as it was, also to another that has the file open.
func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "past runs.sqlite")
	ctx := t.Context()
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	first, second := run(0, 20, nil), run(1, 21, nil)
	for _, step := range []struct {
		why  string
		r    Run
		want bool
	}{{"new", second, true}, {"another", first, true}, {"again", first, false}} {
		if changed, err := s.Put(ctx, step.r); err != nil || changed != step.want {
			t.Errorf("%s: changed %v, error %v", step.why, changed, err)
		}
	}
	first.Pairs, first.Metrics = 12, first.Metrics[:1]
	if changed, err := other.Put(ctx, first); err != nil || !changed {
		t.Errorf("one that went on: changed %v, error %v", changed, err)
	}
	for _, store := range []*Store{s, other} {
		runs, err := store.Runs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Run{first, second}, runs); diff != "" {
			t.Errorf("runs (-want +got):\n%s", diff)
		}
	}
	var metrics int
	var mode string
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM metrics").Scan(&metrics); err != nil || metrics != 3 {
		t.Errorf("%d metrics, error %v", metrics, err)
	}
	if err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal %q, error %v", mode, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil || !IsStore(path) {
		t.Errorf("closed: %v; a SQLite file: %v", err, IsStore(path))
	}
}

// TestStoreCrash: what Put returned from is there although the store was never closed,
// and what was in the middle of being put is not, in no part.
func TestStoreCrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "runs.sqlite")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Put(t.Context(), run(0, 20, nil)); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := put(t.Context(), tx, run(1, 20, nil), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	// The files as a crash at this moment would leave them.
	crashed := filepath.Join(dir, "crashed.sqlite")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), crashed)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := again.Runs(t.Context())
	if err != nil || len(runs) != 1 || runs[0].Dir != "runs/0" {
		t.Errorf("after the crash: %d runs, error %v", len(runs), err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no database, but long enough for one"), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.sqlite")
	s, err := Open(t.Context(), newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{text: "no SQLite file", dir: "no SQLite file", newer: "version 99"} {
		if s, err := Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}

func TestSideBySide(t *testing.T) {
	rows := SideBySide(run(0, 20, nil), run(1, 30, nil))
	want := []Row{
		{"median_ttft_ms", "main", "ms", 20, 30, 50}, {"mean_ttft_ms", "main", "ms", 20, 30, 50},
		{"median_ttft_ms", "fast", "ms", 18, 27, 50}, {"mean_ttft_ms", "fast", "ms", 20, 30, 50},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
