// Package results makes everything that can be computed from a run directory and
// writes it there: the comparison in all its forms, and the files of `vllm bench
// serve` under the names that its users expect.
//
// It reads nothing but the run directory, so a result can be made again later,
// elsewhere.
package results

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/report"
	"siglab/bench/runlog"
	"siglab/bench/vllmbench"
)

// Write analyses the run in dir and writes its results: comparison.json,
// comparison.md, comparison.csv, report.html and, for each variant NAME,
// benchmark_NAME.txt, NAME_benchmark.json and gpu_NAME.csv, without a GPU cpu_NAME.csv.
func Write(dir string) (*compare.Comparison, error) {
	// Most of what is read is kept to the end, so that a heap of twice its size would
	// be garbage by half: collect more often than by default.
	defer debug.SetGCPercent(debug.SetGCPercent(15))
	run, err := runlog.Read(dir)
	if err != nil {
		return nil, err
	}
	if err := checkNames(run.Manifest.Variants); err != nil {
		return nil, fmt.Errorf("analyse %s: %w", dir, err)
	}
	c, err := compare.Analyse(run)
	if err != nil {
		return nil, fmt.Errorf("analyse %s: %w", dir, err)
	}
	shown := Details(dir, c)
	files := map[string]func(io.Writer) error{
		"comparison.json": func(w io.Writer) error { return encode(w, Document(dir, c)) },
		"comparison.md":   func(w io.Writer) error { return report.Markdown(w, dir, c) },
		"comparison.csv":  func(w io.Writer) error { return report.CSV(w, c) },
		"report.html":     func(w io.Writer) error { return report.HTML(w, dir, c, shown) },
	}
	if err := writeFiles(dir, files); err != nil {
		return nil, err
	}
	for _, v := range run.Manifest.Variants { // one at a time: each is as large as its requests
		result := vllmResult(run, v.Name)
		files := map[string]func(io.Writer) error{
			"benchmark_" + v.Name + ".txt": func(w io.Writer) error { return vllmbench.WriteText(w, result) },
			v.Name + "_benchmark.json":     func(w io.Writer) error { return vllmbench.WriteJSON(w, result) },
		}
		if len(run.Manifest.Instruments.GPUs) > 0 {
			files["gpu_"+v.Name+".csv"] = func(w io.Writer) error { return writeGPUs(w, run, v.Name) }
		} else {
			files["cpu_"+v.Name+".csv"] = func(w io.Writer) error { return writeCPU(w, run, v.Name) }
		}
		if err := writeFiles(dir, files); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkNames refuses names of variants that would lead their files elsewhere: a run
// directory may come from anybody.
func checkNames(variants []record.Variant) error {
	for _, v := range variants {
		if v.Name == "" || strings.ContainsAny(v.Name, "/\\:\x00") || !filepath.IsLocal(v.Name) {
			return fmt.Errorf("the variant's name %q cannot be part of a file's name", v.Name)
		}
	}
	return nil
}

// writeFiles writes whole files into a run directory.
func writeFiles(dir string, files map[string]func(io.Writer) error) error {
	for name, write := range files {
		if err := runlog.WriteFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

// Document is the comparison as a value for JSON.
func Document(dir string, c *compare.Comparison) any { return report.JSON(dir, c) }

// Text prints the comparison for a terminal. Of one variant there is none: then it is
// the block of `vllm bench serve`, and what there is to say about it.
func Text(w io.Writer, dir string, c *compare.Comparison) error {
	if len(c.Manifest.Variants) == 1 {
		block, err := os.ReadFile(filepath.Join(dir, "benchmark_"+c.Manifest.Variants[0].Name+".txt"))
		if err != nil {
			return err
		}
		if _, err := w.Write(append(block, '\n')); err != nil {
			return err
		}
	}
	return report.Text(w, dir, c)
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// vllmResult is what `vllm bench serve` would have said of all blocks of a variant
// together: requests concatenated, durations added up. A block ends with the last event, however
// long a stalled answer was waited for.
func vllmResult(run record.Run, name string) vllmbench.Result {
	o := vllmOptions(run.Manifest, name)
	ofBlock := map[int][]*record.Observation{}
	for i := range run.Observations {
		seen := &run.Observations[i]
		ofBlock[seen.Block] = append(ofBlock[seen.Block], seen)
	}
	counted := map[int]bool{}
	requests := 0
	for _, b := range run.Manifest.Blocks {
		if b.Variant == name && b.Void == "" {
			counted[b.ID] = true
			requests += b.Requests
			o.NumPrompts += b.Requests
			o.Duration += b.End - b.Start - waitedInVain(ofBlock[b.ID])
		}
	}
	observations := make([]record.Observation, 0, max(0, min(requests, len(run.Observations))))
	for _, seen := range run.Observations {
		if counted[seen.Block] {
			observations = append(observations, seen)
		}
	}
	return vllmbench.Compute(observations, o)
}

// waitedInVain is for how long after everything else was over the block waited for
// requests that then failed: the length of our own time-outs, which vLLM's client
// (it waits for hours) has in its duration and its rates.
func waitedInVain(observations []*record.Observation) time.Duration {
	var over, ended time.Duration
	for _, o := range observations {
		over, ended = max(over, o.Over()), max(ended, o.End, o.LastToken)
	}
	return ended - over
}

// vllmOptions are the settings that the files of a variant name.
func vllmOptions(m record.Manifest, name string) vllmbench.Options {
	e, file := m.Experiment, m.Experiment.ResultFile
	o := vllmbench.Options{
		Date: m.Started, Model: e.Model, Label: name, Backend: e.Backend, EndpointType: e.Backend,
		RequestRate: e.RequestRate, Burstiness: e.Burstiness, MaxConcurrency: e.MaxConcurrency,
		Sections: file.Sections, Percentiles: file.Percentiles,
	}
	if file.Label != "" {
		o.Label = file.Label
	}
	if e.Burstiness == 0 {
		o.Burstiness = math.Inf(1)
	}
	if e.Ramp != nil {
		o.Ramp = &vllmbench.Ramp{Strategy: e.Ramp.Strategy, StartRPS: e.Ramp.StartRPS, EndRPS: e.Ramp.EndRPS}
	}
	for _, pair := range file.Metadata {
		o.Metadata = append(o.Metadata, vllmbench.Meta{Key: pair[0], Value: pair[1]})
	}
	limit := func(key string) time.Duration { return time.Duration(file.Goodput[key] * float64(time.Millisecond)) }
	o.Goodput = vllmbench.Goodput{TTFT: limit("ttft"), TPOT: limit("tpot"), E2EL: limit("e2el")}
	return o
}
