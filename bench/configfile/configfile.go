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
	"strings"

	"github.com/goccy/go-yaml"
)

// File is an experiment file. A nil field was left out. The flag tag names the flag
// that says the same.
type File struct {
	Model    *string   `json:"model,omitempty" flag:"model" jsonschema:"model of the embedded server; of others the name that they know it by"`
	Image    *Size     `json:"image_size,omitempty" flag:"image-size" jsonschema:"size that the embedded server resizes images to: 512, 448x336, or native"`
	Dataset  *string   `json:"dataset,omitempty" flag:"dataset" jsonschema:"data set that requests are drawn from: a name or a path"`
	Variants []Variant `json:"variants,omitempty" jsonschema:"what is compared; the first is the baseline"`
	Load     *Load     `json:"load,omitempty" jsonschema:"what is sent, and when"`
	Baseline *string   `json:"baseline,omitempty" flag:"baseline" jsonschema:"name of the variant that the others are compared with; the first if left out"`
	Request  *Request  `json:"request,omitempty" jsonschema:"what a request holds"`
	Design   *Design   `json:"design,omitempty" jsonschema:"how often, and in which order"`
	Hooks    *Hooks    `json:"hooks,omitempty" flag:"hooks" jsonschema:"commands that run beside the experiment, each a program and its arguments; one that fails ends the run"`
	Analysis *Analysis `json:"analysis,omitempty" jsonschema:"what counts as a difference"`
	Server   *Server   `json:"server,omitempty" jsonschema:"how the servers under test are started"`
	Output   *Output   `json:"output,omitempty" jsonschema:"where the result goes, and what makes it a failure"`
}

// Variant is one thing under test: the embedded server in a mode, a server that a
// command starts, perhaps one from a git ref, or one that runs already.
type Variant struct {
	Name        string `json:"name" jsonschema:"name in reports and file names"`
	PosEmbed    string `json:"pos_embed,omitempty" jsonschema:"the embedded server: how the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias"`
	InjectDelay string `json:"inject_delay,omitempty" jsonschema:"positive control of the embedded server: hold up every request by this much, such as 20ms"`
	URL         string `json:"url,omitempty" jsonschema:"a server that runs already: its base URL"`

	Command      []string          `json:"command,omitempty" jsonschema:"a server by command: program and arguments, in which {port}, {model} and {worktree} are filled in"`
	Env          map[string]string `json:"env,omitempty" jsonschema:"environment of the command, besides what siglab has"`
	Dir          string            `json:"dir,omitempty" jsonschema:"working directory of the command"`
	Ready        string            `json:"ready,omitempty" jsonschema:"path or URL that answers 200 when it is ready; /health or /v1/models if left out"`
	ReadyTimeout string            `json:"ready_timeout,omitempty" jsonschema:"longest wait for that, such as 300s"`

	Ref       string   `json:"ref,omitempty" jsonschema:"a server from a git ref, which is checked out into a worktree of its own: a branch, a tag or a commit; command is server.serve_command if left out"`
	Repo      string   `json:"repo,omitempty" jsonschema:"repository of the ref; server.repo if left out"`
	Setup     []string `json:"setup,omitempty" jsonschema:"command that makes the worktree ready; server.setup if left out"`
	Overlay   *bool    `json:"overlay,omitempty" jsonschema:"put the worktree in front of the installed package; server.overlay if left out"`
	Module    string   `json:"module,omitempty" jsonschema:"Python package that must be loaded as it is in the ref; server.module if left out"`
	CommitLog string   `json:"commit_log,omitempty" jsonschema:"expression for the server's log whose first group is the commit that it runs"`

	Trigger *Trigger `json:"trigger,omitempty" jsonschema:"what must have moved, or must not, while a block is measured"`
}

// Trigger is what tells that the code under test ran: lines of the log, a metric, or
// both.
type Trigger struct {
	Log     string  `json:"log,omitempty" jsonschema:"expression that lines of the server's log are counted by"`
	Metric  string  `json:"metric,omitempty" jsonschema:"name of a metric, perhaps with labels: name{label='value'} with double quotes"`
	AtLeast float64 `json:"at_least,omitempty" jsonschema:"by how much it must move in a block; 1 if left out"`
	None    bool    `json:"none,omitempty" jsonschema:"it must not move at all"`
}

