package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/report"
	"siglab/bench/results"
	"siglab/bench/runlog"
)

// outputFlags say where a result goes and what makes it a failure.
type outputFlags struct {
	JSON        bool     `name:"json" help:"Print the result as JSON."`
	FailOn      []string `name:"fail-on" placeholder:"VERDICT" help:"End with code 3 if a primary metric gets one of these verdicts: slower, inconclusive."`
	JUnit       string   `name:"junit" placeholder:"FILE" help:"Write gates and primary metrics as JUnit test cases."`
	Annotations bool     `name:"annotations" help:"Print GitHub's workflow commands to standard error, for annotations of a pull request."`
}

// errRegression ends a run with a verdict that --fail-on names.
var errRegression = errors.New("regression")

// failVerdicts checks --fail-on.
func (f outputFlags) failVerdicts() ([]compare.Verdict, error) {
	known := []compare.Verdict{compare.Slower, compare.Inconclusive}
	var verdicts []compare.Verdict
	for _, name := range f.FailOn {
		v := compare.Verdict(name)
		if !slices.Contains(known, v) {
			return nil, usagef("--fail-on %s: a verdict to fail on is slower or inconclusive", name)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// publish computes the results of a run directory, writes them into it and
// prints them.
func (f outputFlags) publish(dir string) error {
	if f.JSON {
		return f.publishAs("json", dir)
	}
	return f.publishAs("text", dir)
}

// publishAs is publish with a choice of what is printed.
func (f outputFlags) publishAs(format, dir string) error {
	failOn, err := f.failVerdicts()
	if err != nil {
		return err
	}
	comparison, err := results.Write(dir)
	if err != nil {
		return err
	}
	err = printResult(os.Stdout, format, dir, comparison)
	if err == nil && f.JUnit != "" {
		err = runlog.WriteFile(f.JUnit, func(w io.Writer) error { return report.JUnit(w, comparison, failOn) })
	}
	if err == nil && f.Annotations {
		err = report.Annotations(os.Stderr, comparison, failOn)
	}
	switch {
	case err != nil:
		return err
	case !comparison.Valid && !describesOne(comparison):
		return errNotValid
	}
	return regression(comparison, failOn)
}

// printResult writes a comparison in one of its forms.
func printResult(w io.Writer, format, dir string, c *compare.Comparison) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(results.Document(dir, c))
	case "markdown":
		return report.Markdown(w, dir, c)
	case "csv":
		return report.CSV(w, c)
	case "benchstat":
		return report.Benchstat(w, c)
	case "html":
		return report.HTML(w, dir, c, results.Details(dir, c))
	}
	return results.Text(w, dir, c)
}

// describesOne reports whether a run of one variant came to its end: there is no verdict
// that a gate could take away, so its gates are only told.
func describesOne(c *compare.Comparison) bool {
	return len(c.Manifest.Variants) == 1 && finished(c.Manifest)
}

// regression is errRegression with the metrics whose verdicts are to fail, nil if
// there are none.
func regression(c *compare.Comparison, failOn []compare.Verdict) error {
	var found []string
	for _, m := range c.Metrics {
		if m.Primary && slices.Contains(failOn, m.Verdict) {
			found = append(found, fmt.Sprintf("%s of %s is %s", m.Metric, m.Variant, m.Verdict))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errRegression, strings.Join(found, ", "))
}
