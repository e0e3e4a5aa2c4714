// Package configfile reads and writes experiment files: what `siglab bench` takes as
// flags, as YAML that can be kept beside the code under test.
//
//	model: random:tiny
//	variants:
//	  - {name: main, pos_embed: reference}
//	  - {name: optimized, pos_embed: bilinear}
//	load: {request_rate: 10, num_prompts: 100}
//	design: {pairs: 12}
//
// A file is read strictly: an unknown key is an error that names it and its line. What
// it leaves out has the flag's default, and a flag on the command line wins over it. A
// JSON Schema for editors is in doc/experiment.schema.json.
package configfile

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// File is an experiment file. A nil field was left out. The flag tag names the flag
// that says the same.
type File struct {
	Model    *string   `json:"model,omitempty" flag:"model" jsonschema:"model of the embedded server"`
	Dataset  *string   `json:"dataset,omitempty" flag:"dataset" jsonschema:"data set that requests are drawn from: a name or a path"`
	Variants []Variant `json:"variants,omitempty" jsonschema:"what is compared; the first is the baseline"`
	Load     *Load     `json:"load,omitempty" jsonschema:"what is sent"`
	Design   *Design   `json:"design,omitempty" jsonschema:"how often, and in which order"`
	Analysis *Analysis `json:"analysis,omitempty" jsonschema:"what counts as a difference"`
	Server   *Server   `json:"server,omitempty" jsonschema:"how the servers under test are started"`
	Output   *Output   `json:"output,omitempty" jsonschema:"where the result goes, and what makes it a failure"`
}

// Variant is one thing under test.
type Variant struct {
	Name        string `json:"name" jsonschema:"name in reports and file names"`
	PosEmbed    string `json:"pos_embed" jsonschema:"how the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias"`
	InjectDelay string `json:"inject_delay,omitempty" jsonschema:"positive control: hold up every request by this much, such as 20ms"`
}

// Load is what is sent.
type Load struct {
	RequestRate *float64 `json:"request_rate,omitempty" flag:"request-rate" jsonschema:"queries per second"`
	NumPrompts  *int     `json:"num_prompts,omitempty" flag:"num-prompts" jsonschema:"requests per block"`
	MaxTokens   *int     `json:"max_tokens,omitempty" flag:"max-tokens" jsonschema:"output tokens per request"`
	Warmups     *int     `json:"warmups,omitempty" flag:"warmups" jsonschema:"requests before each block that are not measured"`
	Timeout     *string  `json:"timeout,omitempty" flag:"timeout" jsonschema:"longest time for one answer, such as 60s"`
	IdleTimeout *string  `json:"idle_timeout,omitempty" flag:"idle-timeout" jsonschema:"longest time without a byte of an answer"`
	Reencode    *bool    `json:"dataset_reencode,omitempty" flag:"dataset-reencode" jsonschema:"send images as RGB JPEG of quality 75"`
	MaxSkipped  *float64 `json:"dataset_max_skipped,omitempty" flag:"dataset-max-skipped" jsonschema:"largest share of rows that cannot be used"`
}

// Design is how often blocks are measured, and in which order.
type Design struct {
	Pairs      *int    `json:"pairs,omitempty" flag:"pairs" jsonschema:"pairs, or rounds of more than two variants; 0 for the default"`
	Seed       *uint64 `json:"seed,omitempty" flag:"seed" jsonschema:"seed of the order of prompts and of the arrivals"`
	EarlyStop  *bool   `json:"early_stop,omitempty" flag:"early-stop" jsonschema:"stop when every primary metric is decided"`
	AA         *bool   `json:"aa,omitempty" flag:"aa" jsonschema:"run the baseline against itself"`
	NoiseFloor *string `json:"noise_floor,omitempty" flag:"noise-floor" jsonschema:"auto, none, or the directory of a run with aa"`
}

// Analysis is what counts as a difference.
type Analysis struct {
	Equivalence *float64 `json:"equivalence,omitempty" flag:"equivalence" jsonschema:"margin of equivalence, relative: 0.02 is 2 %"`
	Alpha       *float64 `json:"alpha,omitempty" flag:"alpha" jsonschema:"chance of a false claim among all primaries"`
	Primary     []string `json:"primary,omitempty" flag:"primary" jsonschema:"keys of the metrics that get a verdict"`
}

// Server is how the servers under test are started.
type Server struct {
	Threads *int `json:"threads,omitempty" flag:"server-threads" jsonschema:"threads of a server; 0 for all cores but one"`
	Port    *int `json:"port,omitempty" flag:"port" jsonschema:"port of a server; 0 for a free one"`
}

// Output is where the result goes.
type Output struct {
	Dir    *string  `json:"dir,omitempty" flag:"out" jsonschema:"run directory"`
	FailOn []string `json:"fail_on,omitempty" flag:"fail-on" jsonschema:"verdicts of a primary metric that end with code 3"`
	JUnit  *string  `json:"junit,omitempty" flag:"junit" jsonschema:"file for JUnit test cases"`
}

// mostBytes bounds what is read: no experiment needs more.
const mostBytes = 1 << 20

// Read reads an experiment file.
func Read(r io.Reader) (File, error) {
	var f File
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return f, fmt.Errorf("read experiment file: %w", err)
	}
	if len(data) > mostBytes {
		return f, fmt.Errorf("experiment file: more than %d bytes; is it one?", mostBytes)
	}
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("experiment file: %w", err)
	}
	for i, v := range f.Variants {
		if v.Name == "" || v.PosEmbed == "" {
			return f, fmt.Errorf("experiment file: variants[%d] has name %q and pos_embed %q: give both", i, v.Name, v.PosEmbed)
		}
		if strings.ContainsAny(v.Name+v.PosEmbed+v.InjectDelay, ",;=") {
			return f, fmt.Errorf("experiment file: variants[%d] (%s): names and values have no ',', ';' or '='", i, v.Name)
		}
	}
	return f, nil
}

// Write writes an experiment file that Read reads back.
func (f File) Write(w io.Writer) error {
	data, err := yaml.Marshal(f)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return fmt.Errorf("write experiment file: %w", err)
	}
	return nil
}

// Flags are the values that the file gives, by the name of the flag that says the
// same, as they would be written on a command line; lists are joined by commas.
func (f File) Flags() map[string]string {
	flags := map[string]string{}
	collect(reflect.ValueOf(f), flags)
	var variants, delays []string
	for _, v := range f.Variants {
		variants = append(variants, v.Name+"="+v.PosEmbed)
		if v.InjectDelay != "" {
			delays = append(delays, v.Name+"="+v.InjectDelay)
		}
	}
	if variants != nil {
		flags["variant"] = strings.Join(variants, ",")
	}
	if delays != nil {
		flags["inject-delay"] = strings.Join(delays, ";")
	}
	return flags
}

// collect adds the fields of a struct that have a flag and are there.
func collect(v reflect.Value, flags map[string]string) {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Tag.Get("flag")
		switch {
		case field.Kind() == reflect.Pointer && field.IsNil(), field.Kind() == reflect.Slice && field.IsNil():
		case name == "" && field.Kind() == reflect.Pointer:
			collect(field.Elem(), flags)
		case name == "":
		case field.Kind() == reflect.Slice:
			flags[name] = strings.Join(field.Interface().([]string), ",")
		default:
			flags[name] = fmt.Sprint(field.Elem().Interface())
		}
	}
}