// NamedTrigger is the trigger of a variant.
type NamedTrigger struct {
	Name string `json:"name"`
	Trigger
}

// Load is what is sent, and when.
type Load struct {
	RequestRate    *Rate    `json:"request_rate,omitempty" flag:"request-rate" jsonschema:"queries per second, or inf"`
	Burstiness     *Rate    `json:"burstiness,omitempty" flag:"burstiness" jsonschema:"shape of the gaps between requests: 1 is Poisson, inf constant"`
	NumPrompts     *int     `json:"num_prompts,omitempty" flag:"num-prompts" jsonschema:"requests per block"`
	MaxConcurrency *int     `json:"max_concurrency,omitempty" flag:"max-concurrency" jsonschema:"requests in flight at most; 0 for no limit"`
	ClosedLoop     *bool    `json:"closed_loop,omitempty" flag:"closed-loop" jsonschema:"keep max_concurrency requests in flight"`
	RampStrategy   *string  `json:"ramp_up_strategy,omitempty" flag:"ramp-up-strategy" jsonschema:"linear or exponential: the rate changes over a block"`
	RampStart      *float64 `json:"ramp_up_start_rps,omitempty" flag:"ramp-up-start-rps" jsonschema:"rate of the first request"`
	RampEnd        *float64 `json:"ramp_up_end_rps,omitempty" flag:"ramp-up-end-rps" jsonschema:"rate of the last request"`
	Schedule       *string  `json:"schedule,omitempty" flag:"schedule" jsonschema:"poisson, vllm, or a file of arrivals"`
	MaxTokens      *int     `json:"max_tokens,omitempty" flag:"max-tokens" jsonschema:"output tokens per request"`
	Warmups        *int     `json:"warmups,omitempty" flag:"warmups" jsonschema:"requests before each block that are not measured"`
	Timeout        *string  `json:"timeout,omitempty" flag:"timeout" jsonschema:"longest time for one answer, such as 60s"`
	IdleTimeout    *string  `json:"idle_timeout,omitempty" flag:"idle-timeout" jsonschema:"longest time without a byte of an answer"`
	Reencode       *bool    `json:"dataset_reencode,omitempty" flag:"dataset-reencode" jsonschema:"send images as RGB JPEG of quality 75"`
	MaxSkipped     *float64 `json:"dataset_max_skipped,omitempty" flag:"dataset-max-skipped" jsonschema:"largest share of rows that cannot be used"`
	ReadyCheck     *int     `json:"ready_check_timeout_sec,omitempty" flag:"ready-check-timeout-sec" jsonschema:"longest wait for a server to be ready, in seconds"`
}

// Request is what a request holds.
type Request struct {
	Backend     *string           `json:"backend,omitempty" flag:"backend" jsonschema:"openai-chat, or openai for completions"`
	Endpoint    *string           `json:"endpoint,omitempty" flag:"endpoint" jsonschema:"path of the requests"`
	ServedModel *string           `json:"served_model_name,omitempty" flag:"served-model-name" jsonschema:"model that requests ask for"`
	IgnoreEOS   *bool             `json:"ignore_eos,omitempty" flag:"ignore-eos" jsonschema:"answers go on to max_tokens"`
	Temperature *float64          `json:"temperature,omitempty" flag:"temperature" jsonschema:"sampling temperature"`
	TopP        *float64          `json:"top_p,omitempty" flag:"top-p" jsonschema:"sampling option"`
	TopK        *int              `json:"top_k,omitempty" flag:"top-k" jsonschema:"sampling option"`
	MinP        *float64          `json:"min_p,omitempty" flag:"min-p" jsonschema:"sampling option"`
	Frequency   *float64          `json:"frequency_penalty,omitempty" flag:"frequency-penalty" jsonschema:"sampling option"`
	Presence    *float64          `json:"presence_penalty,omitempty" flag:"presence-penalty" jsonschema:"sampling option"`
	Repetition  *float64          `json:"repetition_penalty,omitempty" flag:"repetition-penalty" jsonschema:"sampling option"`
	ExtraBody   map[string]any    `json:"extra_body,omitempty" flag:"extra-body" jsonschema:"fields that every request has besides"`
	Header      map[string]string `json:"header,omitempty" flag:"header" jsonschema:"headers of every request; values are not recorded"`
}

