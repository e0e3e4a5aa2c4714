package variant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"siglab/bench/fingerprint"
	"siglab/bench/launch"
	"siglab/bench/record"
)

// Origin is the code that a command's server must have loaded.
type Origin struct {
	Commit string
	// Worktree is where the commit is checked out; Others are folders of other code of
	// the same repository, of which nothing may be loaded.
	Worktree string
	Others   []string

	Module string            // Python package that must be the commit's; "": none
	Blobs  map[string]string // git's hashes of its files, by their names within it
	Log    *regexp.Regexp    // finds the commit in the log; nil: it is not there
}

// mostLog bounds how much of a log is searched, in bytes from a server's start.
const mostLog = 16 << 20

// Foresee says, before anything is started, which code the command will load, as far
// as its interpreter can be known by then.
func (c *Command) Foresee(ctx context.Context) record.Code {
	code := c.newCode()
	if c.Origin.Module == "" {
		code.Detail = "it is known when the server runs"
		return code
	}
	in, ok := fingerprint.FindPython(c.filled(c.Argv, c.Port), c.dir(), c.environ(c.Port))
	if !ok {
		code.Detail = fmt.Sprintf("the interpreter of %q is known when it runs", c.Argv[0])
		return code
	}
	return c.byModule(ctx, in)
}

// Loaded says which code the running server has loaded.
func (c *Command) Loaded(ctx context.Context) record.Code {
	code := c.newCode()
	switch {
	case c.process == nil:
		code.Detail = "the server does not run"
	case c.Origin.Log != nil:
		return c.byLog()
	case c.Origin.Module != "":
		if in, ok := c.python(ctx); ok {
			return c.byModule(ctx, in)
		}
		code.Detail = fmt.Sprintf("the interpreter of %q was not found among its processes, nor by its command; commit_log can tell the commit", c.Argv[0])
	default:
		return c.byProcess(ctx)
	}
	return code
}

func (c *Command) newCode() record.Code {
	return record.Code{Variant: c.Name, Found: record.CodeUnknown, Commit: c.Origin.Commit}
}

// python is how the server's interpreter was called: as its process tells, else as its
// command does.
func (c *Command) python(ctx context.Context) (fingerprint.Invocation, bool) {
	if in, ok := fingerprint.Python(fingerprint.Tree(ctx, c.process.PID())); ok {
		return in, true
	}
	return fingerprint.FindPython(c.filled(c.Argv, c.served), c.dir(), c.environ(c.served))
}

// byModule asks the interpreter where the module comes from, and compares what lies
// there with the commit: it may be the worktree, or what was installed from it.
func (c *Command) byModule(ctx context.Context, in fingerprint.Invocation) record.Code {
	code := c.newCode()
	code.How = record.CodeByModule
	o := c.Origin
	installed, err := in.Ask(ctx, o.Module)
	if err != nil {
		code.Detail = err.Error()
		return code
	}
	if c.process != nil {
		c.answer = &installed
	}
	if installed.Origin == "" {
		code.Found = record.CodeWrong
		code.Detail = fmt.Sprintf("%s has no module %q; a set-up command can install it, or an overlay put the worktree on PYTHONPATH", installed.Executable, o.Module)
		return code
	}
	code.File = installed.Origin
	if data, err := os.ReadFile(installed.Origin); err == nil {
		sum := sha256.Sum256(data)
		code.SHA256 = hex.EncodeToString(sum[:])
	}
	folder := filepath.Dir(installed.Origin)
	if info, err := os.Stat(installed.Origin); err == nil && info.IsDir() { // a package without __init__.py
		folder = installed.Origin
	}
	found, err := fingerprint.CompareBlobs(folder, o.Blobs, ".py")
	if err != nil {
		code.Detail = err.Error()
		return code
	}
	code.Files = found.Same
	place := "an installation"
	if within(installed.Origin, o.Worktree) {
		place = "the worktree"
	}
	if odd := slices.Concat(found.Changed, found.Missing); len(odd) > 0 || found.Same == 0 {
		code.Found = record.CodeWrong
		code.Detail = fmt.Sprintf("%s loads %s, where %d of %d files are not as in commit %.12s%s", installed.Executable, installed.Origin, len(odd), len(odd)+found.Same, o.Commit, first(odd))
		return code
	}
	code.Found = record.CodeRight
	code.Detail = fmt.Sprintf("%s loads %s, %s whose %d files of %s are those of commit %.12s", installed.Executable, installed.Origin, place, found.Same, o.Module, o.Commit)
	return code
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (the first: " + names[0] + ")"
}

