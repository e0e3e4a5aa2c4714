package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"siglab/bench/launch"
	"siglab/bench/worktree"
)

// setupGrace is how long a set-up has to end by itself when it is asked to.
const setupGrace = 5 * time.Second

// setUp runs the set-up commands of a worktree's variants, unless that was done.
func (c *checkouts) setUp(ctx context.Context, s *checkout) error {
	for _, arm := range s.arms {
		if len(arm.Source.Setup) == 0 {
			continue
		}
		if err := c.setUpFor(ctx, s.tree, arm); err != nil {
			return fmt.Errorf("variant %q: %w", arm.Name, err)
		}
	}
	return nil
}

func (c *checkouts) setUpFor(ctx context.Context, tree *worktree.Tree, arm refArm) error {
	log := absolute(filepath.Join(c.out, "setup_"+arm.Name+".log"))
	begun := time.Now()
	defer func() { c.setUpTook += time.Since(begun) }()
	ran, err := tree.SetUp(ctx, func(ctx context.Context) error {
		fmt.Fprintf(os.Stderr, "siglab: setting up %s; its output is in %s\n", arm.Name, log)
		spec := arm.command.Program(arm.Source.Setup)
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

// overlay puts a worktree in front of the installed package, where its variants want
// that, and links what that package has beyond its source, such as compiled modules.
func (s *checkout) overlay(ctx context.Context) error {
	for _, arm := range s.arms {
		if !arm.Source.Overlay {
			continue
		}
		arm.command.PythonPath = filepath.Join(s.tree.Dir, filepath.FromSlash(s.place))
		if err := s.link(ctx, arm); err != nil {
			return fmt.Errorf("variant %q: %w", arm.Name, err)
		}
	}
	return nil
}

func (s *checkout) link(ctx context.Context, arm refArm) error {
	module := arm.Source.Module
	installed, err := arm.command.Installed(ctx, module)
	if err != nil {
		return err
	}
	linked, err := s.tree.Link(ctx, path.Join(s.place, strings.ReplaceAll(module, ".", "/")), installed)
	if err != nil {
		return err
	}
	if len(linked) > 0 {
		slices.Sort(linked)
		fmt.Fprintf(os.Stderr, "siglab: %s takes %d built files of %s (%s)\n", arm.Name, len(linked), installed, fewOf(linked))
	}
	return nil
}
