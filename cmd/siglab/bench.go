package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/compare"
	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/runlog"
)

type benchCmd struct {
	File        kong.ConfigFlag `short:"f" name:"file" placeholder:"FILE" help:"Experiment file (YAML); flags win over it."`
	PrintConfig bool            `name:"print-config" help:"Print the resolved experiment as an experiment file, and do nothing."`
	DryRun      bool            `name:"dry-run" help:"Print what would be run, and how long it would take, and do nothing."`
	Model       string          `env:"MODEL" help:"Model of the embedded server (random:tiny); of other servers the name that they know it by (what a running one lists first)."`
	ImageSize   string          `name:"image-size" placeholder:"SIZE" help:"Size that the embedded server resizes images to, in pixels: 512, HEIGHTxWIDTH, or native (the model's); off the training grid the position table is resampled."`
	Dataset     string          `env:"DATASET" default:"builtin" help:"Data set: builtin, random-mm, a name on the hub, or a path (${default}: photographs and prompts in this binary)."`
	Pairs       *int            `placeholder:"N" help:"Pairs, or rounds of more than two variants (6, rounded up to a balanced design). One variant has none."`
	AA          bool            `name:"aa" help:"Run the baseline against itself. Later runs in the same directory under the same conditions take the noise floor from it."`
	NoiseFloor  string          `name:"noise-floor" default:"auto" placeholder:"DIR" help:"Run directory of a run with --aa that measured the noise floor; 'none' for 0 (the newest one beside --out under the same conditions)."`
	Calibrate   bool            `name:"calibrate" negatable:"" default:"true" help:"Measure the client's own error first, about three seconds; an effect that is no larger gets no verdict (yes)."`
	EarlyStop   bool            `name:"early-stop" help:"Look at the run after every balanced number of pairs and stop when every primary metric is decided; --pairs is then the most (30). The analysis allows for the looks."`
	Seed        uint64          `default:"0" help:"Seed of the order of prompts and of the arrivals (${default})."`
	Threads     int             `name:"server-threads" default:"0" help:"Threads of the server (all cores but one)."`
	Port        int             `env:"PORT" default:"0" help:"Port of the server under test (a free one)."`
	Equivalence float64         `default:"0.02" help:"Margin of equivalence, relative (${default})."`
	Alpha       float64         `default:"0.05" help:"Chance of a false claim among all primary metrics (${default})."`
	Primary     []string        `placeholder:"KEY" help:"Metrics that get a verdict (median_ttft_ms, median_tpot_ms, median_e2el_ms; p99_ttft_ms and p99_e2el_ms with blocks of 300 requests)."`
	MayDiffer   []string        `name:"may-differ" placeholder:"NAME" help:"Packages and environment variables in which servers by command or ref may differ; other differences that they do not declare forbid a verdict."`
	Resume      string          `placeholder:"DIR" help:"Go on with a run that ended early: its complete pairs are kept, and everything is as it was then."`
	Out         string          `placeholder:"DIR" help:"Run directory (benchmark_results_<date>_<time>)."`

	rowFlags
	variantFlags
	designFlags
	loadFlags
	requestFlags
	resultFlags
	outputFlags

	pairs  int    // Pairs, or the usual number
	beside string // where runs that measured a noise floor lie; "": beside Out
}

// Run is the main job: resolve, freeze, measure, report.
func (c *benchCmd) Run(ctx context.Context) error {
	begun := time.Now()
	if _, err := c.failVerdicts(); err != nil {
		return err
	}
	if c.Resume != "" {
		return c.resume(ctx)
	}
	plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	if c.PrintConfig {
		return c.config(plan).Write(os.Stdout)
	}
	if c.DryRun {
		return dryRun(os.Stdout, plan, c.Out)
	}
	tellNotes(plan.Notes)
	plan.Begun, plan.Startup = begun, &record.Startup{Plan: time.Since(begun)}
	log, err := runlog.Create(c.Out)
	if err != nil {
		return usageError{err}
	}
	if c.Calibrate {
		before := time.Now()
		plan.Calibration = calibrated(ctx, plan)
		plan.Startup.Calibrate = time.Since(before)
	}
	return c.measure(ctx, plan, log, 0, func(progress func(experiment.Event)) (record.Manifest, error) {
		return experiment.Run(ctx, plan, log, progress)
	})
}

