package worktree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Repo is a git repository, bare or with a working tree, which is left as it is.
type Repo struct {
	// Dir is the top of its working tree, or the repository itself if it is bare.
	Dir  string
	git  git
	bare bool
}

// Commit is what a ref stood for when it was resolved.
type Commit struct {
	Ref     string // as it was asked for
	Hash    string
	Tree    string // hash of its files: commits of one tree have the same code
	Subject string
}

// Short is enough of its hash to tell commits apart.
func (c Commit) Short() string { return c.Hash[:min(12, len(c.Hash))] }

// Open finds the repository that a directory is in. The environment is that of the git
// program.
func Open(ctx context.Context, dir string, environ []string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", dir, err)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("repository %q: there is no such directory", dir)
	}
	r := &Repo{Dir: abs, git: git{abs, cleanEnviron(environ)}}
	bare, err := r.git.ask(ctx, "rev-parse", "--is-bare-repository")
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", dir, err)
	}
	if r.bare = bare == "true"; r.bare {
		return r, nil
	}
	top, err := r.git.ask(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", dir, err)
	}
	r.Dir = filepath.FromSlash(top)
	r.git.dir = r.Dir
	return r, nil
}

// Resolve says which commit a ref stands for now. A ref that there is not is an error
// with the refs that look like it.
func (r *Repo) Resolve(ctx context.Context, ref string) (Commit, error) {
	if ref == "" || strings.HasPrefix(ref, "-") || strings.ContainsAny(ref, "\n\x00") {
		return Commit{}, fmt.Errorf("ref %q: it is a branch, a tag or a commit", ref)
	}
	hash, err := r.git.ask(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		var refused gitError
		if errors.As(err, &refused) {
			err = r.missing(ctx, ref)
		}
		return Commit{}, err
	}
	about, err := r.git.ask(ctx, "show", "--no-patch", "--no-show-signature", "--format=%T%n%s", hash)
	if err != nil {
		return Commit{}, fmt.Errorf("ref %q: %w", ref, err)
	}
	tree, subject, _ := strings.Cut(about, "\n")
	return Commit{Ref: ref, Hash: hash, Tree: tree, Subject: strings.ToValidUTF8(subject, "\uFFFD")}, nil
}

// missing is the error for a ref that there is not.
func (r *Repo) missing(ctx context.Context, ref string) error {
	text := fmt.Sprintf("there is no branch, tag or commit %q in %s", ref, r.Dir)
	if alike := r.alike(ctx, ref); len(alike) > 0 {
		text += fmt.Sprintf("; did you mean %s?", strings.Join(alike, ", "))
	}
	if shallow, err := r.git.ask(ctx, "rev-parse", "--is-shallow-repository"); err == nil && shallow == "true" {
		return errors.New(text + "; the clone is shallow, so it lacks most commits: git fetch --unshallow, or git fetch origin REF")
	}
	return errors.New(text + "; git fetch gets what others have pushed")
}

const mostAlike = 4

// alike are refs whose names hold the last part of another, remote branches of its
// very name first.
func (r *Repo) alike(ctx context.Context, ref string) []string {
	names, err := r.git.ask(ctx, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
	if err != nil {
		return nil
	}
	last := strings.ToLower(ref[strings.LastIndexByte(ref, '/')+1:])
	var same, alike []string
	for _, name := range strings.Fields(names) {
		switch {
		case strings.HasSuffix(name, "/"+ref):
			same = append(same, name)
		case last != "" && strings.Contains(strings.ToLower(name), last):
			alike = append(alike, name)
		}
	}
	all := slices.Concat(same, alike)
	return all[:min(len(all), mostAlike)]
}

// Uncommitted are tracked files that differ from the commit that is checked out in the
// repository's own working tree: they are in no ref, so they are not under test.
func (r *Repo) Uncommitted(ctx context.Context) ([]string, error) {
	if r.bare {
		return nil, nil
	}
	out, err := r.git.ask(ctx, "status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
	if err != nil {
		return nil, err
	}
	var names []string
	fields := strings.Split(out, "\x00")
	for i := 0; i < len(fields); i++ {
		if len(fields[i]) < 4 {
			continue
		}
		names = append(names, fields[i][3:])
		if fields[i][0] == 'R' || fields[i][0] == 'C' {
			i++ // where it came from
		}
	}
	return names, nil
}

// Changed are the files in which two commits differ.
func (r *Repo) Changed(ctx context.Context, a, b Commit) ([]string, error) {
	if a.Tree == b.Tree {
		return nil, nil
	}
	out, err := r.git.run(ctx, questionTime, "diff", "--name-only", "--no-renames", "-z", a.Hash, b.Hash, "--")
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 }), nil
}

// Blobs are the files of a commit below a path, "" for all: the hash of each content by
// the name relative to that path. Links and submodules are left out.
func (r *Repo) Blobs(ctx context.Context, commit Commit, below string) (map[string]string, error) {
	spec := commit.Hash
	if below != "" {
		spec += ":" + filepath.ToSlash(below)
	}
	out, err := r.git.run(ctx, questionTime, "ls-tree", "-r", "-z", "--full-tree", spec)
	if err != nil {
		return nil, err
	}
	blobs := map[string]string{}
	for entry := range strings.SplitSeq(out, "\x00") {
		about, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(about) // mode, type, hash
		if ok && len(fields) == 3 && strings.HasPrefix(fields[0], "100") {
			blobs[name] = fields[2]
		}
	}
	return blobs, nil
}
