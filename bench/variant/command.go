package variant

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"siglab/bench/fingerprint"
	"siglab/bench/launch"
)

// Command is a server that a command starts, a fresh one at every Start, with
// everything that it starts itself. It is for one goroutine.
//
// In Argv and Env, {port} stands for the server's port, {model} for the model and
// {worktree} for its worktree, else its working directory.
type Command struct {
	Name    string
	Argv    []string
	Env     []string // NAME=VALUE, besides Environ
	Environ []string // what this program has
	Dir     string   // working directory; "": this program's
	Model   string
	Port    int           // 0: a free one
	Ready   string        // path, or URL, that answers 200 when it is ready; "": /health or /v1/models
	Timeout time.Duration // until it is ready; 0: 5 min
	Grace   time.Duration // of each step of its end; 0: 10 s
	Holder  []string      // command that calls launch.Hold
	Log     string

	// Worktree is what {worktree} stands for, and the working directory that Dir is
	// relative to; "": the working directory. Origin is the code that must be loaded from
	// it; nil: any.
	Worktree string
	Origin   *Origin
	// PythonPath is put in front of PYTHONPATH; "": nothing is.
	PythonPath string

	process *launch.Process
	served  int // port of the running server
	// answer is what its interpreter said of itself; nil: it was not asked yet.
	answer *fingerprint.Installation
}

const (
	commandTimeout = 5 * time.Minute // a large model is loaded and compiled in minutes
	commandGrace   = 10 * time.Second
)

// Check reports what keeps a command from being one, before anything is started.
func (c *Command) Check() error {
	uses := func(s string) bool { return strings.Contains(s, "{port}") }
	switch {
	case len(c.Argv) == 0 || c.Argv[0] == "":
		return errors.New("there is no program")
	case c.Port == 0 && !slices.ContainsFunc(slices.Concat(c.Argv, c.Env), uses) && !strings.Contains(c.Ready, "://"):
		return errors.New("nobody knows where it will listen: write {port} where the command takes its port, or give --port")
	case c.Ready != "" && !strings.HasPrefix(c.Ready, "/") && !strings.Contains(c.Ready, "://"):
		return fmt.Errorf("ready %q: it is a path such as /health, or a URL", c.Ready)
	case c.Timeout < 0:
		return fmt.Errorf("ready time-out %v: it is above 0", c.Timeout)
	}
	if c.Dir != "" && filepath.IsAbs(c.Dir) {
		if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
			return fmt.Errorf("its directory %q is none", c.Dir)
		}
	}
	return nil
}

// Start starts the command and waits until the server is ready.
func (c *Command) Start(ctx context.Context) (string, error) {
	if c.process != nil {
		return "", fmt.Errorf("variant %q is running already", c.Name)
	}
	port, err := c.port()
	if err != nil {
		return "", fmt.Errorf("variant %q: %w", c.Name, err)
	}
	spec, err := c.spec(port)
	if err != nil {
		return "", fmt.Errorf("variant %q: %w", c.Name, err)
	}
	return c.launch(ctx, port, spec)
}

// launch starts the server and makes sure that it is the one that answers.
func (c *Command) launch(ctx context.Context, port int, spec launch.Spec) (string, error) {
	p, base, err := launch.Start(ctx, spec)
	if err != nil {
		return "", err
	}
	if pid := launch.Listener(port); pid != 0 && !p.Holds(pid) {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*spec.StopGrace)
		defer cancel()
		_ = p.Stop(stopCtx) // it serves nobody
		return "", fmt.Errorf("variant %q: another program answers on its port %d%s; leave --port out for a free one", c.Name, port, whoListens(port))
	}
	c.process, c.served, c.answer = p, port, nil
	return base, nil
}

// port is a port that nobody listens on.
func (c *Command) port() (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)))
	if err != nil {
		return 0, fmt.Errorf("port %d cannot be had%s; leave --port out for a free one: %w", c.Port, whoListens(c.Port), err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// whoListens names the process that listens on a port, as far as this user may know:
// it may be left over from a run that crashed, and is never ended for its name.
func whoListens(port int) string {
	pid := launch.Listener(port)
	if pid == 0 {
		return ""
	}
	what := ""
	if p, err := process.NewProcess(int32(pid)); err == nil {
		if name, err := p.Name(); err == nil {
			what = " (" + name + ")" // not its command line, which may hold secrets
		}
	}
	return fmt.Sprintf(": process %d%s listens there; if an earlier run left it, end it", pid, what)
}

// dir is the working directory; "" only if this program's is not known.
func (c *Command) dir() string {
	switch {
	case c.Worktree != "" && !filepath.IsAbs(c.Dir):
		return filepath.Join(c.Worktree, c.Dir)
	case c.Dir != "":
		return c.Dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// filled are texts with their placeholders filled in.
func (c *Command) filled(texts []string, port int) []string {
	worktree := c.Worktree
	if worktree == "" {
		worktree = c.dir()
	}
	fill := strings.NewReplacer("{port}", strconv.Itoa(port), "{model}", c.Model, "{worktree}", worktree)
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = fill.Replace(text)
	}
	return out
}

// environ is the environment that the server gets.
func (c *Command) environ(port int) []string {
	env := slices.Concat(c.Environ, c.filled(c.Env, port))
	if c.PythonPath == "" {
		return env
	}
	path := c.PythonPath
	for i := len(env) - 1; i >= 0; i-- { // the last one counts
		if had, ok := strings.CutPrefix(env[i], "PYTHONPATH="); ok {
			if had != "" {
				path += string(os.PathListSeparator) + had
			}
			break
		}
	}
	return append(env, "PYTHONPATH="+path)
}

// spec is how to launch the server on a port.
func (c *Command) spec(port int) (launch.Spec, error) {
	dir := c.dir()
	if dir == "" {
		return launch.Spec{}, errors.New("the working directory is not known")
	}
	spec := launch.Spec{
		Name: c.Name, Argv: c.filled(c.Argv, port), Env: c.environ(port), Dir: dir, Log: c.Log,
		Timeout: c.Timeout, StopGrace: c.Grace, Holder: c.Holder, URL: "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
	}
	if spec.Timeout == 0 {
		spec.Timeout = commandTimeout
	}
	if spec.StopGrace == 0 {
		spec.StopGrace = commandGrace
	}
	switch ready := c.filled([]string{c.Ready}, port)[0]; {
	case ready == "":
		spec.Ready = []string{spec.URL + "/health", spec.URL + "/v1/models"}
	case strings.HasPrefix(ready, "/"):
		spec.Ready = []string{spec.URL + ready}
	default:
		u, err := url.Parse(ready)
		if err != nil || u.Host == "" {
			return spec, fmt.Errorf("ready %q is no URL", ready)
		}
		spec.Ready, spec.URL = []string{ready}, u.Scheme+"://"+u.Host
	}
	return spec, nil
}

// Stop ends the server and all that it started. A variant that is not running is
// stopped already.
func (c *Command) Stop(ctx context.Context) error {
	if c.process == nil {
		return nil
	}
	p := c.process
	c.process, c.served = nil, 0
	return p.Stop(ctx)
}

// PID is the server's process id, 0 if there is none.
func (c *Command) PID() int {
	if c.process == nil {
		return 0
	}
	return c.process.PID()
}

// Exited is closed when the running server ends by itself; nil if there is none.
func (c *Command) Exited() <-chan struct{} {
	if c.process == nil {
		return nil
	}
	return c.process.Exited()
}

// Cause says why the server ended; only after Exited is closed.
func (c *Command) Cause() error { return c.process.Cause() }
