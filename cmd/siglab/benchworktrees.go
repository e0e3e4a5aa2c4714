package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"siglab/bench/experiment"
	"siglab/bench/record"
	"siglab/bench/variant"
	"siglab/bench/worktree"
)

// closeTime bounds the removal of worktrees.
const closeTime = 2 * time.Minute

// checkouts are the worktrees of a run. Variants of one commit and purpose share one.
type checkouts struct {
	store   worktree.Store
	keep    bool
	timeout time.Duration // of a set-up
	out     string        // run directory
	shared  []*checkout

	setUpTook time.Duration // by all
}

// checkout is one worktree and who is served from it.
type checkout struct {
	repo    *worktree.Repo
	commit  worktree.Commit
	purpose string
	arms    []refArm
	tree    *worktree.Tree // nil: it is not there
	place   string         // folder of the repository in which an overlay has its package
}

// refArm is a variant by git ref and its command.
type refArm struct {
	experiment.Arm
	command *variant.Command
}

// checkOut makes the worktrees of a plan's variants ready, side by side, and asserts as
// far as it can be known by now that their servers will load the code in them. What close
// ends is also to be ended if there is an error.
func (c *benchCmd) checkOut(ctx context.Context, plan experiment.Plan) (*checkouts, error) {
	out := &checkouts{store: worktree.Store{Dir: filepath.Join(cacheDir(), "worktrees")}, keep: c.KeepWorktrees, timeout: c.SetupTimeout, out: c.Out}
	var arms []refArm
	for _, arm := range plan.Arms {
		if command, ok := arm.Server.(*variant.Command); ok && arm.Source != nil {
			arms = append(arms, refArm{arm, command})
		}
	}
	if err := out.share(ctx, arms); err != nil {
		return out, err
	}
	if err := sideBySide(out.shared, func(s *checkout) error { return out.fill(ctx, s) }); err != nil {
		return out, err
	}
	for _, s := range out.shared { // one after another: builds want the machine for themselves
		if err := out.setUp(ctx, s); err != nil {
			return out, err
		}
	}
	if err := sideBySide(out.shared, func(s *checkout) error { return s.overlay(ctx) }); err != nil {
		return out, err
	}
	for _, arm := range arms {
		for _, other := range out.shared {
			if other.tree.Dir != arm.command.Worktree {
				arm.command.Origin.Others = append(arm.command.Origin.Others, other.tree.Dir)
			}
		}
	}
	err := sideBySide(arms, func(arm refArm) error {
		if code := arm.command.Foresee(ctx); code.Found == record.CodeWrong {
			return fmt.Errorf("variant %q would run other code than %s (%.12s): %s", arm.Name, arm.Source.Ref, arm.Source.Commit, code.Detail)
		}
		return nil
	})
	return out, errors.Join(err, ctx.Err())
}

// sideBySide does something to each of several values at once and waits for all. The
// error is that of the first in their order.
func sideBySide[T any](values []T, do func(T) error) error {
	errs := make([]error, len(values))
	var running sync.WaitGroup
	for i, v := range values {
		running.Go(func() { errs[i] = do(v) })
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// share says which worktrees the variants need, and looks in each repository for what
// earlier runs left.
func (c *checkouts) share(ctx context.Context, arms []refArm) error {
	repos := map[string]*worktree.Repo{}
	for _, arm := range arms {
		source := arm.Source
		repo := repos[source.Repo]
		if repo == nil {
			var err error
			if repo, err = worktree.Open(ctx, source.Repo, os.Environ()); err != nil {
				return fmt.Errorf("variant %q: %w", arm.Name, err)
			}
			repos[source.Repo] = repo
			c.sweep(ctx, repo)
		}
		commit, err := repo.Resolve(ctx, source.Commit)
		if err != nil {
			return fmt.Errorf("variant %q: %w", arm.Name, err)
		}
		commit.Ref = source.Ref
		purpose := strings.Join(source.Setup, "\x00")
		if source.Overlay {
			purpose += "\x00overlay of " + source.Module
		}
		i := slices.IndexFunc(c.shared, func(s *checkout) bool {
			return s.repo == repo && s.commit.Hash == commit.Hash && s.purpose == purpose
		})
		if i < 0 {
			i = len(c.shared)
			c.shared = append(c.shared, &checkout{repo: repo, commit: commit, purpose: purpose})
		}
		c.shared[i].arms = append(c.shared[i].arms, arm)
	}
	return nil
}

// sweep removes and names what earlier runs left of a repository's worktrees.
func (c *checkouts) sweep(ctx context.Context, repo *worktree.Repo) {
	removed, err := c.store.Leftovers(ctx, repo)
	for _, text := range removed {
		fmt.Fprintf(os.Stderr, "siglab: a run that did not come to its end left a worktree, which is removed: %s\n", text)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "siglab: worktrees that earlier runs left: %v\n", err)
	}
}

// fill checks a worktree out and points the commands of its variants there.
func (c *checkouts) fill(ctx context.Context, s *checkout) (err error) {
	fmt.Fprintf(os.Stderr, "siglab: checking out %s (%s, %q)\n", s.commit.Ref, s.commit.Short(), s.commit.Subject)
	if s.tree, err = c.store.Take(ctx, s.repo, s.commit, s.purpose); err != nil {
		return fmt.Errorf("variant %q: %w", s.arms[0].Name, err)
	}
	for _, arm := range s.arms {
		if err := s.point(ctx, arm); err != nil {
			return fmt.Errorf("variant %q: %w", arm.Name, err)
		}
	}
	return nil
}

// point tells the command of a variant where its worktree is and what is in it.
func (s *checkout) point(ctx context.Context, arm refArm) error {
	source, command := arm.Source, arm.command
	blobs, place, err := packageFiles(ctx, s.repo, s.commit, source.Module)
	if err != nil {
		return err
	}
	command.Worktree = s.tree.Dir
	command.Origin = &variant.Origin{Commit: s.commit.Hash, Worktree: s.tree.Dir, Others: []string{s.repo.Dir}, Module: source.Module, Blobs: blobs}
	if source.CommitLog != "" {
		if command.Origin.Log, err = regexp.Compile(source.CommitLog); err != nil {
			return fmt.Errorf("commit_log: %w", err)
		}
	}
	s.place = place
	return nil
}

// close removes the worktrees, also after an interruption, or keeps them.
func (c *checkouts) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	var failures []error
	for _, s := range c.shared {
		if s.tree == nil {
			continue
		}
		failures = append(failures, s.tree.Close(ctx, c.keep))
		if c.keep {
			fmt.Fprintf(os.Stderr, "siglab: kept the worktree %s\n", s.tree.Dir)
		}
	}
	c.shared = nil
	return errors.Join(failures...)
}

// end closes and says what could not be removed: the result is there in any case.
func (c *checkouts) end(ctx context.Context) {
	if err := c.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "siglab:", err)
	}
}
