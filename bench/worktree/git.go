// Package worktree checks commits of a git repository out into worktrees of their own,
// so that several of them can be under test at once and nobody's checkout is touched.
//
// It drives the git program: its worktrees are what every other tool on the machine
// sees, filters and submodules work, and no library offers them (doc/decisions has
// more).
package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Bounds of one call of git: questions are answered at once, a checkout of a large
// repository and the fetching of submodules take a while.
const (
	questionTime = 30 * time.Second
	checkoutTime = 15 * time.Minute
	waitDelay    = 5 * time.Second // for what a program that was ended has left running
)

// git runs the git program in a directory.
type git struct {
	dir     string
	environ []string
}

// cleanEnviron is an environment without what points git at some repository, as its
// own hooks have it, in plain English and without questions to the terminal.
func cleanEnviron(environ []string) []string {
	steers := []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX", "LC_ALL", "LANGUAGE", "GIT_TERMINAL_PROMPT"}
	kept := slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(steers, name)
	})
	return append(kept, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
}

// ask runs a question and returns its answer without the last line's end.
func (g git) ask(ctx context.Context, args ...string) (string, error) {
	out, err := g.run(ctx, questionTime, args...)
	return strings.TrimRight(out, "\r\n"), err
}

// run runs git, for a time at most, and returns its output. The error has the last
// lines of what git said. Hooks are not run: a checkout for a measurement is nobody's
// commit.
func (g git) run(ctx context.Context, bound time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	argv := append([]string{"-C", g.dir, "-c", "core.hooksPath=" + os.DevNull, "-c", "advice.detachedHead=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", argv...)
	cmd.Env, cmd.WaitDelay = g.environ, waitDelay
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("git is needed for servers by ref and is not installed, or not on PATH")
	case ctx.Err() != nil:
		return "", fmt.Errorf("git %s: %w", args[0], context.Cause(ctx))
	}
	return "", gitError{args[0], lastWords(said.String()), err}
}

// gitError is a call of git that failed.
type gitError struct {
	command string
	said    string
	err     error
}

func (e gitError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.said)
}

func (e gitError) Unwrap() error { return e.err }

// Bounds of what is quoted of a program's output.
const (
	mostQuoted = 6
	mostLine   = 300
)

// lastWords are the last lines of a text, in one.
func lastWords(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			if len(line) > mostLine {
				line = strings.ToValidUTF8(line[:mostLine], "") + "…"
			}
			lines = append(lines, line)
		}
	}
	if len(lines) > mostQuoted {
		lines = lines[len(lines)-mostQuoted:]
	}
	return strings.ToValidUTF8(strings.Join(lines, " | "), "\uFFFD")
}