// Design is how often blocks are measured, and in which order.
type Design struct {
	Pairs      *int    `json:"pairs,omitempty" flag:"pairs" jsonschema:"pairs, or rounds of more than two variants"`
	Seed       *uint64 `json:"seed,omitempty" flag:"seed" jsonschema:"seed of the order of prompts and of the arrivals"`
	EarlyStop  *bool   `json:"early_stop,omitempty" flag:"early-stop" jsonschema:"stop when every primary metric is decided"`
	AA         *bool   `json:"aa,omitempty" flag:"aa" jsonschema:"run the baseline against itself"`
	Calibrate  *bool   `json:"calibrate,omitempty" flag:"calibrate" jsonschema:"measure the client's own error first"`
	NoiseFloor *string `json:"noise_floor,omitempty" flag:"noise-floor" jsonschema:"auto, none, or the directory of a run with aa"`

	Restart     *string  `json:"restart,omitempty" flag:"restart" jsonschema:"when servers are started anew: each-block, each-pair or never"`
	Stability   *float64 `json:"warmup_stability,omitempty" flag:"warmup-stability" jsonschema:"warm-up requests are repeated until they change by less than this share; 0 sends them once"`
	CoolDown    *string  `json:"cool_down,omitempty" flag:"cool-down" jsonschema:"pause between blocks, such as 5s"`
	Caches      *string  `json:"caches,omitempty" flag:"caches" jsonschema:"caches of the servers: off, reset before each block, or keep"`
	MaxDuration *string  `json:"max_duration,omitempty" flag:"max-duration" jsonschema:"longest time for all blocks, such as 30m; no pair begins that would end later"`
}

// Hooks are commands that run beside the experiment, each a program and its arguments.
// Their environment has SIGLAB_HOOK, SIGLAB_RUN_DIR, SIGLAB_PAIR, SIGLAB_BLOCK and
// SIGLAB_VARIANT.
type Hooks struct {
	BeforeRun   []string `json:"before_run,omitempty" jsonschema:"before the first pair"`
	AfterRun    []string `json:"after_run,omitempty" jsonschema:"after the last, and whenever the run ends otherwise"`
	BeforePair  []string `json:"before_pair,omitempty" jsonschema:"before each pair"`
	AfterPair   []string `json:"after_pair,omitempty" jsonschema:"after each pair"`
	BeforeBlock []string `json:"before_block,omitempty" jsonschema:"before each block, and the start of its server"`
	AfterBlock  []string `json:"after_block,omitempty" jsonschema:"after each block"`
	Timeout     *string  `json:"timeout,omitempty" jsonschema:"longest time for one of them, such as 60s"`
}

// Commands are the commands by their keys.
func (h Hooks) Commands() map[string][]string {
	return map[string][]string{
		"before_run": h.BeforeRun, "after_run": h.AfterRun, "before_pair": h.BeforePair, "after_pair": h.AfterPair,
		"before_block": h.BeforeBlock, "after_block": h.AfterBlock,
	}
}

// Analysis is what counts as a difference.
type Analysis struct {
	Equivalence *float64 `json:"equivalence,omitempty" flag:"equivalence" jsonschema:"margin of equivalence, relative: 0.02 is 2 %"`
	Alpha       *float64 `json:"alpha,omitempty" flag:"alpha" jsonschema:"chance of a false claim among all primaries"`
	Primary     []string `json:"primary,omitempty" flag:"primary" jsonschema:"keys of the metrics that get a verdict"`
	MayDiffer   []string `json:"may_differ,omitempty" flag:"may-differ" jsonschema:"packages and environment variables in which variants may differ"`
}

