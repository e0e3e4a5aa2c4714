package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/runlog"
)

// resume goes on with the run in a directory, as it was planned there.
func (c *benchCmd) resume(ctx context.Context) error {
	c.Out = filepath.Clean(c.Resume)
	log, earlier, err := runlog.Resume(c.Out)
	if err != nil {
		return usageError{err}
	}
	plan, err := c.planAgain(ctx, earlier.Manifest, c.Out)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	return c.measure(ctx, plan, log, len(experiment.CompletePairs(earlier)), func(progress func(experiment.Event)) (record.Manifest, error) {
		return experiment.Resume(ctx, plan, earlier, log, progress)
	})
}

// finished reports whether a run came to its end.
func finished(m record.Manifest) bool {
	return m.Stopped == experiment.StoppedComplete || m.Stopped == experiment.StoppedDecided || m.Stopped == experiment.StoppedBudget
}

// planAgain is the plan of a recorded run. What would make its blocks not comparable
// with those that are there is refused.
func (c *benchCmd) planAgain(ctx context.Context, m record.Manifest, dir string) (experiment.Plan, error) {
	if finished(m) {
		return experiment.Plan{}, usagef("--resume %s: the run is complete; `siglab report %s` shows it", dir, dir)
	}
	if i := slices.IndexFunc(m.Variants, hasHidden); i >= 0 {
		return experiment.Plan{}, usagef("--resume %s: the command of variant %q had a secret, which is not recorded, so it cannot be started again; start a new run", dir, m.Variants[i].Name)
	}
	if hooks := m.Experiment.Hooks; hooks != nil {
		for name, argv := range hooks.Commands {
			if hasHidden(record.Variant{Argv: argv}) {
				return experiment.Plan{}, usagef("--resume %s: the command of its hook %s had a secret, which is not recorded; start a new run", dir, name)
			}
		}
	}
	header, names, err := c.headers()
	if err != nil {
		return experiment.Plan{}, err
	}
	if !slices.Equal(names, m.Experiment.Headers) {
		return experiment.Plan{}, usagef("--resume %s: its requests had the headers %q, whose values are not recorded, and now have %q; give the same by --header and OPENAI_API_KEY", dir, m.Experiment.Headers, names)
	}
	plan, err := newPlan(ctx, m.Experiment, m.Variants, header, cmp.Or(portOf(m), c.Port), dir)
	if err != nil {
		return plan, err
	}
	for _, part := range []struct{ name, then, now string }{
		{"the program (its hash)", m.Environment.BinaryHash, plan.Environment.BinaryHash},
		{"the processor", m.Environment.CPU, plan.Environment.CPU},
		{"the operating system", m.Environment.OS, plan.Environment.OS},
		{"the workload (its hash)", m.Workload.SHA256, plan.Workload.Stats.SHA256},
	} {
		if part.then != part.now {
			return plan, usagef("--resume %s: %s was %s and is %s, so new blocks could not be compared with those that are there; start a new run", dir, part.name, part.then, part.now)
		}
	}
	if changed := m.Environment.ChangedTo(plan.Environment); len(changed) > 0 {
		fmt.Fprintf(os.Stderr, "siglab: since the run ended, the machine has changed: %s; pairs that are there and new ones can be compared, levels may differ\n", strings.Join(changed, ", "))
	}
	return plan, nil
}

// portOf is the port that the run's servers were told to use, 0 for free ones.
func portOf(m record.Manifest) int {
	for _, v := range m.Variants {
		if v.Kind != record.KindBuiltin {
			continue
		}
		if i := slices.Index(v.Argv, "--port"); i >= 0 && i+1 < len(v.Argv) {
			if port, err := strconv.Atoi(v.Argv[i+1]); err == nil {
				return port
			}
		}
	}
	return 0
}
