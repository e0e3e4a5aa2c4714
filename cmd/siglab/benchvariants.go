package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"siglab/bench/chatclient"
	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/variant"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// variantFlags say what is under test.
type variantFlags struct {
	Variant     []string          `placeholder:"NAME=MODE" help:"A variant of the embedded server and its pos-embed mode; repeat, the first is the baseline (main=reference, optimized=bilinear)."`
	URL         []string          `name:"url" sep:"none" placeholder:"NAME=URL" help:"A variant that runs already, such as a=http://127.0.0.1:8000; repeat. One variant alone is measured as by vllm bench serve."`
	Command     []commandSpec     `name:"command" sep:"none" placeholder:"NAME='PROGRAM …'" help:"A variant that a command starts, quoted as for a shell, after NAME=VALUE pairs of its environment; repeat. In it {port}, {model} and {worktree} are filled in."`
	Baseline    string            `placeholder:"NAME" help:"The variant that the others are compared with (the first --variant, else the first --command, --ref or --url)."`
	Trigger     []triggerSpec     `name:"trigger" sep:"none" placeholder:"NAME=log:EXPR" help:"What must have moved in each block of a variant: log:EXPRESSION counts lines of its log, metric:NAME a metric; log>=N: or metric>=N: for at least N, log=0: or metric=0: for not at all. Without it, no win."`
	InjectDelay map[string]string `placeholder:"NAME=20ms" help:"Positive control: hold up every request of a variant by this much, after the server's arrival stamp."`

	refFlags
}

// variantName keeps names usable in file names.
var variantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// parse turns the flags into variants; without any, the seed's two.
func (f variantFlags) parse() ([]record.Variant, error) {
	builtin := f.Variant
	if len(builtin)+len(f.URL)+len(f.Command)+len(f.Ref) == 0 {
		builtin = []string{"main=reference", "optimized=bilinear"}
	}
	variants, err := named("--variant NAME=MODE", builtin, builtinVariant)
	if err != nil {
		return nil, err
	}
	for _, c := range f.Command {
		v, err := c.variant()
		if err != nil {
			return nil, usagef("--command %s: %w", c.Name, err)
		}
		variants = append(variants, v)
	}
	refs, err := f.variants()
	if err != nil {
		return nil, err
	}
	variants = append(variants, refs...)
	urls, err := named("--url NAME=URL", f.URL, urlVariant)
	if err != nil {
		return nil, err
	}
	variants = append(variants, urls...)
	if err := addTriggers(variants, f.Trigger); err != nil {
		return nil, err
	}
	return f.arrange(variants)
}

// named turns NAME=VALUE pairs of a flag into variants.
func named(usage string, args []string, parse func(name, value string) (record.Variant, error)) ([]record.Variant, error) {
	flag, pair, _ := strings.Cut(usage, " ")
	var variants []record.Variant
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !variantName.MatchString(name) {
			return nil, usagef("%s %q: write %s, the name of letters, digits, '.', '_' and '-'", flag, arg, pair)
		}
		v, err := parse(name, value)
		if err != nil {
			return nil, usagef("%s %s: %w", flag, arg, err)
		}
		variants = append(variants, v)
	}
	return variants, nil
}