// Server is how the servers under test are started.
type Server struct {
	Threads *int `json:"threads,omitempty" flag:"server-threads" jsonschema:"threads of a server; 0 for all cores but one"`
	Port    *int `json:"port,omitempty" flag:"port" jsonschema:"port of a server; 0 for a free one"`

	Repo          *string `json:"repo,omitempty" flag:"repo" jsonschema:"git repository of variants by ref"`
	ServeCommand  *string `json:"serve_command,omitempty" flag:"serve-command" jsonschema:"command of variants by ref, quoted as for a shell"`
	Setup         *string `json:"setup,omitempty" flag:"setup" jsonschema:"command that makes a worktree ready, quoted as for a shell"`
	SetupTimeout  *string `json:"setup_timeout,omitempty" flag:"setup-timeout" jsonschema:"longest time for it, such as 90m"`
	Overlay       *bool   `json:"overlay,omitempty" flag:"overlay" jsonschema:"put worktrees in front of the installed package"`
	Module        *string `json:"module,omitempty" flag:"module" jsonschema:"Python package that must be loaded as it is in the ref"`
	KeepWorktrees *bool   `json:"keep_worktrees,omitempty" flag:"keep-worktrees" jsonschema:"keep worktrees, with what was set up in them, for later runs"`
}

// Output is where the result goes.
type Output struct {
	Dir    *string  `json:"dir,omitempty" flag:"out" jsonschema:"run directory"`
	FailOn []string `json:"fail_on,omitempty" flag:"fail-on" jsonschema:"verdicts of a primary metric that end with code 3"`
	JUnit  *string  `json:"junit,omitempty" flag:"junit" jsonschema:"file for JUnit test cases"`

	Goodput           map[string]float64 `json:"goodput,omitempty" flag:"goodput" jsonschema:"limits in ms of a good request: ttft, tpot, e2el"`
	PercentileMetrics []string           `json:"percentile_metrics,omitempty" flag:"percentile-metrics" jsonschema:"latencies in the files of vllm bench serve"`
	MetricPercentiles []float64          `json:"metric_percentiles,omitempty" flag:"metric-percentiles" jsonschema:"percentiles in them"`
	Label             *string            `json:"label,omitempty" flag:"label" jsonschema:"label in them"`
	Metadata          map[string]string  `json:"metadata,omitempty" flag:"metadata" jsonschema:"pairs for the JSON file"`
	SaveResult        *bool              `json:"save_result,omitempty" flag:"save-result" jsonschema:"also save the JSON under vLLM's name for it"`
	SaveDetailed      *bool              `json:"save_detailed,omitempty" flag:"save-detailed" jsonschema:"with the single requests"`
	AppendResult      *bool              `json:"append_result,omitempty" flag:"append-result" jsonschema:"append it to the file"`
	ResultDir         *string            `json:"result_dir,omitempty" flag:"result-dir" jsonschema:"directory of the saved file"`
	ResultFilename    *string            `json:"result_filename,omitempty" flag:"result-filename" jsonschema:"name of the saved file"`
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
	if f.Variants != nil && len(f.Variants) == 0 {
		return f, errors.New("experiment file: variants is empty: name at least one, or leave the key out for the usual two")
	}
	for i, v := range f.Variants {
		if err := v.check(); err != nil {
			return f, fmt.Errorf("experiment file: variants[%d] (%s): %w", i, v.Name, err)
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

// check refuses what is no variant, or more than one.
func (v Variant) check() error {
	kinds := 0
	for _, given := range []bool{v.PosEmbed != "", v.URL != "", len(v.Command) > 0 || v.Ref != ""} {
		if given {
			kinds++
		}
	}
	switch {
	case v.Name == "" || kinds == 0:
		return errors.New("a variant has a name, and pos_embed, command, ref or url")
	case kinds > 1:
		return errors.New("pos_embed, command (perhaps of a ref) and url are different kinds of variants: give one")
	case v.Ref == "" && (v.Setup != nil || v.Overlay != nil || v.Repo+v.Module+v.CommitLog != ""):
		return errors.New("repo, setup, overlay, module and commit_log are of a ref")
	case len(v.Command) == 0 && v.Ref == "" && (v.Env != nil || v.Dir+v.Ready+v.ReadyTimeout != ""):
		return errors.New("env, dir, ready and ready_timeout are of a command or a ref")
	case v.Trigger != nil && v.Trigger.Log+v.Trigger.Metric == "":
		return errors.New("a trigger has a log expression or a metric")
	case strings.ContainsAny(v.Name+v.PosEmbed+v.InjectDelay, ",;="):
		return errors.New("names and modes have no ',', ';' or '='")
	}
	return nil
}
