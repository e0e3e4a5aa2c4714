package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/results"
	"siglab/bench/runlog"
	"siglab/bench/sweep"
	"siglab/internal/secret"
)

type sweepCmd struct {
	Over []string `sep:"none" placeholder:"KEY=V,V,…" help:"A key of the experiment file and the values that it takes, such as load.request_rate=5,10,20; repeat for all combinations (image_size=384,512,1024)."`

	benchCmd
}

// Run measures every point in a run directory of its own, within the sweep's, and puts
// them side by side. The same command again, or --resume, goes on where it ended.
func (c *sweepCmd) Run(ctx context.Context, line *kong.Context) error {
	s, err := c.begin(line)
	if err != nil {
		return err
	}
	commands, err := s.commands()
	if err != nil {
		return err
	}
	// Every point is planned before the first is measured: what cannot be done is
	// told now.
	for i, command := range commands {
		plan, err := command.plan(ctx)
		if err != nil {
			return fmt.Errorf("point %s: %w", s.points[i], err)
		}
		if c.DryRun {
			fmt.Printf("point %d of %d: %s\n", i+1, len(commands), s.points[i])
			if err := dryRun(os.Stdout, plan, command.Out); err != nil {
				return err
			}
		}
	}
	if c.DryRun {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	for i, command := range commands {
		fmt.Fprintf(os.Stderr, "siglab: point %d of %d: %s\n", i+1, len(commands), s.points[i])
		if err := command.measurePoint(ctx); err != nil {
			return fmt.Errorf("point %s: %w", s.points[i], err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted at point %s; `siglab sweep --resume %s` goes on", s.points[i], s.dir)
		}
	}
	return c.publishSweep(s.dir)
}

// begun is a sweep whose plan is fixed.
type begun struct {
	dir    string
	plan   sweep.Plan
	points []sweep.Point
	args   []string // that every point's command line has
	file   []byte   // the experiment file, nil without one
	fresh  bool     // nothing of it is there yet
}

// begin fixes the plan: of this command line, or of the sweep that is gone on with.
func (c *sweepCmd) begin(line *kong.Context) (*begun, error) {
	if c.PrintConfig || c.JUnit != "" || c.Annotations {
		return nil, usagef("--print-config, --junit and --annotations are of one experiment: give them to `siglab bench`, or to `siglab report` with the directory of a point")
	}
	if c.Resume != "" {
		return c.resumeSweep()
	}
	s := &begun{dir: c.Out, args: line.Args}
	if s.dir == "" {
		s.dir = "sweep_" + time.Now().Format("20060102_150405")
	}
	s.dir = filepath.Clean(s.dir)
	over := c.Over
	if len(over) == 0 {
		over = []string{"image_size=384,512,1024"}
	}
	s.plan = sweep.Plan{Version: sweep.PlanVersion, Args: secret.HideIn(line.Args)}
	for _, text := range over {
		axis, err := sweep.ParseAxis(text)
		if err != nil {
			return nil, usagef("--over %w", err)
		}
		s.plan.Axes = append(s.plan.Axes, axis)
	}
	if err := s.readFile(string(c.File)); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.lay()
}

// resumeSweep takes the plan from the directory.
func (c *sweepCmd) resumeSweep() (*begun, error) {
	dir := filepath.Clean(c.Resume)
	plan, err := results.ReadSweepPlan(dir)
	if err != nil {
		return nil, usagef("--resume: %w", err)
	}
	if hasHidden(record.Variant{Argv: plan.Args}) {
		return nil, usagef("--resume %s: its command line had a secret, which is not recorded; give the same command again, with --out %s", dir, dir)
	}
	s := &begun{dir: dir, args: plan.Args, plan: sweep.Plan{Version: plan.Version, Args: plan.Args, Axes: plan.Axes}}
	var again sweepLine
	parser, err := newPointParser(&again, noFlags)
	if err == nil {
		_, err = parser.Parse(s.args)
	}
	if err != nil {
		return nil, usagef("--resume %s: %w", dir, err)
	}
	if err := s.readFile(string(again.Sweep.File)); err != nil {
		return nil, err
	}
	if err := plan.Check(s.plan); err != nil {
		return nil, usagef("--resume %s: %w", dir, err)
	}
	return s, s.lay()
}

// check compares the plan with that of a sweep which the directory holds already.
func (s *begun) check() error {
	if !results.IsSweep(s.dir) {
		entries, err := os.ReadDir(s.dir)
		if s.fresh = true; err == nil && len(entries) > 0 {
			return usagef("--out %s is not empty and holds no sweep; name another", s.dir)
		}
		return nil
	}
	before, err := results.ReadSweepPlan(s.dir)
	if err == nil {
		err = before.Check(s.plan)
	}
	if err != nil {
		return usagef("--out %s: %w; name another directory", s.dir, err)
	}
	return nil
}

// lay makes the points.
func (s *begun) lay() (err error) {
	if s.points, err = sweep.Points(s.plan.Axes); err != nil {
		return usagef("--over: %w", err)
	}
	return nil
}

// open writes the plan down.
func (s *begun) open() error {
	if !s.fresh {
		return nil
	}
	return results.WriteSweepPlan(s.dir, s.plan)
}

// measurePoint measures what is not there yet of one point.
func (c *benchCmd) measurePoint(ctx context.Context) error {
	m, err := runlog.ReadManifest(c.Out)
	if _, missing := os.Stat(filepath.Join(c.Out, runlog.ManifestFile)); errors.Is(missing, os.ErrNotExist) {
		// Killed before it began, if it is there at all: it holds nothing yet.
		if err := os.RemoveAll(c.Out); err != nil {
			return err
		}
		return c.startPoint(ctx)
	}
	switch {
	case err != nil:
		return err
	case finished(m):
		fmt.Fprintf(os.Stderr, "siglab: %s is there already\n", c.Out)
		return nil
	}
	c.Resume = c.Out
	log, earlier, err := runlog.Resume(c.Out)
	if err != nil {
		return usageError{err}
	}
	plan, err := c.planAgain(ctx, earlier.Manifest, c.Out)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	_, err = c.record(ctx, plan, log, len(experiment.CompletePairs(earlier)), func(progress func(experiment.Event)) (record.Manifest, error) {
		return experiment.Resume(ctx, plan, earlier, log, progress)
	})
	return err
}

// startPoint measures a point from its beginning.
func (c *benchCmd) startPoint(ctx context.Context) error {
	plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	if c.Calibrate {
		plan.Calibration = calibrated(ctx, plan)
	}
	log, err := runlog.Create(c.Out)
	if err != nil {
		return usageError{err}
	}
	_, err = c.record(ctx, plan, log, 0, func(progress func(experiment.Event)) (record.Manifest, error) {
		return experiment.Run(ctx, plan, log, progress)
	})
	return errors.Join(err, c.save(c.Out))
}

// publishSweep computes the results of a sweep, writes them into its directory and
// prints them.
func (f outputFlags) publishSweep(dir string) error {
	failOn, err := f.failVerdicts()
	if err != nil {
		return err
	}
	r, err := results.WriteSweep(dir)
	if err != nil {
		return err
	}
	if f.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(sweep.JSON(r))
	} else {
		err = sweep.Text(os.Stdout, r)
	}
	if err != nil {
		return err
	}
	if n := r.Incomplete(); n > 0 {
		return fmt.Errorf("%d of %d points: %w", n, len(r.Reports), errNotValid)
	}
	for _, report := range r.Reports {
		if err := regression(report.Comparison, failOn); err != nil {
			return fmt.Errorf("point %s: %w", report, err)
		}
	}
	return nil
}
