package worktree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Tree is a worktree at a commit. It is for one goroutine.
type Tree struct {
	Dir    string
	Commit Commit
	Reused bool // it was kept by an earlier run

	repo    *Repo
	space   string // the folder that it lies in
	purpose string
	lock    *os.File
	done    bool // its set-up
}

// fill checks the commit out, unless it is there already.
func (t *Tree) fill(ctx context.Context) error {
	if t.intact(ctx) {
		t.Reused = true
		_, err := os.Stat(filepath.Join(t.space, doneName))
		t.done = err == nil
		return t.tell(false)
	}
	if _, err := os.Lstat(t.Dir); err == nil {
		if err := t.discard(ctx); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(t.space, doneName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := t.tell(false); err != nil { // first, so that a crash leaves something that tells whose it is
		return err
	}
	// Forced twice: a crash may have left git's knowledge of one here, even locked.
	if _, err := t.repo.git.run(ctx, checkoutTime, "worktree", "add", "--force", "--force", "--detach", t.Dir, t.Commit.Hash); err != nil {
		return err
	}
	return t.submodules(ctx)
}

// intact reports whether a kept worktree still is what it was: at its commit, with no
// tracked file changed.
func (t *Tree) intact(ctx context.Context) bool {
	if a := readAbout(t.space); !a.Kept || a.Commit != t.Commit.Hash || a.Repo != t.repo.Dir || a.Purpose != t.purpose {
		return false
	}
	g := git{t.Dir, t.repo.git.environ}
	top, err := g.ask(ctx, "rev-parse", "--show-toplevel")
	if err != nil || !sameFile(top, t.Dir) {
		return false
	}
	head, err := g.ask(ctx, "rev-parse", "HEAD")
	if err != nil || head != t.Commit.Hash {
		return false
	}
	changed, err := g.ask(ctx, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
	return err == nil && changed == ""
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// tell writes down what is known of the worktree.
func (t *Tree) tell(kept bool) error {
	data, err := json.MarshalIndent(about{
		Repo: t.repo.Dir, Commit: t.Commit.Hash, Purpose: t.purpose, Process: os.Getpid(), Made: time.Now().UTC(), Kept: kept,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.space, aboutName), append(data, '\n'), 0o644)
}

// SetUp runs what makes the worktree ready, unless that was done to it before. run is
// bounded by itself. A worktree whose set-up failed is not kept.
func (t *Tree) SetUp(ctx context.Context, run func(context.Context) error) (ran bool, err error) {
	if t.done {
		return false, nil
	}
	if err := run(ctx); err != nil {
		return true, fmt.Errorf("set-up of %q (%s): %w", t.Commit.Ref, t.Commit.Short(), err)
	}
	t.done = true
	return true, os.WriteFile(filepath.Join(t.space, doneName), nil, 0o644)
}

// Close removes the worktree, or keeps it for later runs, and lets others have it.
func (t *Tree) Close(ctx context.Context, keep bool) error {
	if t.lock == nil {
		return nil
	}
	lock := t.lock
	t.lock = nil
	if keep {
		return errors.Join(t.tell(true), lock.Close())
	}
	err := t.discard(ctx)
	if err == nil {
		err = os.RemoveAll(t.space) // with the lock, which is held until it is gone
	}
	closing := lock.Close()
	if err != nil { // some systems do not remove what is open
		err = os.RemoveAll(t.space)
	}
	if err != nil {
		err = fmt.Errorf("worktree %s was not removed: %w; git worktree remove --force %s does it", t.Dir, err, t.Dir)
	}
	return errors.Join(err, closing)
}

// discard removes the worktree and git's knowledge of it, and of no other.
func (t *Tree) discard(ctx context.Context) error {
	if err := os.Remove(filepath.Join(t.space, doneName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, refused := t.repo.git.run(ctx, checkoutTime, "worktree", "remove", "--force", "--force", t.Dir)
	if refused == nil {
		return nil
	}
	// It may never have been one, or half of one: what is left are files.
	if err := os.RemoveAll(t.Dir); err != nil {
		return err
	}
	_, _ = t.repo.git.run(ctx, checkoutTime, "worktree", "remove", "--force", "--force", t.Dir) // known no more, as wanted, if it fails
	return ctx.Err()
}
