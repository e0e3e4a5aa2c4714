package worktree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"siglab/internal/filelock"
)

// Store is the folder in which worktrees lie: for each repository a folder, in it one
// for each commit and purpose, which holds the worktree, a lock and what is known of it.
type Store struct{ Dir string }

// Names within the folder of a worktree.
const (
	treeName  = "tree"
	lockName  = "lock"
	aboutName = "about.json"
	doneName  = "setup.done"
)

// about is what is known of a worktree besides its files.
type about struct {
	Repo    string    `json:"repo"`
	Commit  string    `json:"commit"`
	Purpose string    `json:"purpose,omitempty"`
	Process int       `json:"process"`
	Made    time.Time `json:"made"`
	Kept    bool      `json:"kept"` // on purpose, for later runs
}

// mostCopies bounds how many runs may have worktrees of one commit and purpose at once.
const mostCopies = 16

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// folder is where the worktrees of a repository lie.
func (s Store) folder(r *Repo) string {
	return filepath.Join(s.Dir, strings.TrimSuffix(filepath.Base(r.Dir), ".git")+"-"+digest(r.Dir))
}

// Take checks a commit out, or takes a worktree that was kept. What was done to it, such
// as a set-up command, is its purpose: worktrees of different purposes are different.
// While it is taken, no other process gets it. End it with Close.
func (s Store) Take(ctx context.Context, r *Repo, commit Commit, purpose string) (*Tree, error) {
	name := commit.Short()
	if purpose != "" {
		name += "-" + digest(purpose)
	}
	for copies := range mostCopies {
		dir := filepath.Join(s.folder(r), name)
		if copies > 0 {
			dir += fmt.Sprintf("-%d", copies+1)
		}
		lock, err := occupy(dir)
		if errors.Is(err, filelock.ErrHeld) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("worktree of %q: %w; SIGLAB_CACHE names another folder", commit.Ref, err)
		}
		t := &Tree{Dir: filepath.Join(dir, treeName), Commit: commit, repo: r, space: dir, purpose: purpose, lock: lock}
		if err := t.fill(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("worktree of %q (%s): %w", commit.Ref, commit.Short(), err), t.Close(context.WithoutCancel(ctx), false))
		}
		return t, nil
	}
	return nil, fmt.Errorf("worktree of %q: %d other runs have one of it", commit.Ref, mostCopies)
}

// occupy makes a folder and locks it. One that is removed meanwhile by its last owner is
// made again.
func occupy(dir string) (*os.File, error) {
	for {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		name := filepath.Join(dir, lockName)
		lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := filelock.Lock(lock); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		mine, err := lock.Stat()
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		if there, err := os.Stat(name); err == nil && os.SameFile(mine, there) {
			return lock, nil
		}
		_ = lock.Close() // of a folder that is gone
	}
}

// Leftovers removes worktrees of a repository that a run left which did not come to its
// end, and names them. Those in use by other processes, and those kept on purpose, stay.
func (s Store) Leftovers(ctx context.Context, r *Repo) (removed []string, err error) {
	entries, err := os.ReadDir(s.folder(r))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, entry := range entries {
		dir := filepath.Join(s.folder(r), entry.Name())
		if !entry.IsDir() || readAbout(dir).Kept {
			continue
		}
		lock, err := occupy(dir)
		if errors.Is(err, filelock.ErrHeld) {
			continue
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		left := readAbout(dir)
		t := &Tree{Dir: filepath.Join(dir, treeName), repo: r, space: dir, lock: lock}
		if left.Kept { // since we looked
			failures = append(failures, lock.Close())
			continue
		}
		text := dir
		if left.Process != 0 {
			text = fmt.Sprintf("%s (of process %d, %s)", dir, left.Process, left.Made.Local().Format(time.DateTime))
		}
		removed = append(removed, text)
		failures = append(failures, t.Close(ctx, false))
	}
	return removed, errors.Join(failures...)
}

// readAbout is what is known of a worktree, nothing if it is not there or not readable.
func readAbout(dir string) about {
	var a about
	data, err := os.ReadFile(filepath.Join(dir, aboutName))
	if err != nil || json.Unmarshal(data, &a) != nil {
		return about{}
	}
	return a
}
