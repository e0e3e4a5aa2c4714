package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"siglab/bench/record"
	"siglab/bench/results"
	"siglab/bench/vllmbench"
)

// resultFlags say what the files of `vllm bench serve` hold and where one more of them
// goes. The run directory has its own in any case, in full detail.
type resultFlags struct {
	Goodput           words     `placeholder:"KEY:MS" help:"Latest ttft, tpot and e2el of a good request, such as ttft:200 tpot:50, for the goodput of the files."`
	PercentileMetrics []string  `name:"percentile-metrics" placeholder:"KEY" help:"Latencies of the files: ttft, tpot, itl, e2el, client_queue_time, e2el_including_client_queue (the first four)."`
	MetricPercentiles []float64 `name:"metric-percentiles" placeholder:"P" help:"Percentiles of the files (99)."`
	Label             string    `placeholder:"NAME" help:"Label in the files (the variant's name)."`
	Metadata          words     `placeholder:"K=V" help:"Pairs for the JSON file."`
	SaveResult        bool      `name:"save-result" help:"Also save the JSON under vLLM's name for it, in --result-dir."`
	SaveDetailed      bool      `name:"save-detailed" help:"With the single requests."`
	AppendResult      bool      `name:"append-result" help:"Append it to the file, one object a line."`
	ResultDir         string    `name:"result-dir" placeholder:"DIR" help:"Directory of the saved file."`
	ResultFilename    string    `name:"result-filename" placeholder:"FILE" help:"Name of the saved file."`
}

// saves reports whether a file is to be saved.
func (f *resultFlags) saves() bool {
	return f.SaveResult || f.SaveDetailed || f.AppendResult || f.ResultDir != "" || f.ResultFilename != ""
}

// fill tells an experiment what its files hold.
func (f *resultFlags) fill(e *record.Experiment, variants int) error {
	file := &e.ResultFile
	for _, text := range f.Goodput {
		for _, pair := range strings.Split(text, ",") {
			key, value, ok := strings.Cut(pair, ":")
			ms, err := strconv.ParseFloat(value, 64)
			if !ok || err != nil || !(ms > 0) || key != "ttft" && key != "tpot" && key != "e2el" {
				return usagef("--goodput %s: write ttft:MS, tpot:MS or e2el:MS", pair)
			}
			if file.Goodput == nil {
				file.Goodput = map[string]float64{}
			}
			file.Goodput[key] = ms
		}
	}
	if err := vllmbench.CheckSections(f.PercentileMetrics); err != nil {
		return usagef("--percentile-metrics: %w", err)
	}
	for _, p := range f.MetricPercentiles {
		if !(p >= 0 && p <= 100) {
			return usagef("--metric-percentiles %v: each is 0 to 100", p)
		}
	}
	for _, pair := range f.Metadata {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return usagef("--metadata %q: write KEY=VALUE", pair)
		}
		file.Metadata = append(file.Metadata, [2]string{key, value})
	}
	if f.ResultFilename != "" && variants > 1 && !f.AppendResult {
		return usagef("--result-filename %s: %d variants would write over each other; leave it out for one file each, or give --append-result", f.ResultFilename, variants)
	}
	file.Sections, file.Percentiles, file.Label = f.PercentileMetrics, f.MetricPercentiles, f.Label
	return nil
}

// save saves the files that were asked for.
func (f *resultFlags) save(dir string) error {
	if !f.saves() {
		return nil
	}
	to := results.Destination{Dir: f.ResultDir, Name: f.ResultFilename, Append: f.AppendResult, Detail: vllmbench.Brief}
	if f.SaveDetailed {
		to.Detail = vllmbench.Detailed
	}
	names, err := results.Save(dir, to)
	for _, name := range names {
		fmt.Fprintf(os.Stderr, "siglab: saved %s\n", name)
	}
	return err
}
