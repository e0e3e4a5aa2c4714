package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/configfile"
	"siglab/bench/experiment"
	"siglab/bench/hook"
	"siglab/bench/record"
	"siglab/internal/secret"
)

// designFlags say what happens between the blocks.
type designFlags struct {
	Restart     string        `placeholder:"WHEN" help:"When servers are started anew: each-block; each-pair, all of a pair living through it; or never (each-block; never where a variant runs already)."`
	Stability   float64       `name:"warmup-stability" default:"0.1" help:"Repeat the warm-up requests, five times at most, until they take as long as the time before, within this share; 0 sends them once (${default})."`
	CoolDown    time.Duration `name:"cool-down" default:"0s" help:"Pause between blocks (${default})."`
	Caches      string        `placeholder:"POLICY" help:"Caches of the servers: off; reset, on and emptied before each block; keep, on and left as the warm-up leaves them (off for the embedded server, reset for others)."`
	MaxDuration time.Duration `name:"max-duration" default:"0s" help:"Longest time for all blocks: no pair begins that would end later. The first always runs (no limit)."`
	Hooks       hookSpec      `hidden:"" help:"Of the experiment file alone."`
}

// hookSpec is what an experiment file says of hooks.
type hookSpec struct{ *configfile.Hooks }

// Decode takes hooks from an experiment file; a command line has no place for them.
func (h *hookSpec) Decode(ctx *kong.DecodeContext) error {
	hooks, ok := ctx.Scan.Pop().Value.(configfile.Hooks)
	if !ok {
		return errors.New("hooks are commands, which only an experiment file can give")
	}
	h.Hooks = &hooks
	return nil
}

// check validates the flags for the variants that there are.
func (f *designFlags) check(variants []record.Variant, port int) error {
	builtin := hasKind(variants, record.KindBuiltin) || hasKind(variants, record.KindCommand)
	switch {
	case f.Restart != "" && !slices.Contains([]string{record.RestartEachBlock, record.RestartEachPair, record.RestartNever}, f.Restart):
		return usagef("--restart %s: it is each-block, each-pair or never", f.Restart)
	case f.Restart != "" && f.Restart != record.RestartNever && hasKind(variants, record.KindURL):
		return usagef("--restart %s: a server that runs already is not restarted; leave it out", f.Restart)
	case f.Restart != "" && f.Restart != record.RestartEachBlock && port != 0 && len(variants) > 1 && builtin:
		return usagef("--restart %s: the servers of a pair run at once and cannot share --port %d; leave the port out", f.Restart, port)
	case !(f.Stability >= 0 && f.Stability <= 1):
		return usagef("--warmup-stability %v: it is a share from 0 to 1", f.Stability)
	case f.CoolDown < 0 || f.CoolDown > time.Hour:
		return usagef("--cool-down %v: it is 0 to an hour", f.CoolDown)
	case f.Caches != "" && !slices.Contains([]string{"off", "reset", "keep"}, f.Caches):
		return usagef("--caches %s: they are off, reset or keep", f.Caches)
	case f.MaxDuration < 0:
		return usagef("--max-duration %v: it is above 0, or 0 for no limit", f.MaxDuration)
	}
	return nil
}

// fill tells an experiment what happens between its blocks.
func (f *designFlags) fill(e *record.Experiment, variants []record.Variant) error {
	if e.Restart = f.Restart; f.Restart == "" {
		e.Restart = record.RestartEachBlock
		if hasKind(variants, record.KindURL) {
			e.Restart = record.RestartNever
		}
	}
	e.Caches = map[string]string{"off": record.CachesOff, "reset": record.CachesReset, "keep": record.CachesKeep}[f.Caches]
	if f.Caches == "" {
		e.Caches = record.CachesOff
		if variants[0].Kind != record.KindBuiltin {
			e.Caches = record.CachesReset
		}
	}
	e.Stability, e.CoolDown, e.MaxDuration = f.Stability, f.CoolDown, f.MaxDuration
	if f.Hooks.Hooks == nil {
		return nil
	}
	hooks := record.Hooks{Commands: map[string][]string{}, Timeout: time.Minute}
	for name, argv := range f.Hooks.Commands() {
		if len(argv) > 0 {
			hooks.Commands[name] = argv
		}
	}
	if f.Hooks.Timeout != nil {
		timeout, err := time.ParseDuration(*f.Hooks.Timeout)
		if err != nil || timeout <= 0 || timeout > time.Hour {
			return usagef("hooks.timeout %q: write a duration up to an hour, such as 60s", *f.Hooks.Timeout)
		}
		hooks.Timeout = timeout
	}
	e.Hooks = &hooks
	return nil
}

// config is the design as an experiment file says it.
func (f *designFlags) config(e record.Experiment, to *configfile.File) {
	caches := map[string]string{record.CachesOff: "off", record.CachesReset: "reset", record.CachesKeep: "keep"}[e.Caches]
	cool, most := f.CoolDown.String(), f.MaxDuration.String()
	to.Design.Stability, to.Design.CoolDown, to.Design.MaxDuration = &f.Stability, &cool, &most
	to.Design.Restart, to.Design.Caches = &e.Restart, &caches
	to.Hooks = f.Hooks.Hooks
}

// hooksOf calls the hooks of an experiment; nil if it has none.
func hooksOf(e record.Experiment, runDir string) func(context.Context, experiment.Moment) error {
	if e.Hooks == nil {
		return nil
	}
	return hook.Runner{Commands: e.Hooks.Commands, Timeout: e.Hooks.Timeout, Environ: os.Environ(), RunDir: runDir}.Call
}

// withoutHookSecrets is an experiment as it is recorded.
func withoutHookSecrets(e record.Experiment) record.Experiment {
	if e.Hooks == nil {
		return e
	}
	hooks := record.Hooks{Commands: map[string][]string{}, Timeout: e.Hooks.Timeout}
	for name, argv := range e.Hooks.Commands {
		hooks.Commands[name] = secret.HideIn(argv)
	}
	e.Hooks = &hooks
	return e
}

// describe says what happens between blocks, for a plan that is only shown.
func describe(e record.Experiment) string {
	parts := []string{"restart " + e.Restart, "caches " + e.Caches}
	if e.CoolDown > 0 {
		parts = append(parts, fmt.Sprintf("%v to cool down", e.CoolDown))
	}
	if e.MaxDuration > 0 {
		parts = append(parts, fmt.Sprintf("no pair that would end after %v", e.MaxDuration))
	}
	if e.Hooks != nil {
		for _, name := range slices.Sorted(maps.Keys(e.Hooks.Commands)) {
			parts = append(parts, fmt.Sprintf("%s runs %q", name, strings.Join(e.Hooks.Commands[name], " ")))
		}
	}
	return strings.Join(parts, "; ")
}
