//go:build unix

package variant

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"siglab/bench/launch"
	"siglab/bench/record"
)

// The test binary plays the holder, an interpreter that is asked and that serves, and a
// native server.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	switch {
	case len(os.Args) > 4 && os.Args[1] == "--grace":
		if launch.Hold(context.Background(), os.Args[4:], os.Stdin, os.Stdout, os.Stderr, 2*time.Second) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case name == "python3" && len(os.Args) > 1 && os.Args[1] == "-c":
		fmt.Printf(`{"executable": %q, "version": "3.0", "origin": %q, "packages": {"p": "1"}}`+"\n", os.Args[0], os.Getenv("VARIANT_TEST_ORIGIN"))
		os.Exit(0)
	case name == "python3" || name == "native":
		fmt.Println("serving commit", os.Getenv("VARIANT_TEST_COMMIT"))
		http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
		fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[len(os.Args)-1], nil))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func blob(text string) string {
	sum := sha1.Sum([]byte(fmt.Sprintf("blob %d\x00%s", len(text), text)))
	return hex.EncodeToString(sum[:])
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// program is the test binary under another name, as a copy of its own file: what a
// process has mapped is told with links followed.
func program(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(data))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

const testCommit = "0123456789abcdef0123456789abcdef01234567"

// testCommand starts in a worktree whose module m has two files.
func testCommand(t *testing.T, argv ...string) *Command {
	t.Helper()
	worktree := t.TempDir()
	put(t, filepath.Join(worktree, "m/__init__.py"), "")
	put(t, filepath.Join(worktree, "m/a.py"), "one\n")
	return &Command{
		Name: "v", Argv: argv, Environ: []string{"VARIANT_TEST_ORIGIN=" + filepath.Join(worktree, "m/__init__.py")}, Worktree: worktree,
		Holder: []string{os.Args[0]}, Log: filepath.Join(t.TempDir(), "log"), Timeout: 20 * time.Second, Grace: time.Second, Ready: "/health",
		Origin: &Origin{Commit: testCommit, Worktree: worktree, Module: "m", Blobs: map[string]string{"__init__.py": blob(""), "a.py": blob("one\n"), "data.json": blob("x")}},
	}
}

// TestLoadedModule: the files that the interpreter would load are compared with the
// commit's, wherever they lie.
func TestLoadedModule(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python3")
	if err := os.Symlink(os.Args[0], python); err != nil {
		t.Skip(err)
	}
	site := t.TempDir()
	origin := func(name string) string { return "VARIANT_TEST_ORIGIN=" + filepath.Join(site, name, "__init__.py") }
	for name, text := range map[string]string{"same/__init__.py": "", "same/a.py": "one\n", "old/__init__.py": "", "old/a.py": "two\n", "half/__init__.py": ""} {
		put(t, filepath.Join(site, name), text)
	}
	for _, test := range []struct {
		why, env string
		found    record.CodeVerdict
		detail   string
	}{
		{"the worktree itself", "X=y", record.CodeRight, "the worktree whose 2 files of m"},
		{"an installation of the commit", origin("same"), record.CodeRight, "an installation whose 2 files"},
		{"an installation of another commit", origin("old"), record.CodeWrong, "1 of 2 files are not as in commit 0123456789ab (the first: a.py)"},
		{"an installation that lacks a file", origin("half"), record.CodeWrong, "the first: a.py"},
		{"no such module", "VARIANT_TEST_ORIGIN=", record.CodeWrong, `no module "m"`},
		{"nothing there", origin("gone"), record.CodeWrong, "2 of 2 files"},
	} {
		c := testCommand(t, python, "-m", "m", "{port}")
		c.Env = []string{test.env}
		if code := c.Foresee(t.Context()); code.Found != test.found || !strings.Contains(code.Detail, test.detail) || code.How != record.CodeByModule {
			t.Errorf("%s: %+v, want %s, %q", test.why, code, test.found, test.detail)
		}
	}
	wrapped := testCommand(t, "sh", "-c", "exec server {port}")
	if code := wrapped.Foresee(t.Context()); code.Found != record.CodeUnknown || !strings.Contains(code.Detail, "known when it runs") {
		t.Errorf("a wrapper: %+v", code)
	}
	if code := wrapped.Loaded(t.Context()); code.Found != record.CodeUnknown {
		t.Errorf("a server that does not run: %+v", code)
	}
}

// TestLoadedRunning: what is asked of a server that runs.
func TestLoadedRunning(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems tell less of a process")
	}
	bin := t.TempDir()
	python, outside := program(t, filepath.Join(bin, "python3")), program(t, filepath.Join(bin, "native"))
	for _, test := range []struct {
		why    string
		change func(c *Command)
		found  record.CodeVerdict
		detail string
	}{
		{"behind a wrapper, its process tells the interpreter", func(c *Command) { c.Argv = []string{"sh", "-c", python + " -m m {port}; exit"} }, record.CodeRight, "2 files of m"},
		{"its log tells the commit", func(c *Command) {
			c.Origin.Log, c.Env = regexp.MustCompile(`serving commit (\w+)`), []string{"VARIANT_TEST_COMMIT=" + testCommit[:9]}
		}, record.CodeRight, `its log says "serving commit 012345678"`},
		{"its log tells another commit", func(c *Command) {
			c.Origin.Log, c.Env = regexp.MustCompile(`serving commit (\w+)`), []string{"VARIANT_TEST_COMMIT=fedcba98"}
		}, record.CodeWrong, "is not commit 0123456789ab"},
		{"its log tells too little", func(c *Command) {
			c.Origin.Log, c.Env = regexp.MustCompile(`serving commit (\w+)`), []string{"VARIANT_TEST_COMMIT=01"}
		}, record.CodeUnknown, "too short"},
		{"a program of the worktree", func(c *Command) {
			c.Origin.Module, c.Argv = "", []string{program(t, filepath.Join(c.Worktree, "native")), "{port}"}
		}, record.CodeRight, "1 files of the worktree"},
		{"a program of the repository's own checkout", func(c *Command) {
			c.Origin.Module, c.Origin.Others, c.Argv = "", []string{bin}, []string{outside, "{port}"}
		}, record.CodeWrong, "other code of the same repository"},
		{"a program of neither", func(c *Command) { c.Origin.Module, c.Argv = "", []string{outside, "{port}"} }, record.CodeUnknown, "none of the files"},
	} {
		c := testCommand(t, python, "-m", "m", "{port}")
		test.change(c)
		c.Environ = append(c.Environ, "PATH="+os.Getenv("PATH"))
		if _, err := c.Start(t.Context()); err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		code, print := c.Loaded(t.Context()), c.Fingerprint(t.Context())
		if code.Found != test.found || !strings.Contains(code.Detail, test.detail) {
			t.Errorf("%s: %+v, want %s, %q", test.why, code, test.found, test.detail)
		}
		if text := strings.Join(print.Argv, " "); !strings.Contains(text, "{port}") || strings.Contains(text, c.Worktree) {
			t.Errorf("%s: command line %q", test.why, text)
		}
		if runsPython := c.Origin.Module != ""; (print.Python != nil) != runsPython {
			t.Errorf("%s: fingerprint %+v", test.why, print)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Errorf("%s: %v", test.why, err)
		}
	}
}

// TestPythonPath: an overlay comes before what the user has on the path.
func TestPythonPath(t *testing.T) {
	c := Command{PythonPath: "/w", Environ: []string{"PYTHONPATH=/user"}}
	if env := c.environ(1); env[len(env)-1] != "PYTHONPATH=/w:/user" {
		t.Errorf("environment %q", env)
	}
	c.Env = []string{"PYTHONPATH="}
	if env := c.environ(1); env[len(env)-1] != "PYTHONPATH=/w" {
		t.Errorf("environment %q", env)
	}
}

// TestAnotherProgramOnThePort: a server that cannot have its port is not mistaken for
// the one that has.
func TestAnotherProgramOnThePort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not tell whose a port is")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }() // until it is closed
	defer func() { _ = server.Close() }()
	c := testCommand(t, "sleep", "60")
	c.Ready = "http://" + l.Addr().String() + "/health"
	c.Port = l.Addr().(*net.TCPAddr).Port
	spec, err := c.spec(c.Port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.launch(t.Context(), c.Port, spec); err == nil || !strings.Contains(err.Error(), "another program answers on its port") {
		t.Errorf("error %v", err)
	}
	if c.process != nil {
		t.Error("it is taken for running")
	}
}
