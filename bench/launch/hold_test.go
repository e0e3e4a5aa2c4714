//go:build unix

package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// playHeld plays a holder or a program that is held, and does not return then.
func playHeld(role string) {
	switch role {
	case "hold": // its arguments: --grace D -- program argument …
		grace, err := time.ParseDuration(os.Args[2])
		if err != nil {
			panic(err)
		}
		if Hold(context.Background(), os.Args[4:], os.Stdin, os.Stdout, os.Stderr, grace) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case "web":
		playWeb()
	case "stubborn web": // and so are its children, one of them in a session of its own
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		playChild(false)
		playChild(true)
		playWeb()
	case "crowd": // ends, and leaves two children behind
		playChild(false)
		playChild(true)
		fmt.Println("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
		os.Exit(7)
	case "builds":
		notePID()
		fmt.Println("built")
		os.Exit(0)
	case "sleep":
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		notePID()
		time.Sleep(time.Minute)
		os.Exit(0)
	case "parent of held":
		if _, _, err := Start(context.Background(), heldSpec(os.Getenv("LAUNCH_TEST_DIR"), os.Getenv("LAUNCH_TEST_PORT"), "stubborn web")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		time.Sleep(time.Minute)
	}
}

func playWeb() {
	notePID()
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("LAUNCH_TEST_MARK")) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("LAUNCH_TEST_PORT"), nil))
	os.Exit(3)
}

// playChild starts a child and waits until it is there.
func playChild(session bool) {
	cmd := exec.Command(os.Args[0], "role=sleep")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	before := len(pids(os.Getenv("LAUNCH_TEST_DIR")))
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	for len(pids(os.Getenv("LAUNCH_TEST_DIR"))) == before {
		time.Sleep(5 * time.Millisecond)
	}
}

// notePID leaves this process's id in a file of the test's directory.
func notePID() {
	name := filepath.Join(os.Getenv("LAUNCH_TEST_DIR"), strconv.Itoa(os.Getpid())+".pid")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		panic(err)
	}
}

// pids are all processes that ran in a test's directory.
func pids(dir string) []int {
	names, _ := filepath.Glob(filepath.Join(dir, "*.pid")) // the pattern is well formed
	var out []int
	for _, name := range names {
		pid, _ := strconv.Atoi(strings.TrimSuffix(filepath.Base(name), ".pid"))
		out = append(out, pid)
	}
	return out
}

