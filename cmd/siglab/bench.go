package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/compare"
	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/telemetry"
	"siglab/bench/variant"
	"siglab/bench/workload"
	"siglab/internal/version"
)

type benchCmd struct {
	File        kong.ConfigFlag   `short:"f" name:"file" placeholder:"FILE" help:"Experiment file (YAML); flags win over it."`
	PrintConfig bool              `name:"print-config" help:"Print the resolved experiment as an experiment file, and do nothing."`
	DryRun      bool              `name:"dry-run" help:"Print what would be run, and how long it would take, and do nothing."`
	Model       string            `env:"MODEL" default:"random:tiny" help:"Model of the embedded server (${default})."`
	Dataset     string            `env:"DATASET" default:"builtin" help:"Data set: builtin, random-mm, a name on the hub, or a path (${default}: photographs and prompts in this binary)."`
	RequestRate float64           `name:"request-rate" aliases:"qps" env:"QPS" default:"10" help:"Queries per second, Poisson (${default})."`
	NumPrompts  int               `env:"NUM_PROMPTS" default:"100" help:"Requests per block (${default})."`
	Pairs       int               `default:"0" help:"Pairs, or rounds of more than two variants (6, rounded up to a balanced design)."`
	AA          bool              `name:"aa" help:"Run the baseline against itself. Later runs in the same directory under the same conditions take the noise floor from it."`
	NoiseFloor  string            `name:"noise-floor" default:"auto" placeholder:"DIR" help:"Run directory of a run with --aa that measured the noise floor; 'none' for 0 (the newest one beside --out under the same conditions)."`
	EarlyStop   bool              `name:"early-stop" help:"Look at the run after every balanced number of pairs and stop when every primary metric is decided; --pairs is then the most (30). The analysis allows for the looks."`
	Variant     []string          `placeholder:"NAME=MODE" help:"A variant and its pos-embed mode; repeat, the first is the baseline (main=reference, optimized=bilinear)."`
	MaxTokens   int               `default:"32" help:"Output tokens per request (${default})."`
	Seed        uint64            `default:"0" help:"Seed of the order of prompts and of the arrivals (${default})."`
	Warmups     int               `default:"8" help:"Requests before each block that are not measured (${default})."`
	Threads     int               `name:"server-threads" default:"0" help:"Threads of the server (all cores but one)."`
	Port        int               `env:"PORT" default:"0" help:"Port of the server under test (a free one)."`
	Equivalence float64           `default:"0.02" help:"Margin of equivalence, relative (${default})."`
	Alpha       float64           `default:"0.05" help:"Chance of a false claim among all primary metrics (${default})."`
	Primary     []string          `placeholder:"KEY" help:"Metrics that get a verdict (median_ttft_ms, median_tpot_ms, median_e2el_ms; p99_ttft_ms and p99_e2el_ms with blocks of 300 requests)."`
	Timeout     time.Duration     `default:"60s" help:"Longest time for one answer (${default})."`
	IdleTimeout time.Duration     `default:"60s" help:"Longest time without a byte of an answer; a stream that stalls so long has failed (${default})."`
	InjectDelay map[string]string `placeholder:"NAME=20ms" help:"Positive control: hold up every request of a variant by this much, after the server's arrival stamp."`
	Resume      string            `placeholder:"DIR" help:"Go on with a run that ended early: its complete pairs are kept, and everything is as it was then."`
	Out         string            `placeholder:"DIR" help:"Run directory (benchmark_results_<date>_<time>)."`

	rowFlags
	outputFlags
}

// Run is the main job: resolve, freeze, measure, report.
func (c *benchCmd) Run(ctx context.Context) error {
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
	log, err := runlog.Create(c.Out)
	if err != nil {
		return usageError{err}
	}
	return c.measure(plan, log, 0, func(progress func(experiment.Event)) (record.Manifest, error) {
		return experiment.Run(ctx, plan, log, progress)
	})
}

// measure runs the experiment, of which some pairs may be done, under a display and
// publishes what it recorded.
func (c *benchCmd) measure(plan experiment.Plan, log *runlog.Writer, done int, run func(progress func(experiment.Event)) (record.Manifest, error)) error {
	display := newDisplay(os.Stderr, plan, done)
	manifest, err := run(display.event)
	display.close()
	if err := errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("%w; what was measured is in %s", err, c.Out)
	}
	if manifest.Stopped != experiment.StoppedComplete && manifest.Stopped != experiment.StoppedDecided {
		fmt.Fprintf(os.Stderr, "siglab: the run ended early (%s); what was measured is in %s, `siglab report %s` shows it again, and `siglab bench --resume %s` goes on with it\n", manifest.Stopped, c.Out, c.Out, c.Out)
	}
	err = c.publish(c.Out)
	if err != nil && !errors.Is(err, errNotValid) && !errors.Is(err, errRegression) {
		err = fmt.Errorf("%w; what was measured is kept, and `siglab report %s` tries again", err, c.Out)
	}
	return err
}

