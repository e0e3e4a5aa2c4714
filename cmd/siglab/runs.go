package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"siglab/bench/history"
)

type runsCmd struct {
	List    runsListCmd    `cmd:"" help:"List past runs."`
	Compare runsCompareCmd `cmd:"" help:"Compare two past runs."`
	Trend   runsTrendCmd   `cmd:"" help:"Follow one metric of one experiment over its runs, and find where its level changes."`
	Import  runsImportCmd  `cmd:"" help:"Keep what run directories say in a SQLite file; what it has already is not kept twice."`
}

// historyFlags say where past runs are.
type historyFlags struct {
	In   string `name:"in" default:"." placeholder:"DIR|FILE" help:"Directory of run directories, or SQLite file of imported runs (${default})."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// runs reads all past runs, and tells of those that cannot be read.
func (f historyFlags) runs(ctx context.Context) (runs []history.Run, err error) {
	if info, err := os.Stat(f.In); err == nil && !info.IsDir() {
		store, err := history.Open(ctx, f.In)
		if err != nil {
			return nil, usageError{err}
		}
		runs, err := store.Runs(ctx)
		return runs, errors.Join(err, store.Close())
	}
	runs, problems, err := history.Scan(f.In)
	tell(problems)
	if err != nil {
		return nil, usageError{err}
	}
	return runs, nil
}

func tell(problems []error) {
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, "siglab: left out:", problem)
	}
}

type runsListCmd struct {
	historyFlags
	Since   string `placeholder:"WHEN" help:"Only runs since a date (2026-03-01), or of the last days or hours (7d, 12h)."`
	Model   string `placeholder:"NAME" help:"Only runs whose model has this in its name."`
	Variant string `placeholder:"NAME" help:"Only runs with this variant."`
	Verdict string `placeholder:"VERDICT" help:"Only runs with this verdict in a primary metric: faster, slower, equivalent, inconclusive; or invalid."`
}

// Run lists the runs that pass the filter, the oldest first.
func (c *runsListCmd) Run(ctx context.Context) error {
	since, err := parseSince(c.Since, time.Now())
	if err != nil {
		return err
	}
	switch c.Verdict {
	case "", "faster", "slower", "equivalent", "inconclusive", "invalid":
	default:
		return usagef("--verdict %s: it is faster, slower, equivalent, inconclusive or invalid", c.Verdict)
	}
	runs, err := c.runs(ctx)
	if err != nil {
		return err
	}
	runs = history.Select(runs, history.Filter{Since: since, Model: c.Model, Variant: c.Variant, Verdict: c.Verdict})
	if c.JSON {
		return printJSON(append([]history.Run{}, runs...))
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tstarted\texperiment\tmodel\tload\tvariants\tpairs\tverdicts\tdirectory")
	for _, r := range runs {
		verdicts := strings.Join(r.Verdicts(), ", ")
		if !r.Valid {
			verdicts = "not valid (" + r.Stopped + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.ID, r.Started.Format("2006-01-02 15:04"), r.Experiment, r.Model, r.Load, strings.Join(r.Variants, ", "), r.Pairs, verdicts, r.Dir)
	}
	return table.Flush()
}

// parseSince reads a date, a time, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, usagef("--since %s: write a date such as 2026-03-01, or how long ago, such as 7d or 12h", text)
}

type runsCompareCmd struct {
	historyFlags
	A string `arg:"" help:"Run that is compared with: its directory, or the beginning of its id."`
	B string `arg:"" help:"Run that is compared."`
}

// Run compares the blocks of two runs where both directories are still there, else
// what is kept of them, which allows no verdict.
func (c *runsCompareCmd) Run(ctx context.Context) error {
	runs, err := c.runs(ctx)
	if err != nil {
		return err
	}
	var two [2]history.Run
	for i, name := range []string{c.A, c.B} {
		if two[i], err = history.Find(runs, name); err != nil {
			return usageError{err}
		}
	}
	a, b := two[0], two[1]
	if isRunDir(a.Dir) && isRunDir(b.Dir) {
		compare := compareCmd{Files: []string{a.Dir, b.Dir}, Format: "text", JSON: c.JSON}
		return compare.Run()
	}
	fmt.Fprintf(os.Stderr, "siglab: the directories of both runs (%s, %s) are not there, so this is what is kept of them, without a test of the difference\n", a.Dir, b.Dir)
	if a.Experiment != b.Experiment {
		fmt.Fprintf(os.Stderr, "siglab: warning: these are different experiments (%s, %s): %s against %s\n", a.Experiment, b.Experiment, a.Load, b.Load)
	}
	rows := history.SideBySide(a, b)
	if c.JSON {
		return printJSON(rows)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "metric\tvariant\t%s\t%s\tchange\n", a.ID, b.ID)
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%.4g %s\t%.4g %s\t%+.1f %%\n", r.Metric, r.Variant, r.A, r.Unit, r.B, r.Unit, r.Change)
	}
	return table.Flush()
}

type runsTrendCmd struct {
	historyFlags
	Key        string `arg:"" help:"Metric, such as median_ttft_ms."`
	Variant    string `placeholder:"NAME" help:"Variant whose value is followed (the baseline)."`
	Change     bool   `help:"Follow the candidate's change against the baseline in percent, which the machine's own drift does not touch."`
	Experiment string `placeholder:"ID" help:"Experiment, by the beginning of its id in runs list (that of the newest run)."`
}

// Run prints the metric run by run, and where its level changes.
func (c *runsTrendCmd) Run(ctx context.Context) error {
	runs, err := c.runs(ctx)
	if err != nil {
		return err
	}
	t, err := history.Follow(runs, history.Question{Metric: c.Key, Variant: c.Variant, Experiment: c.Experiment, Change: c.Change})
	if err != nil {
		return usageError{err}
	}
	if c.JSON {
		return printJSON(t)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "started\tid\tsiglab\t%s of %s\tlevel\n", t.Metric, t.Variant)
	next := 0
	for i, p := range t.Points {
		level := ""
		if next < len(t.Steps) && t.Steps[next].At == i {
			s := t.Steps[next]
			level = fmt.Sprintf("changes: %.4g to %.4g %s (%+.1f %%, p = %.3f)", s.Before, s.After, t.Unit, s.Percent, s.P)
			next++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.4g %s\t%s\n", p.Run.Started.Format("2006-01-02 15:04"), p.Run.ID, p.Run.Siglab, p.Value, t.Unit, level)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Printf("experiment %s: %d runs, %d changes of level (E-divisive, 5 %%), %d left out as not valid or without a value\n", t.Experiment, len(t.Points), len(t.Steps), t.Skipped)
	return nil
}

type runsImportCmd struct {
	Dirs []string `arg:"" name:"dir" help:"Run directories, or directories that hold some."`
	In   string   `name:"in" default:"runs.sqlite" placeholder:"FILE" help:"SQLite file, made if it is not there (${default})."`
	JSON bool     `name:"json" help:"Print JSON."`
}

// Run keeps every run of the directories. Each is kept in a transaction of its own, so
// that an end at any moment loses none that was counted.
func (c *runsImportCmd) Run(ctx context.Context) (err error) {
	store, err := history.Open(ctx, c.In)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	result := struct {
		New   int      `json:"new"`
		Known int      `json:"known"`
		Left  []string `json:"left_out"`
	}{Left: []string{}}
	for _, dir := range c.Dirs {
		runs, problems, err := history.Scan(dir)
		if err != nil {
			return usageError{err}
		}
		tell(problems)
		for _, problem := range problems {
			result.Left = append(result.Left, problem.Error())
		}
		if len(runs)+len(problems) == 0 {
			return usagef("%s holds no run directory, to a depth of three", dir)
		}
		for _, r := range runs {
			if abs, err := filepath.Abs(r.Dir); err == nil {
				r.Dir = filepath.ToSlash(abs)
			}
			changed, err := store.Put(ctx, r)
			if err != nil {
				return err
			}
			if changed {
				result.New++
			} else {
				result.Known++
			}
		}
	}
	if c.JSON {
		return printJSON(result)
	}
	fmt.Printf("%s: %d runs are new or went on, %d were there, %d left out\n", c.In, result.New, result.Known, len(result.Left))
	return nil
}
