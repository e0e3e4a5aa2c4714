package worktree

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// environ is that of git in tests: no configuration of this machine's user, and
// submodules may come from a directory.
func environ(t *testing.T) []string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	return append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always",
		"GIT_CONFIG_KEY_1=init.defaultBranch", "GIT_CONFIG_VALUE_1=main")
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, environ(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newRepo is a repository with the branches main and feature/fast, of which one file
// differs.
func newRepo(t *testing.T) *Repo {
	t.Helper()
	dir := t.TempDir()
	runGit(t, dir, "init", "-q")
	write(t, dir, "pkg/a.py", "one\n")
	write(t, dir, "README", "text\n")
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "-q", "-m", "first")
	runGit(t, dir, "checkout", "-q", "-b", "feature/fast")
	write(t, dir, "pkg/a.py", "two\n")
	runGit(t, dir, "commit", "-q", "-a", "-m", "make it fast")
	runGit(t, dir, "checkout", "-q", "main")
	return open(t, dir)
}

func open(t *testing.T, dir string) *Repo {
	t.Helper()
	r, err := Open(t.Context(), dir, environ(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func resolve(t *testing.T, r *Repo, ref string) Commit {
	t.Helper()
	c, err := r.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func take(t *testing.T, s Store, r *Repo, ref, purpose string) *Tree {
	t.Helper()
	tree, err := s.Take(t.Context(), r, resolve(t, r, ref), purpose)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close(context.Background(), false) }) // where the test did not come to it
	return tree
}

func content(t *testing.T, names ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(names...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// worktrees are those that git knows of a repository, besides its own.
func worktrees(t *testing.T, r *Repo) int {
	t.Helper()
	return strings.Count(runGit(t, r.Dir, "worktree", "list", "--porcelain"), "worktree ") - 1
}

// TestTakeLeavesTheRepositoryAlone: two refs are checked out at once, and the
// repository's own working tree, index, branch and configuration stay as they are.
func TestTakeLeavesTheRepositoryAlone(t *testing.T) {
	r := newRepo(t)
	write(t, r.Dir, "pkg/a.py", "not committed\n")
	write(t, r.Dir, ".git/hooks/post-checkout", "#!/bin/sh\ntouch \"$(git rev-parse --git-common-dir)/hooked\"\n")
	if err := os.Chmod(filepath.Join(r.Dir, ".git/hooks/post-checkout"), 0o755); err != nil {
		t.Fatal(err)
	}
	config := content(t, r.Dir, ".git/config")
	store := Store{t.TempDir()}
	a, b := take(t, store, r, "main", ""), take(t, store, r, "feature/fast", "")
	if got := [3]string{content(t, a.Dir, "pkg/a.py"), content(t, b.Dir, "pkg/a.py"), content(t, r.Dir, "pkg/a.py")}; got != [3]string{"one\n", "two\n", "not committed\n"} {
		t.Errorf("contents %q", got)
	}
	if changed, err := r.Uncommitted(t.Context()); err != nil || len(changed) != 1 || changed[0] != "pkg/a.py" {
		t.Errorf("uncommitted %q, error %v", changed, err)
	}
	if branch := runGit(t, r.Dir, "branch", "--show-current"); branch != "main" {
		t.Errorf("the repository is on %q", branch)
	}
	for _, tree := range []*Tree{a, b} {
		if err := tree.Close(t.Context(), false); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(tree.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", tree.Dir, err)
		}
	}
	if n := worktrees(t, r); n != 0 {
		t.Errorf("git knows %d worktrees", n)
	}
	if content(t, r.Dir, ".git/config") != config {
		t.Error("the repository's configuration has changed")
	}
	if _, err := os.Stat(filepath.Join(r.Dir, ".git/hooked")); err == nil {
		t.Error("a hook was run")
	}
}

func TestResolve(t *testing.T) {
	r := newRepo(t)
	runGit(t, r.Dir, "tag", "-a", "v1", "-m", "tagged", "main")
	clone := filepath.Join(t.TempDir(), "clone")
	runGit(t, r.Dir, "clone", "-q", "file://"+r.Dir, clone)
	shallow := filepath.Join(t.TempDir(), "shallow")
	runGit(t, r.Dir, "clone", "-q", "--depth", "1", "file://"+r.Dir, shallow)
	bare := filepath.Join(t.TempDir(), "bare.git")
	runGit(t, r.Dir, "clone", "-q", "--bare", "file://"+r.Dir, bare)
	first := runGit(t, r.Dir, "rev-parse", "main")
	for _, test := range []struct{ why, dir, ref, subject, err string }{
		{"a branch", r.Dir, "feature/fast", "make it fast", ""},
		{"a tag, which is an object of its own", r.Dir, "v1", "first", ""},
		{"an abbreviated commit", r.Dir, first[:8], "first", ""},
		{"an expression", r.Dir, "feature/fast~1", "first", ""},
		{"within the repository", filepath.Join(r.Dir, "pkg"), "main", "first", ""},
		{"a bare repository", bare, "feature/fast", "make it fast", ""},
		{"a slip of the finger", r.Dir, "feature/fas", "", "did you mean feature/fast?"},
		{"a branch that only the remote has", clone, "feature/fast", "", "did you mean origin/feature/fast?"},
		{"a commit that a shallow clone lacks", shallow, "v9", "", "git fetch --unshallow"},
		{"a commit that nobody has", r.Dir, strings.Repeat("0", 40), "", "no branch, tag or commit"},
		{"a file, which is no commit", r.Dir, "main:README", "", "no branch, tag or commit"},
		{"an option", r.Dir, "--all", "", "it is a branch"},
		{"nothing", r.Dir, "", "", "it is a branch"},
	} {
		got, err := open(t, test.dir).Resolve(t.Context(), test.ref)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q in it", test.why, err, test.err)
			}
			continue
		}
		if err != nil || got.Subject != test.subject || len(got.Hash) != 40 || len(got.Tree) != 40 {
			t.Errorf("%s: %+v, error %v", test.why, got, err)
		}
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(r.Dir, "none")} {
		if _, err := Open(t.Context(), dir, environ(t)); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("Open(%s): error %v", dir, err)
		}
	}
}

// TestSetUpRunsOnce: a set-up is done once per commit and command, also by later runs
// if its worktree is kept; one that fails is done again, and nothing of it is kept.
func TestSetUpRunsOnce(t *testing.T) {
	r, store := newRepo(t), Store{t.TempDir()}
	runs := 0
	setUp := func(tree *Tree, fails error) (bool, error) {
		return tree.SetUp(t.Context(), func(context.Context) error {
			runs++
			write(t, tree.Dir, "built", "product")
			return fails
		})
	}
	tree := take(t, store, r, "main", "make")
	if ran, err := setUp(tree, errors.New("exit status 2")); !ran || err == nil || !strings.Contains(err.Error(), `set-up of "main"`) {
		t.Errorf("a failing set-up: ran %v, error %v", ran, err)
	}
	for _, want := range []bool{true, false} {
		if ran, err := setUp(tree, nil); ran != want || err != nil {
			t.Errorf("ran %v, want %v; error %v", ran, want, err)
		}
	}
	if err := tree.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	again := take(t, store, r, "main", "make")
	if ran, err := setUp(again, nil); ran || err != nil || !again.Reused || content(t, again.Dir, "built") != "product" {
		t.Errorf("after it was kept: ran %v, reused %v, error %v", ran, again.Reused, err)
	}
	other := take(t, store, r, "main", "make all")
	if ran, err := setUp(other, nil); !ran || err != nil || other.Dir == again.Dir {
		t.Errorf("another command: ran %v, error %v", ran, err)
	}
	write(t, again.Dir, "pkg/a.py", "changed by hand\n")
	if err := again.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	afresh := take(t, store, r, "main", "make")
	if ran, err := setUp(afresh, nil); !ran || err != nil || afresh.Reused || content(t, afresh.Dir, "pkg/a.py") != "one\n" {
		t.Errorf("a kept worktree that was changed: ran %v, reused %v, error %v", ran, afresh.Reused, err)
	}
	if runs != 4 {
		t.Errorf("the set-up ran %d times", runs)
	}
}

// TestLeftovers: what a crash left is named and removed; what is in use, kept, or not
// ours is not.
func TestLeftovers(t *testing.T) {
	r, store := newRepo(t), Store{t.TempDir()}
	crashed := take(t, store, r, "main", "")
	_ = crashed.lock.Close() // as the end of a process does
	crashed.lock = nil
	half, err := occupy(filepath.Join(store.folder(r), "half"))
	if err != nil {
		t.Fatal(err)
	}
	_ = half.Close() // as above
	kept := take(t, store, r, "main", "kept")
	if err := kept.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	used := take(t, store, r, "feature/fast", "")
	theirs := filepath.Join(t.TempDir(), "theirs")
	runGit(t, r.Dir, "worktree", "add", "-q", "--detach", theirs)
	if err := os.RemoveAll(theirs); err != nil { // on a disk that is not mounted, say
		t.Fatal(err)
	}
	removed, err := store.Leftovers(t.Context(), r)
	if err != nil || len(removed) != 2 || !strings.Contains(strings.Join(removed, " "), "of process") {
		t.Errorf("removed %q, error %v", removed, err)
	}
	var left []string
	for name, dir := range map[string]string{"crashed": crashed.Dir, "kept": kept.Dir, "used": used.Dir} {
		if _, err := os.Stat(dir); err == nil {
			left = append(left, name)
		}
	}
	if len(left) != 2 || worktrees(t, r) != 3 {
		t.Errorf("left are %q, and git knows %d worktrees, one of them somebody else's", left, worktrees(t, r))
	}
	if removed, err := store.Leftovers(t.Context(), r); err != nil || len(removed) != 0 {
		t.Errorf("once more: removed %q, error %v", removed, err)
	}
}

// TestTakeTwice: two runs that want the same commit have a worktree each.
func TestTakeTwice(t *testing.T) {
	r, store := newRepo(t), Store{t.TempDir()}
	a, b := take(t, store, r, "main", ""), take(t, store, r, "main", "")
	if a.Dir == b.Dir {
		t.Errorf("both have %s", a.Dir)
	}
}

// TestSubmodules: they are checked out, those within them too, and the repository's
// configuration does not learn of them.
func TestSubmodules(t *testing.T) {
	inner, outer := newRepo(t), newRepo(t)
	runGit(t, outer.Dir, "submodule", "--quiet", "add", inner.Dir, "inner")
	runGit(t, outer.Dir, "commit", "-q", "-m", "with a submodule")
	top := t.TempDir()
	runGit(t, top, "init", "-q")
	runGit(t, top, "config", "remote.origin.url", filepath.Join(filepath.Dir(outer.Dir), "elsewhere"))
	runGit(t, top, "-c", "remote.origin.url="+outer.Dir, "submodule", "--quiet", "add", "../"+filepath.Base(outer.Dir), "outer")
	runGit(t, top, "commit", "-q", "-m", "with submodules")
	runGit(t, top, "config", "--remove-section", "submodule.outer")
	config := content(t, top, ".git/config")
	r, store := open(t, top), Store{t.TempDir()}
	tree := take(t, store, r, "main", "")
	if got := content(t, tree.Dir, "outer/inner/pkg/a.py"); got != "one\n" {
		t.Errorf("content %q", got)
	}
	if err := tree.Close(t.Context(), false); err != nil || worktrees(t, r) != 0 {
		t.Errorf("error %v, %d worktrees", err, worktrees(t, r))
	}
	if content(t, top, ".git/config") != config {
		t.Error("the repository's configuration has changed")
	}
	if err := os.RemoveAll(outer.Dir); err != nil {
		t.Fatal(err)
	}
	_, err := store.Take(t.Context(), r, resolve(t, r, "main"), "")
	if err == nil || !strings.Contains(err.Error(), "its submodules") || worktrees(t, r) != 0 {
		t.Errorf("a submodule that cannot be had: error %v, %d worktrees", err, worktrees(t, r))
	}
}

// TestTakeCancelled: what was begun is removed.
func TestTakeCancelled(t *testing.T) {
	r, store := newRepo(t), Store{t.TempDir()}
	commit := resolve(t, r, "main")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Take(ctx, r, commit, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(store.folder(r))
	if err != nil || len(entries) != 0 || worktrees(t, r) != 0 {
		t.Errorf("%d entries are left (error %v)", len(entries), err)
	}
}

// TestTakeWithoutPermission names the folder and another way.
func TestTakeWithoutPermission(t *testing.T) {
	r := newRepo(t)
	file := filepath.Join(t.TempDir(), "file") // where root may not make a folder either
	write(t, filepath.Dir(file), "file", "")
	_, err := Store{file}.Take(t.Context(), r, resolve(t, r, "main"), "")
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "SIGLAB_CACHE") {
		t.Errorf("error %v", err)
	}
}

func TestChangedAndBlobs(t *testing.T) {
	r := newRepo(t)
	a, b := resolve(t, r, "main"), resolve(t, r, "feature/fast")
	if changed, err := r.Changed(t.Context(), a, b); err != nil || len(changed) != 1 || changed[0] != "pkg/a.py" {
		t.Errorf("changed %q, error %v", changed, err)
	}
	blobs, err := r.Blobs(t.Context(), a, "pkg")
	if diff := cmp.Diff(map[string]string{"a.py": "5626abf0f72e58d7a153368ba57db4c673c0e171"}, blobs); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestRelativeTo(t *testing.T) {
	for _, test := range []struct{ base, address, want string }{
		{"https://host/a/b", "../c", "https://host/a/c"},
		{"git@host:a/b", "../../c", "git@host:c"},
		{"/srv/a", "./c", "/srv/a/c"},
	} {
		if got := relativeTo(test.base, test.address); got != test.want {
			t.Errorf("%s from %s: %s, want %s", test.address, test.base, got, test.want)
		}
	}
}

// TestLink: an overlay gets what a build made, and nothing that the commit has removed.
func TestLink(t *testing.T) {
	r, store := newRepo(t), Store{t.TempDir()}
	write(t, r.Dir, ".gitignore", "*.so\npkg/_version.py\n__pycache__\n")
	runGit(t, r.Dir, "add", ".")
	runGit(t, r.Dir, "commit", "-q", "-m", "ignore")
	tree := take(t, store, r, "main", "overlay")
	installed := t.TempDir()
	for _, name := range []string{"a.py", "removed.py", "_version.py", "_C.abi3.so", "deep/x.so", "__pycache__/a.pyc"} {
		write(t, installed, name, "installed")
	}
	linked, err := tree.Link(t.Context(), "pkg", installed)
	slices.Sort(linked)
	if diff := cmp.Diff([]string{"pkg/_C.abi3.so", "pkg/_version.py", "pkg/deep/x.so"}, linked); diff != "" || err != nil {
		t.Fatalf("error %v (-want +got):\n%s", err, diff)
	}
	if content(t, tree.Dir, "pkg/deep/x.so") != "installed" || content(t, tree.Dir, "pkg/a.py") != "one\n" {
		t.Error("the overlay is not what it should be")
	}
	if again, err := tree.Link(t.Context(), "pkg", installed); err != nil || len(again) != 0 {
		t.Errorf("once more: %q, error %v", again, err)
	}
	if itself, err := tree.Link(t.Context(), "pkg", filepath.Join(tree.Dir, "pkg")); err != nil || len(itself) != 0 {
		t.Errorf("an editable installation of it: %q, error %v", itself, err)
	}
	if err := tree.Close(t.Context(), false); err != nil || content(t, installed, "_C.abi3.so") != "installed" {
		t.Errorf("error %v, or what is installed is gone", err)
	}
}

func TestNeedsBuild(t *testing.T) {
	got := NeedsBuild([]string{"vllm/a.py", "csrc/x.cu", "CMakeLists.txt", "doc/c.md"})
	if diff := cmp.Diff([]string{"csrc/x.cu", "CMakeLists.txt"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
