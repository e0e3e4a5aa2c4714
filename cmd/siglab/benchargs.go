package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/results"
)

// Bounds of a sensible run; they keep a slip of the finger from running for days.
const (
	mostVariants = 8
	mostPrompts  = 100_000
	mostPairs    = 1000
	mostTokens   = 4096
	defaultPairs = 6
	earlyPairs   = 30 // the most, where a run may stop early
)

// findNoiseFloor takes the noise floor from where --noise-floor says.
func (c *benchCmd) findNoiseFloor(e *record.Experiment, env record.Environment) (err error) {
	switch {
	case e.AA || c.NoiseFloor == "none":
	case c.NoiseFloor == "auto":
		e.NoiseFloorFrom, e.NoiseFloors = results.FindNoiseFloors(cmp.Or(c.beside, filepath.Dir(c.Out)), *e, env)
	default:
		e.NoiseFloorFrom = c.NoiseFloor
		if e.NoiseFloors, err = results.NoiseFloors(c.NoiseFloor); err != nil {
			return usagef("--noise-floor: %w", err)
		}
	}
	return nil
}

// check validates the numbers and fills in what depends on the others.
func (c *benchCmd) check(variants int) error {
	if err := c.loadFlags.check(); err != nil {
		return err
	}
	if c.pairs = 0; c.Pairs != nil {
		if c.pairs = *c.Pairs; c.pairs < 1 || c.pairs > mostPairs {
			return usagef("--pairs %d: it is 1 to %d; leave it out for the usual number", c.pairs, mostPairs)
		}
	}
	switch {
	case variants == 1 && (c.pairs > 1 || c.EarlyStop):
		return usagef("one variant has no pairs, so --pairs and --early-stop mean nothing: --num-prompts is the number of requests; --aa runs it against itself")
	case c.Threads < 0 || c.Threads > 1024:
		return usagef("--server-threads %d: it is 1 to 1024, or 0 for all cores but one", c.Threads)
	case !(c.Equivalence > 0 && c.Equivalence < 1):
		return usagef("--equivalence %v: it is relative, above 0 and below 1 (0.02 is 2 %%)", c.Equivalence)
	case !(c.Alpha > 0 && c.Alpha <= 0.5):
		return usagef("--alpha %v: it is above 0 and at most 0.5", c.Alpha)
	}
	if err := c.checkPort(); err != nil {
		return err
	}
	if variants == 1 {
		c.pairs = 1
	} else if c.pairs == 0 && c.EarlyStop {
		c.pairs = experiment.BalancedRounds(variants, earlyPairs)
	} else if c.pairs == 0 {
		c.pairs = experiment.BalancedRounds(variants, defaultPairs)
	} else if balanced := experiment.BalancedRounds(variants, c.pairs); balanced != c.pairs {
		fmt.Fprintf(os.Stderr, "siglab: --pairs %d of %d variants does not balance their order; %d would\n", c.pairs, variants, balanced)
	}
	if c.Out == "" {
		c.Out = "benchmark_results_" + time.Now().Format("20060102_150405")
	}
	c.Out = filepath.Clean(c.Out)
	return nil
}

// checkPort sees early whether a port that the user named can be had.
func (c *benchCmd) checkPort() error {
	if c.Port < 0 || c.Port > 65535 {
		return usagef("--port %d: it is 1 to 65535, or 0 for a free one", c.Port)
	}
	if c.Port == 0 {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("--port %d cannot be had (%w); leave it out for a free one, or see `siglab doctor --port %d`", c.Port, err, c.Port)
	}
	return l.Close()
}
