package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// With all three, shards of TestVerdicts run apart, also on a machine without Go: the
// compiled test and the program are all they need.
var (
	verdictRuns = flag.Int("verdicts", 0, "real runs of each kind in TestVerdicts (0 skips it; make check-verdicts takes 10, about half an hour)")
	firstSeed   = flag.Int("first-seed", 0, "seed of the first of these runs")
	siglab      = flag.String("siglab", "", "the siglab program to run, built from this directory where there is none")
)

// What the runs of TestVerdicts must reach, of ten.
const (
	mostFalse   = 2 // runs of a variant against itself that claim a difference
	fewestCover = 8 // intervals that cover the injected delay
	injectedMS  = 5.0
	mostRetries = 3 // of a run that is not valid, as when the machine is busy
)

// outcome is what one run says.
type outcome struct {
	Valid bool `json:"valid"`
	Gates []struct {
		Name        string `json:"name"`
		OK, Checked bool
	} `json:"gates"`
	Metrics []struct {
		Metric  string   `json:"metric"`
		Primary bool     `json:"primary"`
		Verdict string   `json:"verdict"`
		Change  *float64 `json:"change_abs"`
		Low     *float64 `json:"ci_low_abs"`
		High    *float64 `json:"ci_high_abs"`
	} `json:"metrics"`
}

// TestVerdicts makes real runs of the embedded server: a variant against itself must
// hardly ever be told apart from itself, and an injected delay must be found every time.
func TestVerdicts(t *testing.T) {
	if *verdictRuns == 0 {
		t.Skip("real runs take half an hour: make check-verdicts")
	}
	program := programToRun(t)
	t.Run("Itself", func(t *testing.T) { runItself(t, program) })
	t.Run("Delay", func(t *testing.T) { runDelay(t, program) })
}

// programToRun is the one that was named, or one built now.
func programToRun(t *testing.T) string {
	t.Helper()
	if *siglab != "" {
		program, err := filepath.Abs(*siglab)
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	program := filepath.Join(t.TempDir(), "siglab")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// share is what the runs that are made must reach of ten.
func share(ofTen int) int { return ofTen * *verdictRuns / 10 }

// runItself counts the runs of a variant against itself that claim a difference.
func runItself(t *testing.T, program string) {
	falseRuns := 0
	for i := range *verdictRuns {
		seed := *firstSeed + i
		run := validRun(t, program, seed, "--aa")
		if claims := run.claims(); len(claims) > 0 {
			falseRuns++
			t.Logf("against itself, seed %d: FALSE: %s", seed, strings.Join(claims, ", "))
		} else {
			t.Logf("against itself, seed %d: no difference claimed", seed)
		}
	}
	t.Logf("a difference claimed where there is none: %d of %d runs (at most %d)", falseRuns, *verdictRuns, share(mostFalse))
	if falseRuns > share(mostFalse) {
		t.Errorf("%d false runs", falseRuns)
	}
}

// runDelay counts the runs that find an injected delay, and the intervals that cover it.
func runDelay(t *testing.T, program string) {
	found, covered := 0, 0
	for i := range *verdictRuns {
		seed := *firstSeed + i
		run := validRun(t, program, seed, "--variant", "plain=exact", "--variant", "delayed=exact", "--inject-delay", fmt.Sprintf("delayed=%gms", injectedMS), "--noise-floor", "none")
		for _, m := range run.Metrics {
			if m.Metric != "median_ttft_ms" || m.Change == nil || m.Low == nil || m.High == nil {
				continue
			}
			covers := *m.Low <= injectedMS && injectedMS <= *m.High
			t.Logf("%g ms injected, seed %d: median TTFT %s, %+.2f ms [%+.2f, %+.2f], covers: %v", injectedMS, seed, m.Verdict, *m.Change, *m.Low, *m.High, covers)
			if m.Verdict == "slower" {
				found++
			}
			if covers {
				covered++
			}
		}
	}
	t.Logf("found: %d of %d (all); covered: %d (at least %d)", found, *verdictRuns, covered, share(fewestCover))
	if found < *verdictRuns || covered < share(fewestCover) {
		t.Errorf("found %d, covered %d of %d", found, covered, *verdictRuns)
	}
}

// validRun makes one run, again with another seed while it is not valid, and tells each
// that was not.
func validRun(t *testing.T, program string, seed int, args ...string) outcome {
	t.Helper()
	for attempt := range mostRetries + 1 {
		run := realRun(t, program, seed+1000*attempt, args...)
		if run.Valid {
			return run
		}
		var failed []string
		for _, g := range run.Gates {
			if g.Checked && !g.OK {
				failed = append(failed, g.Name)
			}
		}
		t.Logf("%s, seed %d: not valid (%s)", strings.Join(args, " "), seed+1000*attempt, strings.Join(failed, ", "))
	}
	t.Fatalf("%d runs in a row are not valid: this machine is too busy", mostRetries+1)
	return outcome{}
}

// realRun makes one run of six pairs.
func realRun(t *testing.T, program string, seed int, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir := t.TempDir()
	args = append([]string{"bench", "--pairs", "6", "--num-prompts", "40", "--max-tokens", "8", "--no-calibrate", "--json", "--seed", fmt.Sprint(seed), "--out", filepath.Join(dir, "run")}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Cancel, cmd.WaitDelay = dir, func() error { return cmd.Process.Signal(os.Interrupt) }, time.Minute
	out, err := cmd.Output()
	var run outcome
	if parseErr := json.Unmarshal(out, &run); parseErr != nil {
		t.Fatalf("%v: %v, %v", args, err, parseErr)
	}
	return run
}

// claims are the primary metrics in which a run claims a difference.
func (o outcome) claims() []string {
	var out []string
	for _, m := range o.Metrics {
		if m.Primary && (m.Verdict == "faster" || m.Verdict == "slower") {
			out = append(out, m.Metric+" "+m.Verdict)
		}
	}
	return out
}
