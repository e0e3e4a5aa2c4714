package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"siglab/bench/experiment"
	"siglab/bench/launch"
	"siglab/bench/record"
	"siglab/bench/variant"
	"siglab/bench/worktree"
)

// closeTime bounds the removal of worktrees.
const closeTime = 2 * time.Minute

// setupGrace is how long a set-up has to end by itself when it is asked to.
const setupGrace = 5 * time.Second

// checkouts are the worktrees of a run. Variants of one commit and purpose share one.
type checkouts struct {
	store   worktree.Store
	keep    bool
	timeout time.Duration // of a set-up
	out     string        // run directory
	trees   map[string]*worktree.Tree
	order   []*worktree.Tree
	swept   map[string]bool // repositories whose leftovers were looked for
}

// checkOut makes the worktrees of a plan's variants ready, and asserts as far as it can
// be known by now that their servers will load the code in them. What close ends is also
// to be ended if there is an error.
func (c *benchCmd) checkOut(ctx context.Context, plan experiment.Plan) (*checkouts, error) {
	out := &checkouts{
		store: worktree.Store{Dir: filepath.Join(cacheDir(), "worktrees")}, keep: c.KeepWorktrees, timeout: c.SetupTimeout, out: c.Out,
		trees: map[string]*worktree.Tree{}, swept: map[string]bool{},
	}
	for _, arm := range plan.Arms {
		command, ok := arm.Server.(*variant.Command)
		if !ok || arm.Source == nil {
			continue
		}
		if err := out.add(ctx, arm, command); err != nil {
			return out, fmt.Errorf("variant %q: %w", arm.Name, err)
		}
	}
	for _, arm := range plan.Arms {
		command, ok := arm.Server.(*variant.Command)
		if !ok || arm.Source == nil {
			continue
		}
		for _, tree := range out.order {
			if tree.Dir != command.Worktree {
				command.Origin.Others = append(command.Origin.Others, tree.Dir)
			}
		}
		if code := command.Foresee(ctx); code.Found == record.CodeWrong {
			return out, fmt.Errorf("variant %q would run other code than %s (%.12s): %s", arm.Name, arm.Source.Ref, arm.Source.Commit, code.Detail)
		}
	}
	return out, ctx.Err()
}

// add makes the worktree of one variant ready and points its command there.
func (c *checkouts) add(ctx context.Context, arm experiment.Arm, command *variant.Command) error {
	source := arm.Source
	repo, err := worktree.Open(ctx, source.Repo, os.Environ())
	if err != nil {
		return err
	}
	if !c.swept[repo.Dir] {
		c.swept[repo.Dir] = true
		removed, err := c.store.Leftovers(ctx, repo)
		for _, text := range removed {
			fmt.Fprintf(os.Stderr, "siglab: a run that did not come to its end left a worktree, which is removed: %s\n", text)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "siglab: worktrees that earlier runs left: %v\n", err)
		}
	}
	commit, err := repo.Resolve(ctx, source.Commit)
	if err != nil {
		return err
	}
	commit.Ref = source.Ref
	blobs, place, err := packageFiles(ctx, repo, commit, source.Module)
	if err != nil {
		return err
	}
	tree, err := c.take(ctx, repo, commit, source)
	if err != nil {
		return err
	}
	command.Worktree = tree.Dir
	if err := c.setUp(ctx, tree, arm, command); err != nil {
		return err
	}
	command.Origin = &variant.Origin{Commit: commit.Hash, Worktree: tree.Dir, Others: []string{repo.Dir}, Module: source.Module, Blobs: blobs}
	if source.CommitLog != "" {
		if command.Origin.Log, err = regexp.Compile(source.CommitLog); err != nil {
			return fmt.Errorf("commit_log: %w", err)
		}
	}
	if !source.Overlay {
		return nil
	}
	command.PythonPath = filepath.Join(tree.Dir, filepath.FromSlash(place))
	return c.overlay(ctx, tree, place, arm, command)
}

