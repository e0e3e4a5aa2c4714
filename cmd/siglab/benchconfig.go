package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/configfile"
	"siglab/bench/experiment"
	"siglab/bench/record"
)

// readConfig makes an experiment file a source of flags that are not on the command
// line.
func readConfig(r io.Reader) (kong.Resolver, error) {
	file, err := configfile.Read(r)
	if err != nil {
		return nil, err
	}
	return flagsOf(file), nil
}

// flagsOf gives flags the values that a file says.
func flagsOf(file configfile.File) kong.Resolver {
	flags := file.Flags()
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value, ok := flags[flag.Name]; ok {
			return value, nil
		}
		return nil, nil
	})
}

// config is the experiment as a file that gives the same plan.
func (c *benchCmd) config(plan experiment.Plan) configfile.File {
	e := plan.Experiment
	noise := c.NoiseFloor
	if e.NoiseFloorFrom != "" {
		noise = e.NoiseFloorFrom
	}
	f := configfile.File{
		Model: &e.Model, Dataset: &e.Dataset, Load: c.loadFlags.config(), Request: c.requestFlags.config(),
		Design:   &configfile.Design{Pairs: &e.Pairs, Seed: &e.Seed, EarlyStop: &e.EarlyStop, AA: &c.AA, NoiseFloor: &noise, Calibrate: &c.Calibrate},
		Analysis: &configfile.Analysis{Equivalence: &e.Equivalence, Alpha: &e.Alpha, Primary: e.Primaries, MayDiffer: e.MayDiffer},
		Server:   c.refFlags.config(),
		Output:   c.resultFlags.config(e),
	}
	c.designFlags.config(e, &f)
	if e.ImageSize != "" {
		size := configfile.Size(e.ImageSize)
		f.Image = &size
	}
	f.Server.Threads, f.Server.Port = &c.Threads, &c.Port
	if len(plan.Arms) == 1 {
		f.Design.Pairs = nil
	}
	if e.ServerThreads > 0 {
		f.Server.Threads = &e.ServerThreads
	}
	f.Output.Dir, f.Output.FailOn = &c.Out, c.FailOn
	if c.JUnit != "" {
		f.Output.JUnit = &c.JUnit
	}
	for _, arm := range plan.Arms {
		v := configfile.Variant{Name: arm.Name, PosEmbed: arm.Mode, URL: arm.URL}
		if i := slices.IndexFunc(c.Command, func(s commandSpec) bool { return s.Name == arm.Name }); i >= 0 {
			v = configfile.Variant(c.Command[i])
		}
		if i := slices.IndexFunc(c.Ref, func(r refSpec) bool { return r.Name == arm.Name }); i >= 0 {
			v = configfile.Variant(c.Ref[i])
			v.Ref = arm.Source.Commit // a branch may move on
		}
		if arm.Trigger != nil {
			trigger := configfile.Trigger(*arm.Trigger)
			v.Trigger = &trigger
		}
		if arm.InjectDelay > 0 {
			v.InjectDelay = arm.InjectDelay.String()
		}
		f.Variants = append(f.Variants, v)
		if c.AA {
			break // the other arm is the same again
		}
	}
	return f
}

// config is how servers from refs are made, as an experiment file says it.
func (f *refFlags) config() *configfile.Server {
	if len(f.Ref) == 0 {
		return &configfile.Server{}
	}
	timeout := f.SetupTimeout.String()
	return &configfile.Server{
		Repo: &f.Repo, ServeCommand: &f.ServeCommand, Setup: given(f.Setup), SetupTimeout: &timeout, Overlay: &f.Overlay, Module: given(f.Module), KeepWorktrees: &f.KeepWorktrees,
	}
}

// config is the load as an experiment file says it.
func (f *loadFlags) config() *configfile.Load {
	timeout, idle := f.Timeout.String(), f.IdleTimeout.String()
	rate, burstiness := configfile.Rate(f.rate()), configfile.Rate(f.Burstiness)
	load := &configfile.Load{
		RequestRate: &rate, NumPrompts: &f.NumPrompts, MaxTokens: &f.MaxTokens, Warmups: &f.Warmups, Timeout: &timeout, IdleTimeout: &idle,
		Burstiness: &burstiness, MaxConcurrency: &f.MaxConcurrency, ClosedLoop: &f.ClosedLoop, Schedule: &f.Schedule, ReadyCheck: &f.ReadyCheck,
	}
	if f.RampStrategy != "" {
		load.RequestRate, load.RampStrategy, load.RampStart, load.RampEnd = nil, &f.RampStrategy, &f.RampStart, &f.RampEnd
	}
	return load
}

