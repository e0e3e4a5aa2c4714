//go:build unix

package hook

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"siglab/bench/experiment"
)

// TestCall: a hook knows its moment, what it prints is kept, and what it does wrong is
// an error that names it and the log.
func TestCall(t *testing.T) {
	for _, test := range []struct {
		why     string
		argv    []string
		timeout time.Duration
		log     string
		err     string
	}{
		{"its environment says the moment", []string{"sh", "-c", `echo "$SIGLAB_HOOK $SIGLAB_PAIR $SIGLAB_BLOCK $SIGLAB_VARIANT $OWN"; test -d "$SIGLAB_RUN_DIR"`}, time.Minute, "before_block 2 3 main mine", ""},
		{"standard error is kept too", []string{"sh", "-c", "echo oops >&2"}, time.Minute, "oops", ""},
		{"a failure", []string{"sh", "-c", "exit 3"}, time.Minute, "", "exit status 3; see "},
		{"a program that is not", []string{"no-such-program"}, time.Minute, "", "no-such-program"},
		{"one that takes too long, with what it started", []string{"sh", "-c", "sleep 600 & wait"}, 50 * time.Millisecond, "", "took longer than 50ms"},
		{"none", nil, time.Minute, "", ""},
	} {
		r := Runner{Commands: map[string][]string{"before_block": test.argv}, Timeout: test.timeout, Environ: append(os.Environ(), "OWN=mine"), RunDir: t.TempDir()}
		err := r.Call(t.Context(), experiment.Moment{Hook: "before_block", Pair: 2, Block: 3, Variant: "main"})
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.err)
		}
		log, err := os.ReadFile(filepath.Join(r.RunDir, LogFile))
		if !strings.Contains(string(log), test.log) || err != nil && test.argv != nil {
			t.Errorf("%s: log %q, error %v, want %q", test.why, log, err, test.log)
		}
	}
}

// TestCallEnds: the end of the run ends a hook, and is what the error says.
func TestCallEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Runner{Commands: map[string][]string{"before_run": {"sleep", "600"}}, Timeout: time.Minute, RunDir: t.TempDir()}
	if err := r.Call(ctx, experiment.Moment{Hook: "before_run"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
