package variant

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/launch"
)

func TestCommandCheck(t *testing.T) {
	for _, test := range []struct {
		why     string
		command Command
		want    string
	}{
		{"a port to fill in", Command{Argv: []string{"serve", "--port={port}"}}, ""},
		{"a port in the environment", Command{Argv: []string{"serve"}, Env: []string{"PORT={port}"}}, ""},
		{"a port that is given", Command{Argv: []string{"serve"}, Port: 8000}, ""},
		{"a URL that tells it", Command{Argv: []string{"serve"}, Ready: "http://127.0.0.1:8000/health"}, ""},
		{"no port", Command{Argv: []string{"serve"}}, "write {port}"},
		{"no program", Command{Port: 1}, "no program"},
		{"no path", Command{Argv: []string{"serve"}, Port: 1, Ready: "health"}, "such as /health"},
		{"no directory", Command{Argv: []string{"serve"}, Port: 1, Dir: filepath.Join(t.TempDir(), "none")}, "none"},
	} {
		err := test.command.Check()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
	}
}

// TestCommandSpec: placeholders are filled in, and nothing else that has braces.
func TestCommandSpec(t *testing.T) {
	c := Command{
		Name: "a", Argv: []string{"serve", "{model}", "--port", "{port}", `--limit={"image":2}`}, Env: []string{"PYTHONPATH={worktree}/x"}, Environ: []string{"HOME=/h"},
		Dir: "/w", Model: "m", Log: "l", Holder: []string{"siglab", "hold"},
	}
	got, err := c.spec(81)
	if err != nil {
		t.Fatal(err)
	}
	want := launch.Spec{
		Name: "a", Argv: []string{"serve", "m", "--port", "81", `--limit={"image":2}`}, Env: []string{"HOME=/h", "PYTHONPATH=/w/x"}, Dir: "/w", Log: "l",
		Timeout: 5 * time.Minute, StopGrace: 10 * time.Second, Holder: []string{"siglab", "hold"},
		URL: "http://127.0.0.1:81", Ready: []string{"http://127.0.0.1:81/health", "http://127.0.0.1:81/v1/models"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for ready, url := range map[string]string{"/up": "http://127.0.0.1:81", "http://127.0.0.1:{port}/up": "http://127.0.0.1:81", "https://h:5/up": "https://h:5"} {
		c.Ready = ready
		if spec, err := c.spec(81); err != nil || spec.URL != url || len(spec.Ready) != 1 || !strings.HasSuffix(spec.Ready[0], "/up") {
			t.Errorf("ready %s: %+v, error %v", ready, spec, err)
		}
	}
}

// TestCommandPort: a port that somebody has is refused before anything starts.
func TestCommandPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // of no use any more
	taken := l.Addr().(*net.TCPAddr).Port
	c := Command{Name: "a", Argv: []string{"never-started"}, Port: taken}
	_, err = c.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "port "+strconv.Itoa(taken)+" cannot be had") {
		t.Fatalf("error %v", err)
	}
	if runtime.GOOS == "linux" && !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("error %v, want this process, which has the port, in it", err)
	}
	if c.PID() != 0 || c.Exited() != nil || c.Stop(t.Context()) != nil {
		t.Error("a command that was not started runs")
	}
}
