package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"siglab/bench/peerfiles"
	"siglab/bench/report"
	"siglab/bench/sidebyside"
)

type compareCmd struct {
	Files     []string `arg:"" optional:"" sep:"none" help:"Two results, the baseline's and the candidate's: files of vllm bench serve (text, JSON) or vllm-bench, SGLang, guidellm, AIPerf, GenAI-Perf, inference-perf, llmperf; FILE#2 is the second result of a file. Or two run directories; DIR#NAME is one variant."`
	Baseline  []string `placeholder:"FILE,…" help:"Results of the baseline; repeats give an interval."`
	Candidate []string `placeholder:"FILE,…" help:"Results of the candidate."`
	Paired    bool     `help:"Run i of both sides belongs together (made side by side): pair them by order."`
	Floor     float64  `name:"noise-floor" placeholder:"PERCENT" help:"Effects no larger than this are noise, as runs of one thing against itself have shown."`
	Format    string   `enum:"text,markdown,csv,json,benchstat" default:"text" help:"text, markdown, csv, json, or benchstat (Go's benchmark format)."`
	JSON      bool     `name:"json" help:"The same as --format json."`
}

// Run reads both sides, compares them, and prints the comparison. One run per side
// has no verdict: it gives no estimate of noise.
func (c *compareCmd) Run() error {
	if !(c.Floor >= 0 && c.Floor < 100) {
		return usagef("compare: --noise-floor %g is no percentage of 0 to 100", c.Floor)
	}
	sides, err := c.sides()
	if err != nil {
		return err
	}
	pairs, err := c.pairUp(sides)
	if err != nil {
		return err
	}
	var comparisons []*sidebyside.Comparison
	for _, p := range pairs {
		comparison, err := sidebyside.Compare(p.baseline, p.candidate, sidebyside.Options{Variant: p.variant, Paired: c.Paired, NoiseFloor: c.Floor / 100})
		if err != nil {
			return usageError{fmt.Errorf("compare: %w", err)}
		}
		comparisons = append(comparisons, comparison)
	}
	return c.print(comparisons)
}

// sides are the paths of the baseline and the candidate.
func (c *compareCmd) sides() ([2][]string, error) {
	flags := len(c.Baseline) + len(c.Candidate)
	switch {
	case flags > 0 && len(c.Files) > 0:
		return [2][]string{}, usagef("compare: give files, or --baseline and --candidate, not both")
	case flags > 0 && (len(c.Baseline) == 0 || len(c.Candidate) == 0):
		return [2][]string{}, usagef("compare: both --baseline and --candidate need a file")
	case flags > 0:
		return [2][]string{c.Baseline, c.Candidate}, nil
	case len(c.Files) == 1 && isRunDir(c.Files[0]):
		return [2][]string{}, usagef("compare: %s is one run directory, which has its comparison in itself: `siglab report %s`", c.Files[0], c.Files[0])
	case len(c.Files) != 2:
		return [2][]string{}, usagef("compare: %d files given, two needed; for repeats: --baseline a1,a2,a3 --candidate b1,b2,b3", len(c.Files))
	}
	return [2][]string{c.Files[:1], c.Files[1:]}, nil
}

// armPair is what is compared: the runs of both sides, under the name of a variant
// where they come from run directories.
type armPair struct {
	variant             string
	baseline, candidate []peerfiles.Result
}

// pairUp reads the files, or finds the variants that two run directories share.
func (c *compareCmd) pairUp(sides [2][]string) ([]armPair, error) {
	dirs, files := 0, 0
	for _, path := range append(append([]string{}, sides[0]...), sides[1]...) {
		if isRunDir(path) {
			dirs++
		} else {
			files++
		}
	}
	switch {
	case dirs > 0 && files > 0:
		return nil, usagef("compare: a run directory can only be compared with another one; name its benchmark_NAME.txt or NAME_benchmark.json to compare with files")
	case dirs > 0:
		return pairVariants(sides)
	}
	var results [2][]peerfiles.Result
	for i, paths := range sides {
		for _, path := range paths {
			found, err := peerfiles.Open(path)
			if err == nil {
				err = alike(path, found)
			}
			if err != nil {
				return nil, fmt.Errorf("compare: %w", err)
			}
			results[i] = append(results[i], found...)
		}
	}
	return []armPair{{baseline: results[0], candidate: results[1]}}, nil
}

// alike refuses to take the results of one file for repeats if their load differs.
func alike(path string, results []peerfiles.Result) error {
	load := func(r peerfiles.Result) string {
		text := ""
		for _, key := range []string{"request_rate", "max_concurrency"} {
			if v, ok := r.Get(key); ok {
				text += fmt.Sprintf(" %s %g", key, v)
			}
		}
		return text
	}
	same, list := true, ""
	for _, r := range results {
		same = same && load(r) == load(results[0])
		list += fmt.Sprintf("\n  %s:%s", r.Source, load(r))
	}
	if same {
		return nil
	}
	return fmt.Errorf("%s holds %d results of different load; name the one to take:%s", path, len(results), list)
}

func (c *compareCmd) print(comparisons []*sidebyside.Comparison) error {
	if c.JSON {
		c.Format = "json"
	}
	switch c.Format {
	case "json":
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report.SideJSON(comparisons))
	case "csv":
		return report.SideCSV(os.Stdout, comparisons)
	case "benchstat":
		return report.SideBenchstat(os.Stdout, comparisons)
	}
	write := report.SideText
	if c.Format == "markdown" {
		write = report.SideMarkdown
	}
	var failed error
	for i, comparison := range comparisons {
		if i > 0 {
			fmt.Println()
		}
		failed = errors.Join(failed, write(os.Stdout, comparison))
	}
	return failed
}