// measure runs the experiment, of which some pairs may be done, and publishes what it
// recorded.
func (c *benchCmd) measure(ctx context.Context, plan experiment.Plan, log *runlog.Writer, done int, run func(progress func(experiment.Event)) (record.Manifest, error)) error {
	manifest, err := c.record(ctx, plan, log, done, run)
	if err != nil {
		return err
	}
	if !finished(manifest) {
		fmt.Fprintf(os.Stderr, "siglab: the run ended early (%s); what was measured is in %s, `siglab report %s` shows it again, and `siglab bench --resume %s` goes on with it\n", manifest.Stopped, c.Out, c.Out, c.Out)
	}
	err = c.publish(c.Out)
	if err == nil || errors.Is(err, errNotValid) || errors.Is(err, errRegression) {
		err = errors.Join(err, c.save(c.Out))
	}
	if err != nil && !errors.Is(err, errNotValid) && !errors.Is(err, errRegression) {
		err = fmt.Errorf("%w; what was measured is kept, and `siglab report %s` tries again", err, c.Out)
	}
	return err
}

// record runs the experiment under a display until everything is in its directory.
func (c *benchCmd) record(ctx context.Context, plan experiment.Plan, log *runlog.Writer, done int, run func(progress func(experiment.Event)) (record.Manifest, error)) (record.Manifest, error) {
	before := time.Now()
	trees, err := c.checkOut(ctx, plan)
	defer trees.end(ctx)
	if plan.Startup != nil {
		plan.Startup.SetUp = trees.setUpTook
		plan.Startup.Worktrees = time.Since(before) - trees.setUpTook
	}
	if err != nil {
		return record.Manifest{}, errors.Join(err, log.Close())
	}
	display := newDisplay(os.Stderr, plan, done)
	manifest, err := run(display.event)
	display.close()
	if err := errors.Join(err, log.Close()); err != nil {
		return manifest, fmt.Errorf("%w; what was measured is in %s, `siglab report %s` shows it, and when the cause is mended `siglab bench --resume %s` goes on with it", err, c.Out, c.Out, c.Out)
	}
	return manifest, nil
}

// plan resolves the command line into everything that is fixed before the first
// request. Nothing has been written yet when it fails.
func (c *benchCmd) plan(ctx context.Context) (experiment.Plan, error) {
	var plan experiment.Plan
	variants, err := c.parse()
	if err == nil && c.AA {
		variants, err = againstItself(variants, c.InjectDelay)
	}
	if err != nil {
		return plan, err
	}
	if err := errors.Join(c.check(len(variants)), c.designFlags.check(variants, c.Port)); err != nil {
		return plan, err
	}
	header, names, err := c.headers()
	if err != nil {
		return plan, err
	}
	if err := c.resolveModel(ctx, variants, header); err != nil {
		return plan, err
	}
	notes, err := resolveRefs(ctx, variants)
	if err != nil {
		return plan, usageError{err}
	}
	same, alike := sameCode(ctx, variants)
	notes = append(notes, alike...)
	e, err := c.experiment(variants)
	if err != nil {
		return plan, err
	}
	e.Headers, e.AA = names, c.AA || same
	if err := compare.CheckPrimaries(c.Primary, e.Saturates()); err != nil {
		return plan, usagef("--primary: %w", err)
	}
	plan, err = newPlan(ctx, e, variants, header, c.Port, c.Out)
	plan.Notes = append(notes, plan.Notes...)
	if err == nil && len(variants) > 1 {
		err = c.findNoiseFloor(&plan.Experiment, plan.Environment)
	}
	return plan, err
}

// experiment is what the flags ask for.
func (c *benchCmd) experiment(variants []record.Variant) (record.Experiment, error) {
	e := record.Experiment{
		Model: c.Model, Dataset: c.Dataset, Reencode: c.Reencode, MaxSkipped: c.MaxSkipped, Pairs: c.pairs, Seed: c.Seed, Order: "AB/BA",
		Equivalence: c.Equivalence, Alpha: c.Alpha, Primaries: c.Primary, EarlyStop: c.EarlyStop, AA: c.AA, MayDiffer: c.MayDiffer,
	}
	switch {
	case len(variants) == 1:
		e.Order = "one variant"
	case len(variants) > 2:
		e.Order = "Williams"
	}
	if hasKind(variants, record.KindBuiltin) {
		e.ServerThreads = c.Threads
		if e.ServerThreads == 0 {
			e.ServerThreads = max(1, runtime.NumCPU()-1) // one core stays free for the client
		}
		e.ImageSize = c.ImageSize
	}
	c.loadFlags.fill(&e)
	if err := c.designFlags.fill(&e, variants); err != nil {
		return e, err
	}
	if err := c.requestFlags.fill(&e); err != nil {
		return e, err
	}
	return e, c.resultFlags.fill(&e, len(variants))
}
