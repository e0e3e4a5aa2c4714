package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Link completes a Python package of the worktree with what an installation of it has
// beyond its source, so that it can be loaded instead: files that the worktree lacks and
// that the repository ignores, which is what it calls products of its build. A module
// that the commit does not have any more is not ignored, so it does not come back.
//
// pkg is the package's path in the repository, installed its folder elsewhere. Files are
// linked, not copied: compiled modules are large.
func (t *Tree) Link(ctx context.Context, pkg, installed string) (linked []string, err error) {
	if real, err := filepath.EvalSymlinks(installed); err == nil {
		installed = real
	}
	if sameFile(installed, filepath.Join(t.Dir, filepath.FromSlash(pkg))) {
		return nil, nil
	}
	candidates, err := t.lacks(pkg, installed)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	ignored, err := t.ignored(ctx, candidates)
	if err != nil {
		return nil, err
	}
	for _, name := range ignored {
		to := filepath.Join(t.Dir, filepath.FromSlash(name))
		from := filepath.Join(installed, filepath.FromSlash(strings.TrimPrefix(name, pkg+"/")))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, err
		}
		if err := os.Symlink(from, to); err != nil {
			return nil, fmt.Errorf("overlay: %w", err)
		}
	}
	return ignored, nil
}

// lacks are files of an installation that the worktree has not, by their names in the
// repository.
func (t *Tree) lacks(pkg, installed string) (names []string, err error) {
	err = filepath.WalkDir(installed, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "__pycache__" {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(installed, file)
		if err != nil {
			return err
		}
		name := path.Join(pkg, filepath.ToSlash(rel))
		if _, err := os.Lstat(filepath.Join(t.Dir, filepath.FromSlash(name))); errors.Is(err, os.ErrNotExist) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("overlay of %s: %w", installed, err)
	}
	return names, nil
}

// ignored are those of some names that the repository ignores.
func (t *Tree) ignored(ctx context.Context, names []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "-C", t.Dir, "check-ignore", "--stdin", "-z")
	cmd.Env, cmd.WaitDelay = t.repo.git.environ, waitDelay
	cmd.Stdin = strings.NewReader(strings.Join(names, "\x00") + "\x00")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 { // none of them
		return nil, nil
	}
	if err != nil {
		return nil, gitError{"check-ignore", lastWords(said.String()), err}
	}
	return strings.FieldsFunc(out.String(), func(c rune) bool { return c == 0 }), nil
}

// builtEnds are ends of the names of files that a build makes something of.
var builtEnds = []string{".c", ".cc", ".cpp", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".pyx", ".pxd", ".rs", ".s", ".S", ".go", "CMakeLists.txt", ".cmake"}

// NeedsBuild are those of some files that have to be built before they count: an overlay
// of Python code shows nothing of them.
func NeedsBuild(names []string) []string {
	var out []string
	for _, name := range names {
		for _, end := range builtEnds {
			if strings.HasSuffix(name, end) {
				out = append(out, name)
				break
			}
		}
	}
	return out
}
