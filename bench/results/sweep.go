package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"siglab/bench/runlog"
	"siglab/bench/sweep"
)

// SweepPlanFile names what a sweep was asked for, in its directory.
const SweepPlanFile = "sweep-plan.json"

// IsSweep reports whether a directory holds a sweep.
func IsSweep(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, SweepPlanFile))
	return err == nil
}

// ReadSweepPlan reads what the sweep in dir was asked for.
func ReadSweepPlan(dir string) (sweep.Plan, error) {
	var p sweep.Plan
	data, err := os.ReadFile(filepath.Join(dir, SweepPlanFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("%s holds no sweep: it has no %s", dir, SweepPlanFile)
	}
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	switch {
	case err != nil:
		return p, fmt.Errorf("read sweep: %s: %w", filepath.Join(dir, SweepPlanFile), err)
	case p.Version != sweep.PlanVersion:
		return p, fmt.Errorf("read sweep: %s has version %d and this siglab reads version %d", SweepPlanFile, p.Version, sweep.PlanVersion)
	}
	return p, nil
}

// WriteSweepPlan begins a sweep's directory.
func WriteSweepPlan(dir string, p sweep.Plan) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("sweep directory: %w", err)
	}
	return runlog.WriteFile(filepath.Join(dir, SweepPlanFile), func(w io.Writer) error { return encode(w, p) })
}

// WriteSweep makes the results of every point of the sweep in dir, and those of the
// whole: sweep.json, sweep.md and sweep.html. Points that were not measured yet are
// named as missing.
func WriteSweep(dir string) (sweep.Result, error) {
	plan, err := ReadSweepPlan(dir)
	if err != nil {
		return sweep.Result{}, err
	}
	points, err := sweep.Points(plan.Axes)
	if err != nil {
		return sweep.Result{}, fmt.Errorf("read sweep: %w", err)
	}
	r := sweep.Result{Axes: plan.Axes}
	for _, p := range points {
		report := sweep.Report{Point: p, RunDir: p.Dir()}
		runDir := filepath.Join(dir, report.RunDir)
		if _, err := os.Stat(filepath.Join(runDir, runlog.ManifestFile)); err != nil {
			report.Missing = "not measured yet"
		} else if report.Comparison, err = Write(runDir); err != nil {
			report.Missing = err.Error()
		}
		r.Reports = append(r.Reports, report)
	}
	for name, write := range map[string]func(io.Writer) error{
		"sweep.json": func(w io.Writer) error { return encode(w, sweep.JSON(r)) },
		"sweep.md":   func(w io.Writer) error { return sweep.Markdown(w, r) },
		"sweep.html": func(w io.Writer) error { return sweep.HTML(w, r) },
	} {
		if err := runlog.WriteFile(filepath.Join(dir, name), write); err != nil {
			return r, err
		}
	}
	return r, nil
}
