package record

import (
	"testing"
	"time"
)

func TestStartup(t *testing.T) {
	const second = time.Second
	for _, row := range []struct {
		name string
		of   Startup
		ours time.Duration
		text string
	}{
		{"what is not ours is taken off the whole", Startup{Plan: second, Calibrate: 3 * second, Worktrees: second, SetUp: 9 * second, Hooks: second, Servers: 30 * second, WarmUp: 2 * second, Total: 48 * second},
			3 * second, "from the command to the first measured request 48.0 s: servers 30.0 s, their warm-up 2.0 s, set-up 9.0 s, hooks 1.0 s, calibration 3.0 s, siglab itself 3.0 s"},
		{"parts that overlap leave nothing below zero", Startup{Servers: 2 * second, Total: second}, 0, "from the command to the first measured request 1.0 s: servers 2.0 s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.of.Ours(); got != row.ours {
				t.Errorf("ours: %v, want %v", got, row.ours)
			}
			if got := row.of.String(); got != row.text {
				t.Errorf("%q, want %q", got, row.text)
			}
		})
	}
}
