package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/kballard/go-shellquote"

	"siglab/bench/configfile"
	"siglab/bench/record"
	"siglab/bench/worktree"
)

// refFlags say how variants are made from git refs.
type refFlags struct {
	Ref           []refSpec     `name:"ref" sep:"none" placeholder:"[NAME=]REF" help:"A variant of the code at a branch, tag or commit, checked out into a worktree of its own; repeat. Its name is the ref's, safe for files."`
	Repo          string        `default:"." placeholder:"DIR" help:"Git repository of --ref; it is left as it is (${default})."`
	ServeCommand  string        `name:"serve-command" default:"${serve_command}" placeholder:"'PROGRAM …'" help:"Command of variants by ref, as for --command (${default}). It runs in the worktree."`
	Setup         string        `placeholder:"'PROGRAM …'" help:"Command that makes a worktree ready, such as 'pip install -e .'; once per commit and command."`
	SetupTimeout  time.Duration `name:"setup-timeout" default:"1h" help:"Longest time for it (${default})."`
	Overlay       bool          `help:"Put each worktree in front of one installed package, on PYTHONPATH: for changes of Python code alone."`
	Module        string        `placeholder:"NAME" help:"Python package that must be loaded as it is in the ref, or the run ends before any traffic (vllm, where the command is it; 'none' for none)."`
	KeepWorktrees bool          `name:"keep-worktrees" help:"Keep worktrees, with what was set up in them, for later runs."`
}

// defaultServe starts vLLM without the caches by which a repeated image would skip the
// code under test.
const defaultServe = "VLLM_SERVER_DEV_MODE=1 vllm serve {model} --host 127.0.0.1 --port {port} --no-enable-prefix-caching --mm-processor-cache-gb 0"

// seedModel is the model of the seed's experiment, for its command.
const seedModel = "google/paligemma-3b-mix-448"

// refSpec is a variant by git ref, from the command line or, as JSON, from an experiment
// file.
type refSpec configfile.Variant

// Decode reads [NAME=]REF from the command line.
func (r *refSpec) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("ref", &text); err != nil {
		return err
	}
	name, ref, named := strings.Cut(text, "=")
	if !named || !variantName.MatchString(name) {
		name, ref = "", text
	}
	r.Name, r.Ref = name, ref
	return nil
}

// notInNames are characters that a ref may have and a file's name should not.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

const longestName = 64

// nameOf makes a variant's name of a ref: feature/fast is feature-fast.
func nameOf(ref string) string {
	name := strings.TrimLeft(notInNames.ReplaceAllString(ref, "-"), "-._")
	name = strings.TrimRight(name[:min(len(name), longestName-3)], "-._") // room for a number
	return cmp.Or(name, "ref")
}

