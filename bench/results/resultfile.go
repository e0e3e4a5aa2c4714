package results

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/vllmbench"
)

// Destination is where `vllm bench serve` would leave its result.
type Destination struct {
	Dir    string // "": the working directory
	Name   string // "": as that tool names it
	Append bool   // one JSON object a line, after those that are there
	Detail vllmbench.Detail
}

// Save writes the result of each variant of the run in dir to a file as `vllm bench
// serve --save-result` does, and returns their names.
func Save(dir string, to Destination) ([]string, error) {
	run, err := runlog.Read(dir)
	if err != nil {
		return nil, err
	}
	if to.Dir != "" {
		if err := os.MkdirAll(to.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("result directory: %w", err)
		}
	}
	var names []string
	for _, v := range run.Manifest.Variants {
		result := vllmResult(run, v.Name)
		name := to.Name
		if name == "" {
			name = resultName(run.Manifest.Experiment, result.Options)
		}
		name = filepath.Join(to.Dir, name)
		if err := saveOne(name, result, to); err != nil {
			return names, fmt.Errorf("save the result of variant %q: %w", v.Name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

func saveOne(name string, result vllmbench.Result, to Destination) error {
	write := func(w io.Writer) error { return vllmbench.WriteJSONWith(w, result, to.Detail) }
	if !to.Append {
		return runlog.WriteFile(name, write)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		_, err = f.WriteString("\n") // between objects, none after the last
	}
	if err == nil {
		err = write(f)
	}
	return errors.Join(err, f.Close())
}

// resultName is what vLLM calls a result that has no name.
func resultName(e record.Experiment, o vllmbench.Options) string {
	rate := "inf"
	if o.RequestRate > 0 {
		rate = pythonNumber(o.RequestRate)
	}
	load := rate + "qps"
	if o.Ramp != nil {
		load = fmt.Sprintf("ramp-up-%s-%gqps-%gqps", o.Ramp.Strategy, o.Ramp.StartRPS, o.Ramp.EndRPS)
	}
	concurrency := ""
	if e.MaxConcurrency > 0 {
		concurrency = fmt.Sprintf("-concurrency%d", e.MaxConcurrency)
	}
	model := path.Base(strings.ReplaceAll(o.Model, ":", "-")) // a colon is no part of a file name everywhere
	return fmt.Sprintf("%s-%s%s-%s-%s.json", o.Label, load, concurrency, model, o.Date.Format("20060102-150405"))
}

// pythonNumber prints a rate as Python prints the float.
func pythonNumber(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