// byProcess looks which files the server's processes have loaded.
func (c *Command) byProcess(ctx context.Context) record.Code {
	code := c.newCode()
	code.How = record.CodeByProcess
	var own, all []string
	for _, p := range fingerprint.Tree(ctx, c.process.PID()) {
		for _, file := range p.Files {
			all = append(all, file)
			if within(file, c.Origin.Worktree) {
				own = append(own, file)
				continue
			}
			for _, other := range c.Origin.Others {
				if within(file, other) && !within(c.Origin.Worktree, other) {
					code.Found, code.File = record.CodeWrong, file
					code.Detail = fmt.Sprintf("process %d has loaded %s, which is other code of the same repository", p.PID, file)
					return code
				}
			}
		}
	}
	switch {
	case len(all) == 0:
		code.Detail = "the system does not tell which files its processes have loaded"
	case len(own) == 0:
		code.Detail = "none of the files that its processes have loaded lies in the worktree, as with interpreters: module or commit_log can tell the code"
	default:
		code.Found, code.File, code.Files = record.CodeRight, own[0], len(slices.Compact(slices.Sorted(slices.Values(own))))
		if data, err := os.ReadFile(own[0]); err == nil {
			sum := sha256.Sum256(data)
			code.SHA256 = hex.EncodeToString(sum[:])
		}
		code.Detail = fmt.Sprintf("its processes have loaded %d files of the worktree (%s), and none of other code of the repository", code.Files, own[0])
	}
	return code
}

// within reports whether a file lies in a folder, links followed.
func within(file, folder string) bool {
	if folder == "" {
		return false
	}
	for _, path := range []*string{&file, &folder} {
		if real, err := filepath.EvalSymlinks(*path); err == nil {
			*path = real
		}
	}
	rel, err := filepath.Rel(folder, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// fewestDigits of an abbreviated commit tell it apart.
const fewestDigits = 7

// byLog looks for the commit in what the server has logged since its start.
func (c *Command) byLog() record.Code {
	code := c.newCode()
	code.How = record.CodeByLog
	path, from := c.process.Log()
	code.File = path
	text, err := readFrom(path, from)
	if err != nil {
		code.Detail = err.Error()
		return code
	}
	m := c.Origin.Log.FindSubmatch(text)
	if m == nil {
		code.Detail = fmt.Sprintf("no line of %s matches %q", path, c.Origin.Log)
		return code
	}
	said := strings.ToLower(string(m[len(m)-1]))
	switch {
	case len(said) < fewestDigits:
		code.Detail = fmt.Sprintf("%q in its log is too short to tell a commit", said)
	case strings.HasPrefix(c.Origin.Commit, said):
		code.Found, code.Detail = record.CodeRight, fmt.Sprintf("its log says %q", bytes.TrimSpace(m[0]))
	default:
		code.Found, code.Detail = record.CodeWrong, fmt.Sprintf("its log says %q, which is not commit %.12s", bytes.TrimSpace(m[0]), c.Origin.Commit)
	}
	return code
}

// readFrom is what a log holds from a position on.
func readFrom(path string, from int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	return io.ReadAll(io.NewSectionReader(f, from, mostLog))
}

// Program is another program of the variant, such as its set-up, in the surroundings of
// the server: its directory, environment and placeholders, and held as it is.
func (c *Command) Program(argv []string) launch.Spec {
	return launch.Spec{Name: c.Name, Argv: c.filled(argv, c.Port), Env: c.environ(c.Port), Dir: c.dir(), Holder: c.Holder}
}

// Installed is the folder of the package that the command's interpreter would load if
// there were no worktree.
func (c *Command) Installed(ctx context.Context, module string) (string, error) {
	without := *c
	without.PythonPath = ""
	in, ok := fingerprint.FindPython(c.filled(c.Argv, c.Port), c.dir(), without.environ(c.Port))
	if !ok {
		return "", fmt.Errorf("overlay: the interpreter of %q is not known; name one whose packages are to be used, as in 'PYTHON -m …', or a script of its own", c.Argv[0])
	}
	in.Path0, in.Dir = "", os.TempDir() // where no package lies
	installed, err := in.Ask(ctx, module)
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	if installed.Origin == "" {
		return "", fmt.Errorf("overlay: %s has no package %q installed to put the worktree in front of", installed.Executable, module)
	}
	return filepath.Dir(installed.Origin), nil
}