// take is the worktree of a commit and purpose, which may be there already.
func (c *checkouts) take(ctx context.Context, repo *worktree.Repo, commit worktree.Commit, source *record.Source) (*worktree.Tree, error) {
	purpose := strings.Join(source.Setup, "\x00")
	if source.Overlay {
		purpose += "\x00overlay of " + source.Module
	}
	key := strings.Join([]string{repo.Dir, commit.Hash, purpose}, "\x00")
	if tree := c.trees[key]; tree != nil {
		return tree, nil
	}
	fmt.Fprintf(os.Stderr, "siglab: checking out %s (%s, %q)\n", commit.Ref, commit.Short(), commit.Subject)
	tree, err := c.store.Take(ctx, repo, commit, purpose)
	if err != nil {
		return nil, err
	}
	c.trees[key] = tree
	c.order = append(c.order, tree)
	return tree, nil
}

// setUp runs the set-up command of a variant in its worktree, unless that was done.
func (c *checkouts) setUp(ctx context.Context, tree *worktree.Tree, arm experiment.Arm, command *variant.Command) error {
	if len(arm.Source.Setup) == 0 {
		return nil
	}
	log := absolute(filepath.Join(c.out, "setup_"+arm.Name+".log"))
	begun := time.Now()
	ran, err := tree.SetUp(ctx, func(ctx context.Context) error {
		fmt.Fprintf(os.Stderr, "siglab: setting up %s; its output is in %s\n", arm.Name, log)
		spec := command.Program(arm.Source.Setup)
		spec.Log, spec.Timeout, spec.StopGrace = log, c.timeout, setupGrace
		return launch.Run(ctx, spec)
	})
	if err != nil {
		return err
	}
	if ran {
		fmt.Fprintf(os.Stderr, "siglab: %s is set up after %v\n", arm.Name, time.Since(begun).Round(time.Second))
	} else {
		fmt.Fprintf(os.Stderr, "siglab: %s was set up before\n", arm.Name)
	}
	return nil
}

// close removes the worktrees, also after an interruption, or keeps them.
func (c *checkouts) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	var failures []error
	for _, tree := range c.order {
		failures = append(failures, tree.Close(ctx, c.keep))
		if c.keep {
			fmt.Fprintf(os.Stderr, "siglab: kept the worktree %s\n", tree.Dir)
		}
	}
	c.order = nil
	return errors.Join(failures...)
}

// end closes and says what could not be removed: the result is there in any case.
func (c *checkouts) end(ctx context.Context) {
	if err := c.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "siglab:", err)
	}
}

// packageFolders are where repositories have their Python packages.
var packageFolders = []string{"", "src", "python", "lib"}

// packageFiles are the files of a Python package at a commit, by their names within it,
// and the folder of the repository that it lies in.
func packageFiles(ctx context.Context, repo *worktree.Repo, commit worktree.Commit, module string) (blobs map[string]string, place string, err error) {
	if module == "" {
		return nil, "", nil
	}
	all, err := repo.Blobs(ctx, commit, "")
	if err != nil {
		return nil, "", err
	}
	for _, place := range packageFolders {
		prefix := path.Join(place, strings.ReplaceAll(module, ".", "/")) + "/"
		blobs := map[string]string{}
		for name, hash := range all {
			if inner, ok := strings.CutPrefix(name, prefix); ok {
				blobs[inner] = hash
			}
		}
		if _, ok := blobs["__init__.py"]; ok {
			return blobs, place, nil
		}
	}
	return nil, "", fmt.Errorf("commit %s has no Python package %q (in %s); --module names the one that the server loads, or none", commit.Short(), module, strings.Join(packageFolders[1:], "/, ")+"/ or at its top")
}

// overlay links what the installed package has beyond its source, such as compiled
// modules, into the worktree.
func (c *checkouts) overlay(ctx context.Context, tree *worktree.Tree, place string, arm experiment.Arm, command *variant.Command) error {
	installed, err := command.Installed(ctx, arm.Source.Module)
	if err != nil {
		return err
	}
	linked, err := tree.Link(ctx, path.Join(place, strings.ReplaceAll(arm.Source.Module, ".", "/")), installed)
	if err != nil {
		return err
	}
	if len(linked) > 0 {
		slices.Sort(linked)
		fmt.Fprintf(os.Stderr, "siglab: %s takes %d built files of %s (%s)\n", arm.Name, len(linked), installed, fewOf(linked))
	}
	return nil
}