// arrange puts the baseline first and gives variants their delays.
func (f variantFlags) arrange(variants []record.Variant) ([]record.Variant, error) {
	if len(variants) > mostVariants {
		return nil, usagef("%d variants given; a comparison has 2 to %d", len(variants), mostVariants)
	}
	at := func(name string) int {
		return slices.IndexFunc(variants, func(v record.Variant) bool { return v.Name == name })
	}
	for i, v := range variants {
		if at(v.Name) != i {
			return nil, usagef("the name %q is given twice; names tell variants apart", v.Name)
		}
	}
	for name, text := range f.InjectDelay {
		i := at(name)
		if i < 0 {
			return nil, usagef("--inject-delay %s=%s: there is no variant %q; there are %s", name, text, name, variantNames(variants))
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > time.Minute {
			return nil, usagef("--inject-delay %s=%s: write a duration from 0 to 1m, such as 20ms", name, text)
		}
		if variants[i].Kind != record.KindBuiltin {
			return nil, usagef("--inject-delay %s=%s: only the embedded server can hold requests up", name, text)
		}
		variants[i].InjectDelay = d
	}
	if f.Baseline != "" {
		i := at(f.Baseline)
		if i < 0 {
			return nil, usagef("--baseline %s: there is no such variant; there are %s", f.Baseline, variantNames(variants))
		}
		baseline := variants[i]
		variants = slices.Insert(slices.Delete(variants, i, i+1), 0, baseline)
	}
	return variants, nil
}

func builtinVariant(name, value string) (record.Variant, error) {
	mode, err := posembed.ParseMode(value)
	if err != nil {
		return record.Variant{}, err
	}
	return record.Variant{Name: name, Kind: record.KindBuiltin, Mode: mode.String(), Convention: mode.Convention().String()}, nil
}

func urlVariant(name, value string) (record.Variant, error) {
	u, err := variant.NewURL(value)
	if err != nil {
		return record.Variant{}, err
	}
	return record.Variant{Name: name, Kind: record.KindURL, URL: u.Base}, nil
}

// againstItself is the baseline twice, to measure what two runs of one thing differ
// by.
func againstItself(variants []record.Variant, delays map[string]string) ([]record.Variant, error) {
	if len(delays) > 0 {
		return nil, usagef("--aa runs the baseline against itself, so --inject-delay would make the noise floor an effect: leave one out")
	}
	again := variants[0]
	again.Name += "-again"
	return []record.Variant{variants[0], again}, nil
}

func variantNames(variants []record.Variant) string {
	var names []string
	for _, v := range variants {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// hasKind reports whether some variant is of a kind.
func hasKind(variants []record.Variant, kind string) bool {
	return slices.ContainsFunc(variants, func(v record.Variant) bool { return v.Kind == kind })
}

// defaultModel is that of the embedded server.
const defaultModel = "random:tiny"

// resolveModel says which model is under test: that of the embedded server where there
// is one, else what the user names, else the first that a running server lists.
func (c *benchCmd) resolveModel(ctx context.Context, variants []record.Variant, header http.Header) error {
	if hasKind(variants, record.KindBuiltin) {
		if c.Model == "" {
			c.Model = defaultModel
		}
		if err := vlm.CheckName(c.Model); err != nil {
			return usagef("--model: %w", err)
		}
		if pixels, err := strconv.Atoi(c.ImageSize); err == nil {
			c.ImageSize = fmt.Sprintf("%dx%d", pixels, pixels)
		}
		if _, err := vlm.ParseImageSize(c.ImageSize); err != nil {
			return usagef("--image-size: %w", err)
		}
		return nil
	}
	if c.ImageSize != "" {
		return usagef("--image-size %s: only the embedded server resizes images as it is told", c.ImageSize)
	}
	if c.Model == "" {
		c.Model = c.ServedModel
	}
	if c.Model == "" && len(c.Ref) > 0 && c.ServeCommand == defaultServe {
		c.Model = seedModel
	}
	if c.Model != "" {
		return nil
	}
	for _, v := range variants {
		if v.Kind != record.KindURL {
			continue
		}
		models, err := listModels(ctx, v.URL, header, time.Duration(c.ReadyCheck)*time.Second)
		if err != nil {
			return fmt.Errorf("variant %q: %w; --model names what to ask for", v.Name, err)
		}
		if len(models) == 0 {
			return fmt.Errorf("variant %q: %s/v1/models lists no model; --model names what to ask for", v.Name, v.URL)
		}
		c.Model = models[0]
		return nil
	}
	return usagef("no variant says which model it serves: give --model, or --served-model-name for what requests ask for")
}

// listModels asks a server for its models until it answers, or its time is over.
func listModels(ctx context.Context, url string, header http.Header, patience time.Duration) ([]string, error) {
	client := chatclient.New(url, chatclient.Options{Origin: time.Now(), Header: header})
	defer client.Close()
	for deadline := time.Now().Add(patience); ; {
		models, err := client.Models(ctx)
		if err == nil || chatclient.StatusOf(err) != 0 || !time.Now().Before(deadline) || ctx.Err() != nil {
			return models, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// server is how a variant is started, and its command line.
func server(v record.Variant, e record.Experiment, exe string, port int, out string) (experiment.Server, []string, error) {
	log := filepath.Join(out, "server_"+v.Name+".log")
	switch v.Kind {
	case record.KindURL:
		return &variant.URL{Base: v.URL}, nil, nil
	case record.KindCommand:
		command := &variant.Command{
			Name: v.Name, Argv: v.Argv, Env: v.Env, Environ: os.Environ(), Dir: v.Dir, Model: e.Model, Port: port,
			Ready: v.Ready, Timeout: v.ReadyTimeout, Holder: []string{exe, holdCommand}, Log: absolute(log),
		}
		if err := command.Check(); err != nil {
			return nil, nil, fmt.Errorf("variant %q: %w", v.Name, err)
		}
		return command, v.Argv, nil
	}
	builtin := &variant.Builtin{
		Name: v.Name, Program: exe, Model: e.Model, ServedName: e.ServedModel, PosEmbed: v.Mode, ImageSize: e.ImageSize, Caches: e.Caches == record.CachesReset || e.Caches == record.CachesKeep, Threads: e.ServerThreads,
		Port: port, Delay: v.InjectDelay, Log: log,
	}
	return builtin, builtin.Argv(), nil
}

// absolute is a path that holds in every working directory; the path itself where this
// one is not known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