// variants are those by ref. Refs that give one name are numbered.
func (f refFlags) variants() ([]record.Variant, error) {
	var out []record.Variant
	taken := map[string]bool{}
	for i := range f.Ref {
		r := &f.Ref[i]
		if r.Name == "" {
			base := nameOf(r.Ref)
			r.Name = base
			for n := 2; taken[r.Name]; n++ {
				r.Name = fmt.Sprintf("%s-%d", base, n)
			}
		}
		taken[r.Name] = true
		v, err := f.variant(*r)
		if err != nil {
			return nil, usagef("--ref %s: %w", r.Ref, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// variant is what a ref is, before its commit is known.
func (f refFlags) variant(r refSpec) (record.Variant, error) {
	spec := commandSpec(r)
	if len(spec.Command) == 0 {
		serve, err := parseCommand(r.Name + "=" + f.ServeCommand)
		if err != nil {
			return record.Variant{}, fmt.Errorf("--serve-command: %w", err)
		}
		for name, value := range spec.Env { // its own win
			serve.Env[name] = value
		}
		spec.Command, spec.Env = serve.Command, serve.Env
	}
	dir := spec.Dir
	spec.Dir = ""
	v, err := spec.variant()
	if err != nil {
		return v, err
	}
	if dir != "" && (filepath.IsAbs(dir) || !filepath.IsLocal(dir)) {
		return v, fmt.Errorf("dir %q: it is within the worktree", dir)
	}
	v.Dir = dir
	setup := r.Setup
	if setup == nil && f.Setup != "" {
		if setup, err = shellquote.Split(f.Setup); err != nil {
			return v, fmt.Errorf("--setup: %w", err)
		}
	}
	overlay := f.Overlay
	if r.Overlay != nil {
		overlay = *r.Overlay
	}
	if r.CommitLog != "" {
		if _, err := regexp.Compile(r.CommitLog); err != nil {
			return v, fmt.Errorf("commit_log: %w", err)
		}
	}
	v.Source = &record.Source{
		Repo: cmp.Or(r.Repo, f.Repo), Ref: r.Ref, Setup: setup, Overlay: overlay, CommitLog: r.CommitLog,
		Module: moduleOf(cmp.Or(r.Module, f.Module), v.Argv),
	}
	if overlay && v.Source.Module == "" {
		return v, errors.New("--overlay: --module says which package the worktree is to be loaded instead of")
	}
	return v, nil
}

// moduleOf is the package that a command must load from its worktree: the given one,
// else vllm where the command is it.
func moduleOf(given string, argv []string) string {
	switch {
	case given == "none":
		return ""
	case given != "":
		return given
	case slices.ContainsFunc(argv, func(word string) bool {
		return filepath.Base(word) == "vllm" || strings.HasPrefix(word, "vllm.")
	}):
		return "vllm"
	}
	return ""
}

// resolveRefs says which commits the refs stand for and what is notable about them.
func resolveRefs(ctx context.Context, variants []record.Variant) ([]record.Note, error) {
	var notes []record.Note
	told := map[string]bool{}
	for i := range variants {
		source := variants[i].Source
		if source == nil {
			continue
		}
		repo, err := worktree.Open(ctx, source.Repo, os.Environ())
		if err != nil {
			return nil, fmt.Errorf("variant %q: %w; --repo names it", variants[i].Name, err)
		}
		commit, err := repo.Resolve(ctx, cmp.Or(source.Commit, source.Ref))
		if err != nil {
			return nil, fmt.Errorf("variant %q: %w", variants[i].Name, err)
		}
		source.Repo, source.Commit, source.Tree, source.Subject = repo.Dir, commit.Hash, commit.Tree, commit.Subject
		if told[repo.Dir] {
			continue
		}
		told[repo.Dir] = true
		if changed, err := repo.Uncommitted(ctx); err == nil && len(changed) > 0 {
			notes = append(notes, record.Note{Code: record.NoteUncommitted, Text: fmt.Sprintf(
				"%s has uncommitted changes (%s), which are in no ref and so are not under test; commit them, or name the commit that `git stash create` prints.", repo.Dir, fewOf(changed))})
		}
	}
	return notes, checkOverlays(ctx, variants)
}

// checkOverlays refuses refs whose difference an overlay of Python code does not show.
func checkOverlays(ctx context.Context, variants []record.Variant) error {
	base := variants[0].Source
	for _, v := range variants[1:] {
		s := v.Source
		if base == nil || s == nil || !s.Overlay || !base.Overlay || s.Repo != base.Repo {
			continue
		}
		repo, err := worktree.Open(ctx, s.Repo, os.Environ())
		if err != nil {
			return err
		}
		changed, err := repo.Changed(ctx, worktree.Commit{Hash: base.Commit, Tree: base.Tree}, worktree.Commit{Hash: s.Commit, Tree: s.Tree})
		if err != nil {
			return err
		}
		if built := worktree.NeedsBuild(changed); len(built) > 0 {
			return fmt.Errorf("--overlay: %s and %s differ in files that have to be built (%s), of which an overlay shows nothing; --setup builds each", base.Ref, s.Ref, fewOf(built))
		}
	}
	return nil
}

// fewOf lists the first of many names.
func fewOf(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// sameCode says whether all variants are made from the same code and started alike, and
// notes which are.
func sameCode(ctx context.Context, variants []record.Variant) (all bool, notes []record.Note) {
	if len(variants) < 2 || variants[0].Source == nil {
		return false, nil
	}
	base := variants[0]
	all = true
	for _, v := range variants[1:] {
		why := ""
		if v.Source != nil {
			why = sameSource(ctx, *base.Source, *v.Source)
		}
		if why == "" {
			all = false
			continue
		}
		started := slices.Equal(base.Argv, v.Argv) && slices.Equal(base.Env, v.Env) && base.Dir == v.Dir && slices.Equal(base.Source.Setup, v.Source.Setup)
		text := fmt.Sprintf("Variants %q and %q have the same code: %s.", base.Name, v.Name, why)
		if !started {
			all = false
			text += " They are started in different ways, which is all that is compared."
		}
		notes = append(notes, record.Note{Variant: v.Name, Code: record.NoteSameCode, Text: text})
	}
	if all {
		notes[len(notes)-1].Text += " So this run is the baseline against itself: it measures the noise."
	}
	return all, notes
}

// sameSource says why two sources are the same code; "" if they are not, or it is not known.
func sameSource(ctx context.Context, a, b record.Source) string {
	switch {
	case a.Overlay != b.Overlay || a.Module != b.Module:
		return ""
	case a.Commit == b.Commit:
		return fmt.Sprintf("both are commit %.12s", a.Commit)
	case a.Tree == b.Tree:
		return fmt.Sprintf("commits %.12s and %.12s have the same files", a.Commit, b.Commit)
	case !a.Overlay || a.Repo != b.Repo:
		return ""
	}
	repo, err := worktree.Open(ctx, a.Repo, os.Environ())
	if err != nil {
		return ""
	}
	changed, err := repo.Changed(ctx, worktree.Commit{Hash: a.Commit, Tree: a.Tree}, worktree.Commit{Hash: b.Commit, Tree: b.Tree})
	if err != nil {
		return ""
	}
	inModule := "/" + strings.ReplaceAll(a.Module, ".", "/") + "/"
	if slices.ContainsFunc(changed, func(name string) bool { return strings.Contains("/"+name, inModule) }) {
		return ""
	}
	return fmt.Sprintf("commits %.12s and %.12s differ only outside of %s, which is all that the overlay replaces", a.Commit, b.Commit, a.Module)
}
