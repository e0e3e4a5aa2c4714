package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"siglab/bench/report"
	"siglab/bench/vllmbench"
)

type compareCmd struct {
	Baseline  string `arg:"" help:"Result file of the baseline: text log or JSON of 'vllm bench serve'."`
	Candidate string `arg:"" help:"Result file of the candidate."`
	JSON      bool   `name:"json" help:"Print the comparison as JSON."`
}

// Run prints both results side by side, without a verdict: one run per arm gives
// no estimate of noise.
func (c *compareCmd) Run() error {
	baseline, err := readLog(c.Baseline)
	if err != nil {
		return err
	}
	candidate, err := readLog(c.Candidate)
	if err != nil {
		return err
	}
	side := report.SideBySide(baseline, candidate)
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(side)
	}
	return side.Text(os.Stdout)
}

// mostLog bounds what is read of a file that is not a result.
const mostLog = 256 << 20

// readLog reads a text log or a JSON result, whichever the file is.
func readLog(path string) (vllmbench.Log, error) {
	var log vllmbench.Log
	info, err := os.Stat(path)
	if err != nil {
		return log, fmt.Errorf("compare: %w", err)
	}
	if info.IsDir() {
		return log, fmt.Errorf("compare: %s is a directory; name its benchmark_NAME.txt files, or use `siglab report %s`", path, path)
	}
	if info.Size() > mostLog {
		return log, fmt.Errorf("compare: %s has %d bytes, too many for a result (%d at most)", path, info.Size(), mostLog)
	}
	f, err := os.Open(path)
	if err != nil {
		return log, fmt.Errorf("compare: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	log, err = vllmbench.Parse(io.LimitReader(f, mostLog))
	if err != nil {
		return log, fmt.Errorf("compare: %s: %w", path, err)
	}
	log.Source = path
	return log, nil
}
