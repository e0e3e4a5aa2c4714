// Package hook runs the commands that an experiment file names for moments of a run:
// to pin clocks, to drop caches of the system, to note what a machine is doing.
package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"siglab/bench/experiment"
)

// LogFile is where the output of hooks goes, in the run directory.
const LogFile = "hooks.log"

// Runner calls the hooks of one run.
type Runner struct {
	Commands map[string][]string // by the moment: a program and its arguments
	Timeout  time.Duration       // of each call
	Environ  []string            // besides the variables of the moment
	RunDir   string
}

// endPatience is how long a call may go on after its time is over and it was killed.
const endPatience = 2 * time.Second

// Call runs the command of a moment, if there is one, and waits for its end. Its
// environment says the moment: SIGLAB_HOOK, SIGLAB_RUN_DIR, SIGLAB_PAIR, SIGLAB_BLOCK
// and SIGLAB_VARIANT, empty where it is about none.
func (r Runner) Call(ctx context.Context, at experiment.Moment) (err error) {
	argv := r.Commands[at.Hook]
	if len(argv) == 0 {
		return nil
	}
	log, err := os.OpenFile(filepath.Join(r.RunDir, LogFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, err := fmt.Fprintf(log, "== %s: %q\n", describe(at), argv); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, argv[0], argv[1:]...)
	killAll(cmd)
	cmd.WaitDelay = endPatience
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(append([]string{}, r.Environ...), "SIGLAB_HOOK="+at.Hook, "SIGLAB_RUN_DIR="+absolute(r.RunDir),
		"SIGLAB_PAIR="+number(at.Pair), "SIGLAB_BLOCK="+number(at.Block), "SIGLAB_VARIANT="+at.Variant)
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%q took longer than %v; see %s", argv, r.Timeout, log.Name())
	}
	return fmt.Errorf("%q: %w; see %s", argv, err, log.Name())
}

// describe is a moment as the log has it: "before_block, pair 1, block 2, variant main".
func describe(at experiment.Moment) string {
	text := at.Hook
	if at.Pair > 0 {
		text += fmt.Sprintf(", pair %d", at.Pair)
	}
	if at.Block > 0 {
		text += fmt.Sprintf(", block %d, variant %s", at.Block, at.Variant)
	}
	return text
}

// number is empty for what is about none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// absolute is a path that holds in every working directory; the path itself where this
// one is not known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