func heldSpec(dir, port, role string) Spec {
	return Spec{
		Name: "held", Argv: []string{os.Args[0], "role=" + role}, Holder: []string{os.Args[0]},
		Env: append(os.Environ(), "LAUNCH_TEST_ROLE=hold", "LAUNCH_TEST_DIR="+dir, "LAUNCH_TEST_PORT="+port),
		Log: filepath.Join(dir, "server.log"), Timeout: 20 * time.Second, StopGrace: 300 * time.Millisecond,
		URL: "http://127.0.0.1:" + port, Ready: []string{"http://127.0.0.1:" + port + "/health"},
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // another listens there next
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// nobodyLeft fails if a process of the directory lives on; at least so many ran.
func nobodyLeft(t *testing.T, dir string, ran int) {
	t.Helper()
	all := pids(dir)
	if len(all) < ran {
		t.Fatalf("%d processes ran, want %d: the test is not what it seems", len(all), ran)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := 0
		for _, pid := range all {
			if alive(pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d processes are left", left, len(all))
		}
	}
}

// TestHeldServersEnd: whatever a program does, nothing of it outlives Stop.
func TestHeldServersEnd(t *testing.T) {
	for _, test := range []struct {
		role   string
		ran    int
		killed bool
	}{
		{"web", 1, false},
		{"stubborn web", 3, true},
	} {
		dir := t.TempDir()
		p, url, err := Start(t.Context(), heldSpec(dir, freePort(t), test.role))
		if err != nil {
			t.Fatalf("%s: %v", test.role, err)
		}
		if url != p.spec.URL || !alive(p.PID()) || p.PID() == p.cmd.Process.Pid {
			t.Errorf("%s: URL %s, process %d", test.role, url, p.PID())
		}
		if err := p.Stop(t.Context()); err != nil != test.killed || test.killed && !errors.Is(err, ErrKilled) {
			t.Errorf("%s: Stop says %v", test.role, err)
		}
		if killed := strings.Contains(p.Cause().Error(), "was killed"); killed != test.killed {
			t.Errorf("%s: ended as %v", test.role, p.Cause())
		}
		nobodyLeft(t, dir, test.ran)
	}
}

// TestHeldServerThatEnds: its end is told with its code and the cause that its log
// gives, and what it left behind is gone.
func TestHeldServerThatEnds(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Start(t.Context(), heldSpec(dir, freePort(t), "crowd"))
	if err == nil {
		t.Fatal("a server that ended was started")
	}
	for _, want := range []string{"exit status 7", "lower --gpu-memory-utilization", "Tried to allocate 2.00 GiB", "last lines of"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	nobodyLeft(t, dir, 2)
}

// TestRun: a program that is no server runs to its end, or to that of its time.
func TestRun(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		why, role string
		ctx       context.Context
		timeout   time.Duration
		left      int
		want      string
	}{
		{"a success", "builds", t.Context(), 20 * time.Second, 1, ""},
		{"a failure, with what it said and left behind", "crowd", t.Context(), 20 * time.Second, 2, "exit status 7"},
		{"one that hangs", "sleep", t.Context(), time.Second, 1, "did not end within 1s"},
		{"an interruption", "sleep", cancelled, 20 * time.Second, 0, "canceled"},
	} {
		dir := t.TempDir()
		spec := heldSpec(dir, "0", test.role)
		spec.Timeout = test.timeout
		err := Run(test.ctx, spec)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
		nobodyLeft(t, dir, test.left)
	}
}

// TestHeldServerErrors: a program that is not there, and one that never gets ready.
func TestHeldServerErrors(t *testing.T) {
	missing := heldSpec(t.TempDir(), freePort(t), "web")
	missing.Argv = []string{"no-such-program-anywhere"}
	if _, _, err := Start(t.Context(), missing); err == nil || !strings.Contains(err.Error(), "no-such-program-anywhere") {
		t.Errorf("error %v", err)
	}
	dir := t.TempDir()
	silent := heldSpec(dir, freePort(t), "web")
	silent.Ready, silent.Timeout = []string{silent.URL + "/nowhere"}, 2*time.Second
	if _, _, err := Start(t.Context(), silent); err == nil || !strings.Contains(err.Error(), "/nowhere answered 200") {
		t.Errorf("error %v", err)
	}
	nobodyLeft(t, dir, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	interrupted := t.TempDir()
	if _, _, err := Start(ctx, heldSpec(interrupted, freePort(t), "web")); err == nil {
		t.Error("an interrupted start went on")
	}
	nobodyLeft(t, interrupted, 0)
}

// TestHeldServerEndsWithItsParent: also if the parent is killed, and if the holder is.
func TestHeldServerEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "LAUNCH_TEST_ROLE=parent of held", "LAUNCH_TEST_DIR="+dir, "LAUNCH_TEST_PORT="+freePort(t))
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, error %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed, as wanted
	nobodyLeft(t, dir, 3)

	dir = t.TempDir()
	p, _, err := Start(t.Context(), heldSpec(dir, freePort(t), "web"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	nobodyLeft(t, dir, 1)
}

// TestParentGoneAtOnce: a parent that dies before its holder can say anything leaves
// nothing either.
func TestParentGoneAtOnce(t *testing.T) {
	dir := t.TempDir()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	spec := heldSpec(dir, freePort(t), "sleep")
	holder := exec.Command(os.Args[0], "--grace", "300ms", "--", os.Args[0], "role=sleep")
	holder.Env, holder.Stdout = spec.Env, writer
	tie, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close() // nobody reads
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close() // the holder has its own
	if err := holder.Wait(); err == nil || strings.Contains(err.Error(), "pipe") {
		t.Errorf("the holder ended as %v, want its own end", err)
	}
	_ = tie.Close() // held open until here: the broken pipe alone told
	nobodyLeft(t, dir, 0)
}

func TestExplain(t *testing.T) {
	for _, test := range []struct{ log, want string }{
		{"INFO fine\nfoo torch.OutOfMemoryError: CUDA out of memory. Tried\nlater", `(its log: "foo torch.OutOfMemoryError: CUDA out of memory. Tried")`},
		{"ValueError: Free memory on device (1/24 GiB) on startup is less than desired GPU memory utilization (0.9, 22 GiB).", "something else holds memory"},
		{"ValueError: No available memory for the cache blocks.", "KV cache"},
		{"RuntimeError: CUDA error: no kernel image is available for execution on the device", "do not fit each other"},
		{"RuntimeError: CUDA error: an illegal memory access was encountered", "CUDA_LAUNCH_BLOCKING"},
		{"RuntimeError: Failed to infer device type", "no GPU"},
		{"terminate called after throwing an instance of 'std::bad_alloc'", "out of memory"},
		{"OSError: [Errno 98] error while attempting to bind on address: address already in use", "port is taken"},
		{"ModuleNotFoundError: No module named 'vllm'", "installation"},
		{"vllm: error: unrecognized arguments: --foo", "argument"},
		{"all is well", ""},
		{"", ""},
	} {
		got := Explain(test.log)
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%q is explained as %q, want %q", test.log, got, test.want)
		}
	}
}