// plan resolves the command line into everything that is fixed before the first
// request. Nothing has been written yet when it fails.
func (c *benchCmd) plan(ctx context.Context) (experiment.Plan, error) {
	var plan experiment.Plan
	variants, err := parseVariants(c.Variant, c.InjectDelay)
	if err == nil && c.AA {
		variants, err = againstItself(variants, c.InjectDelay)
	}
	if err != nil {
		return plan, err
	}
	if err := c.check(len(variants)); err != nil {
		return plan, err
	}
	plan, err = newPlan(ctx, c.experiment(len(variants)), variants, c.Port, c.Out)
	if err == nil {
		err = c.findNoiseFloor(&plan.Experiment, plan.Environment)
	}
	return plan, err
}

// newPlan freezes the workload of an experiment and says how its variants are
// started: on a port, or on free ones if it is 0.
func newPlan(ctx context.Context, e record.Experiment, variants []record.Variant, port int, out string) (experiment.Plan, error) {
	plan := experiment.Plan{Experiment: e, Siglab: version.String(), Command: os.Args}
	exe, err := os.Executable()
	if err != nil {
		return plan, fmt.Errorf("find this program: %w", err)
	}
	set, err := openDataset(ctx, e)
	if err != nil {
		return plan, err
	}
	plan.Experiment.Dataset = set.Name() // with the commit that a name of the hub stands for now
	if plan.Environment, err = telemetry.Environment(ctx, exe); err != nil {
		return plan, err
	}
	plan.Workload, err = workload.Freeze(workload.Spec{
		Set: set, Slices: e.Pairs, PerSlice: e.NumPrompts, Warmups: e.Warmups, Rate: e.RequestRate, Burstiness: e.Burstiness,
		MaxTokens: e.MaxTokens, IgnoreEOS: e.IgnoreEOS, Seed: e.Seed, Model: e.Model,
	})
	if err != nil {
		return plan, usageError{err}
	}
	for _, v := range variants {
		server := &variant.Builtin{
			Name: v.Name, Program: exe, Model: e.Model, PosEmbed: v.Mode, Threads: e.ServerThreads,
			Port: port, Delay: v.InjectDelay, Log: filepath.Join(out, "server_"+v.Name+".log"),
		}
		v.Argv = server.Argv()
		plan.Arms = append(plan.Arms, experiment.Arm{Variant: v, Server: server})
	}
	if e.EarlyStop {
		plan.Enough = enough
	}
	return plan, nil
}

// enough looks at a run that may stop early.
func enough(run record.Run) bool {
	pairs := run.Manifest.Blocks[len(run.Manifest.Blocks)-1].Pair + 1
	if !compare.IsLook(pairs, len(run.Manifest.Variants)) {
		return false
	}
	run.Manifest.Stopped = compare.StoppedDecided // what is asked: would it be?
	comparison, err := compare.Analyse(run)
	return err == nil && comparison.Decided()
}

func (c *benchCmd) experiment(variants int) record.Experiment {
	order := "AB/BA"
	if variants > 2 {
		order = "Williams"
	}
	threads := c.Threads
	if threads == 0 {
		threads = max(1, runtime.NumCPU()-1) // one core stays free for the client
	}
	return record.Experiment{
		Model: c.Model, Dataset: c.Dataset, Reencode: c.Reencode, MaxSkipped: c.MaxSkipped, RequestRate: c.RequestRate, Burstiness: 1, NumPrompts: c.NumPrompts, Pairs: c.Pairs,
		MaxTokens: c.MaxTokens, IgnoreEOS: true, Seed: c.Seed, Warmups: c.Warmups, Restart: "each-block", Order: order,
		Caches: "off", Timeout: c.Timeout, IdleTimeout: c.IdleTimeout, Equivalence: c.Equivalence, Alpha: c.Alpha, Primaries: c.Primary, ServerThreads: threads, EarlyStop: c.EarlyStop, AA: c.AA,
	}
}
