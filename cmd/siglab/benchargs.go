package main

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"siglab/bench/compare"
	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/results"
	"siglab/engine/vlm"
	"siglab/posembed"
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

// variantName keeps names usable in file names.
var variantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// parseVariants turns NAME=MODE pairs and delays into variants; without any, the
// seed's two.
func parseVariants(args []string, delays map[string]string) ([]record.Variant, error) {
	if len(args) == 0 {
		args = []string{"main=reference", "optimized=bilinear"}
	}
	if len(args) < 2 || len(args) > mostVariants {
		return nil, usagef("%d variant given; a comparison needs 2 to %d: repeat --variant NAME=MODE", len(args), mostVariants)
	}
	var variants []record.Variant
	for _, arg := range args {
		name, modeName, ok := strings.Cut(arg, "=")
		if !ok || !variantName.MatchString(name) {
			return nil, usagef("--variant %q: write NAME=MODE, the name of letters, digits, '.', '_' and '-'", arg)
		}
		mode, err := posembed.ParseMode(modeName)
		if err != nil {
			return nil, usagef("--variant %s: %w", arg, err)
		}
		if slices.ContainsFunc(variants, func(v record.Variant) bool { return v.Name == name }) {
			return nil, usagef("--variant %s: the name %q is given twice", arg, name)
		}
		variants = append(variants, record.Variant{Name: name, Kind: "builtin", Mode: mode.String(), Convention: mode.Convention().String()})
	}
	for name, text := range delays {
		i := slices.IndexFunc(variants, func(v record.Variant) bool { return v.Name == name })
		if i < 0 {
			return nil, usagef("--inject-delay %s=%s: there is no variant %q; there are %s", name, text, name, variantNames(variants))
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > time.Minute {
			return nil, usagef("--inject-delay %s=%s: write a duration from 0 to 1m, such as 20ms", name, text)
		}
		variants[i].InjectDelay = d
	}
	return variants, nil
}

// againstItself is the baseline twice, to measure what two runs of one thing differ
// by.
func againstItself(variants []record.Variant, delays map[string]string) ([]record.Variant, error) {
	if len(delays) > 0 {
		return nil, usagef("--aa runs the baseline against itself, so --inject-delay would make the noise floor an effect: leave one out")
	}
	again := variants[0]
	again.Name += "-again"
	return []record.Variant{variants[0], again}, nil
}

// findNoiseFloor takes the noise floor from where --noise-floor says.
func (c *benchCmd) findNoiseFloor(e *record.Experiment, env record.Environment) (err error) {
	switch {
	case c.AA || c.NoiseFloor == "none":
	case c.NoiseFloor == "auto":
		e.NoiseFloorFrom, e.NoiseFloors = results.FindNoiseFloors(filepath.Dir(c.Out), *e, env)
	default:
		e.NoiseFloorFrom = c.NoiseFloor
		if e.NoiseFloors, err = results.NoiseFloors(c.NoiseFloor); err != nil {
			return usagef("--noise-floor: %w", err)
		}
	}
	return nil
}

func variantNames(variants []record.Variant) string {
	var names []string
	for _, v := range variants {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// check validates the numbers and fills in what depends on the others.
func (c *benchCmd) check(variants int) error {
	switch {
	case !(c.RequestRate > 0) || math.IsInf(c.RequestRate, 0) || c.RequestRate > 10_000:
		return usagef("--request-rate %v: it is queries per second, above 0 and at most 10000", c.RequestRate)
	case c.NumPrompts < 1 || c.NumPrompts > mostPrompts:
		return usagef("--num-prompts %d: it is 1 to %d per block", c.NumPrompts, mostPrompts)
	case c.Pairs < 0 || c.Pairs > mostPairs:
		return usagef("--pairs %d: it is 1 to %d", c.Pairs, mostPairs)
	case c.MaxTokens < 1 || c.MaxTokens > mostTokens:
		return usagef("--max-tokens %d: it is 1 to %d", c.MaxTokens, mostTokens)
	case c.Warmups < 0 || c.Warmups > 1000:
		return usagef("--warmups %d: it is 0 to 1000", c.Warmups)
	case c.Threads < 0 || c.Threads > 1024:
		return usagef("--server-threads %d: it is 1 to 1024, or 0 for all cores but one", c.Threads)
	case !(c.Equivalence > 0 && c.Equivalence < 1):
		return usagef("--equivalence %v: it is relative, above 0 and below 1 (0.02 is 2 %%)", c.Equivalence)
	case !(c.Alpha > 0 && c.Alpha <= 0.5):
		return usagef("--alpha %v: it is above 0 and at most 0.5", c.Alpha)
	case c.Timeout <= 0:
		return usagef("--timeout %v: it is above 0", c.Timeout)
	case c.IdleTimeout <= 0:
		return usagef("--idle-timeout %v: it is above 0", c.IdleTimeout)
	}
	if err := compare.CheckPrimaries(c.Primary); err != nil {
		return usagef("--primary: %w", err)
	}
	if err := vlm.CheckName(c.Model); err != nil {
		return usagef("--model: %w", err)
	}
	if err := c.checkPort(); err != nil {
		return err
	}
	if c.Pairs == 0 && c.EarlyStop {
		c.Pairs = experiment.BalancedRounds(variants, earlyPairs)
	} else if c.Pairs == 0 {
		c.Pairs = experiment.BalancedRounds(variants, defaultPairs)
	} else if balanced := experiment.BalancedRounds(variants, c.Pairs); balanced != c.Pairs {
		fmt.Fprintf(os.Stderr, "siglab: --pairs %d of %d variants does not balance their order; %d would\n", c.Pairs, variants, balanced)
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