// config is the request as an experiment file says it.
func (f *requestFlags) config() *configfile.Request {
	r := &configfile.Request{
		Backend: &f.Backend, IgnoreEOS: &f.IgnoreEOS, Temperature: &f.Temperature,
		TopP: f.TopP, TopK: f.TopK, MinP: f.MinP, Frequency: f.Frequency, Presence: f.Presence, Repetition: f.Repetition,
		Endpoint: given(f.Endpoint), ServedModel: given(f.ServedModel),
	}
	_ = json.Unmarshal([]byte(f.ExtraBody), &r.ExtraBody) // checked before, or not given
	for _, pair := range f.Header {
		if r.Header == nil {
			r.Header = map[string]string{}
		}
		name, value, _ := strings.Cut(pair, "=")
		r.Header[name] = value
	}
	return r
}

// config is what an experiment file says of the result's files.
func (f *resultFlags) config(e record.Experiment) *configfile.Output {
	o := &configfile.Output{
		Goodput: e.ResultFile.Goodput, PercentileMetrics: f.PercentileMetrics, MetricPercentiles: f.MetricPercentiles,
		Label: given(f.Label), ResultDir: given(f.ResultDir), ResultFilename: given(f.ResultFilename),
	}
	for _, pair := range e.ResultFile.Metadata {
		if o.Metadata == nil {
			o.Metadata = map[string]string{}
		}
		o.Metadata[pair[0]] = pair[1]
	}
	for _, flag := range []struct {
		value *bool
		key   **bool
	}{{&f.SaveResult, &o.SaveResult}, {&f.SaveDetailed, &o.SaveDetailed}, {&f.AppendResult, &o.AppendResult}} {
		if *flag.value {
			*flag.key = flag.value
		}
	}
	return o
}

// given is nil for what was left out.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// blockOverhead is what a block takes beyond its schedule: start, warm-up, drain.
const blockOverhead = 2 * time.Second

// dryRun prints what the plan would do.
func dryRun(w io.Writer, plan experiment.Plan, out string) error {
	e := plan.Experiment
	blocks := e.Pairs * len(plan.Arms)
	lasts := time.Duration(blocks)*(span(plan)+blockOverhead) + time.Duration(max(0, blocks-1))*e.CoolDown
	var text strings.Builder
	for _, n := range plan.Notes {
		fmt.Fprintf(&text, "note: %s\n", n.Text)
	}
	for _, arm := range plan.Arms {
		if s := arm.Source; s != nil {
			fmt.Fprintf(&text, "variant %s: %s of %s is commit %.12s (%s)\n", arm.Name, s.Ref, s.Repo, s.Commit, s.Subject)
			if len(s.Setup) > 0 {
				fmt.Fprintf(&text, "variant %s: set up by %s\n", arm.Name, strings.Join(s.Setup, " "))
			}
		}
		if arm.Trigger != nil {
			fmt.Fprintf(&text, "variant %s: triggered by %s\n", arm.Name, triggerText(arm.Trigger))
		}
		fmt.Fprintf(&text, "variant %s: %s\n", arm.Name, cmp.Or(arm.URL, strings.Join(slices.Concat(arm.Env, arm.Argv), " ")))
	}
	fmt.Fprintf(&text, "workload: %d requests of %d images from %s; sha256 of the workload %.12s\n", plan.Workload.Stats.Items, plan.Workload.Stats.Images, plan.Workload.Stats.Source, plan.Workload.Stats.SHA256)
	fmt.Fprintf(&text, "design: %d blocks of %d requests %s, %s:\n", blocks, e.NumPrompts, e.Load(), e.Order)
	for pair, order := range experiment.Order(len(plan.Arms), e.Pairs) {
		names := make([]string, len(order))
		for i, arm := range order {
			names[i] = plan.Arms[arm].Name
		}
		fmt.Fprintf(&text, "  %3d  %s\n", pair+1, strings.Join(names, ", "))
	}
	fmt.Fprintf(&text, "between blocks: %s\n", describe(e))
	most := ""
	if e.Saturates() {
		most = "as the servers answer, beyond "
	}
	if e.EarlyStop {
		most = "at most "
	}
	fmt.Fprintf(&text, "duration: %sabout %v\nrun directory: %s\n", most, lasts.Round(time.Second), out)
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
