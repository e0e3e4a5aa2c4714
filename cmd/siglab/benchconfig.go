package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/configfile"
	"siglab/bench/experiment"
)

// readConfig makes an experiment file a source of flags that are not on the command
// line.
func readConfig(r io.Reader) (kong.Resolver, error) {
	file, err := configfile.Read(r)
	if err != nil {
		return nil, err
	}
	flags := file.Flags()
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value, ok := flags[flag.Name]; ok {
			return value, nil
		}
		return nil, nil
	}), nil
}

// config is the experiment as a file that gives the same plan.
func (c *benchCmd) config(plan experiment.Plan) configfile.File {
	e := plan.Experiment
	timeout, idle, noise := e.Timeout.String(), e.IdleTimeout.String(), c.NoiseFloor
	if e.NoiseFloorFrom != "" {
		noise = e.NoiseFloorFrom
	}
	f := configfile.File{
		Model: &e.Model, Dataset: &e.Dataset,
		Load:     &configfile.Load{RequestRate: &e.RequestRate, NumPrompts: &e.NumPrompts, MaxTokens: &e.MaxTokens, Warmups: &e.Warmups, Timeout: &timeout, IdleTimeout: &idle, Reencode: &e.Reencode, MaxSkipped: &e.MaxSkipped},
		Design:   &configfile.Design{Pairs: &e.Pairs, Seed: &e.Seed, EarlyStop: &e.EarlyStop, AA: &e.AA, NoiseFloor: &noise},
		Analysis: &configfile.Analysis{Equivalence: &e.Equivalence, Alpha: &e.Alpha, Primary: e.Primaries},
		Server:   &configfile.Server{Threads: &e.ServerThreads, Port: &c.Port},
		Output:   &configfile.Output{Dir: &c.Out, FailOn: c.FailOn},
	}
	if c.JUnit != "" {
		f.Output.JUnit = &c.JUnit
	}
	for _, arm := range plan.Arms {
		v := configfile.Variant{Name: arm.Name, PosEmbed: arm.Mode}
		if arm.InjectDelay > 0 {
			v.InjectDelay = arm.InjectDelay.String()
		}
		f.Variants = append(f.Variants, v)
		if e.AA {
			break // the other arm is the same again
		}
	}
	return f
}

// blockOverhead is what a block takes beyond its schedule: start, warm-up, drain.
const blockOverhead = 2 * time.Second

// dryRun prints what the plan would do.
func dryRun(w io.Writer, plan experiment.Plan, out string) error {
	e := plan.Experiment
	blocks := e.Pairs * len(plan.Arms)
	each := time.Duration(float64(e.NumPrompts)/e.RequestRate*float64(time.Second)) + blockOverhead
	var text strings.Builder
	for _, arm := range plan.Arms {
		fmt.Fprintf(&text, "variant %s: %s\n", arm.Name, strings.Join(arm.Argv, " "))
	}
	fmt.Fprintf(&text, "workload: %d requests of %d images from %s; sha256 of the workload %.12s\n", plan.Workload.Stats.Items, plan.Workload.Stats.Images, plan.Workload.Stats.Source, plan.Workload.Stats.SHA256)
	fmt.Fprintf(&text, "design: %d blocks of %d requests at %g/s, %s:\n", blocks, e.NumPrompts, e.RequestRate, e.Order)
	for pair, order := range experiment.Order(len(plan.Arms), e.Pairs) {
		names := make([]string, len(order))
		for i, arm := range order {
			names[i] = plan.Arms[arm].Name
		}
		fmt.Fprintf(&text, "  %3d  %s\n", pair+1, strings.Join(names, ", "))
	}
	most := ""
	if e.EarlyStop {
		most = "at most "
	}
	fmt.Fprintf(&text, "duration: %sabout %v\nrun directory: %s\n", most, (time.Duration(blocks) * each).Round(time.Second), out)
	if e.NoiseFloorFrom != "" {
		var floors []string
		for key, floor := range e.NoiseFloors {
			floors = append(floors, fmt.Sprintf("%s %.2g %%", key, 100*floor))
		}
		slices.Sort(floors)
		fmt.Fprintf(&text, "noise floor, from %s: %s\n", e.NoiseFloorFrom, strings.Join(floors, ", "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}
