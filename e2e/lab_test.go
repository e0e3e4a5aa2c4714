package e2e

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"siglab/bench/launch"
)

var venv = flag.String("vllm", "", "virtual environment with vLLM and the plugin, as e2e/install-vllm.sh makes it")

const (
	servedName = "tiny-llava-siglip"
	rows       = 40  // of the data set; clients that ask for as many send each once
	imageSize  = 448 // pixels, twice the training size: 16x16 positions become 32x32
	maxTokens  = 16

	setUpTimeout = 3 * time.Minute
	readyTimeout = 3 * time.Minute // 25 s on two idle cores
	stopGrace    = 15 * time.Second
)

// marker is in the environment of everything that a lab starts, so that what is left of
// it can be found.
const marker = "SIGLAB_E2E_RUN"

// lab is a place with what all experiments here need.
type lab struct {
	dir, siglab, model, dataset string
	mark                        string // NAME=VALUE
}

// newLab builds siglab and makes the model and the data set.
func newLab(ctx context.Context, t *testing.T) lab {
	t.Helper()
	dir := t.TempDir()
	l := lab{
		dir: dir, siglab: filepath.Join(dir, "siglab"), model: filepath.Join(dir, "model"), dataset: filepath.Join(dir, "dataset"),
		mark: fmt.Sprintf("%s=%d-%d", marker, os.Getpid(), time.Now().UnixNano()),
	}
	if runtime.GOOS != "linux" {
		t.Skip("vLLM for CPU is installed on Linux here")
	}
	l.mustRun(ctx, t, setUpTimeout, "go", "build", "-o", l.siglab, "siglab/cmd/siglab")
	l.mustRun(ctx, t, setUpTimeout, l.program("python"), "make_model.py", l.model)
	l.mustRun(ctx, t, setUpTimeout, l.program("python"), "make_dataset.py", "../bench/dataset/builtin", l.dataset, "--rows", strconv.Itoa(rows))
	return l
}

// program is one of vLLM's environment.
func (l lab) program(name string) string { return filepath.Join(*venv, "bin", name) }

// output is what a program said, and how it ended.
type output struct {
	stdout, stderr string
	code           int
}

// run runs a program in this directory to its end, which is not an error whatever it is;
// that it could not be run, or ended by a signal or the timeout, is.
func (l lab) run(ctx context.Context, timeout time.Duration, argv ...string) (output, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), offline(l.mark)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopGrace
	err := cmd.Run()
	out := output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	if err != nil && out.code <= 0 {
		return out, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out.stderr)
	}
	return out, nil
}

// mustRun runs a program that is to succeed.
func (l lab) mustRun(ctx context.Context, t *testing.T, timeout time.Duration, argv ...string) output {
	t.Helper()
	out, err := l.run(ctx, timeout, argv...)
	if err == nil && out.code != 0 {
		err = fmt.Errorf("%s: exit code %d\n%s%s", strings.Join(argv, " "), out.code, out.stdout, out.stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// offline is the environment of all programs: nothing is asked of a hub or reported, of
// memory little is taken, and processes that give themselves a title keep their
// environment (SPT_NOENV), by which they are found.
func offline(mark string) []string {
	return []string{
		mark, "SPT_NOENV=1", "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1",
		"VLLM_CPU_KVCACHE_SPACE=1", "VLLM_SERVER_DEV_MODE=1",
	}
}

// plugin is the plugin's environment for a mode.
func plugin(mode string) map[string]string {
	return map[string]string{"SIGLAB_POS_EMBED": mode, "SIGLAB_IMAGE_SIZE": strconv.Itoa(imageSize), "VLLM_DEBUG_SIGLIP": "1"}
}

// serveArgv is the command of a server; port and model may be siglab's placeholders. The
// caches are off: a cached image's tower does not run.
func (l lab) serveArgv(model, port string) []string {
	return []string{
		l.program("vllm"), "serve", model, "--host", "127.0.0.1", "--port", port, "--served-model-name", servedName,
		"--dtype", "float32", "--max-model-len", "2048", "--enforce-eager", "--limit-mm-per-prompt", `{"image":1}`,
		"--mm-processor-cache-gb", "0", "--no-enable-prefix-caching",
	}
}

// server is a vLLM that runs.
type server struct {
	url, log string
	process  *launch.Process
}

// serve starts a server in a mode. Its end is the test's, if it is not stopped before.
func (l lab) serve(ctx context.Context, mode string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://127.0.0.1:" + port, log: filepath.Join(l.dir, "server_"+mode+".log")}
	env := append(os.Environ(), offline(l.mark)...)
	for name, value := range plugin(mode) {
		env = append(env, name+"="+value)
	}
	s.process, _, err = launch.Start(ctx, launch.Spec{
		Name: mode, Argv: l.serveArgv(l.model, port), Env: env, Log: s.log, Timeout: readyTimeout, StopGrace: stopGrace,
		Holder: []string{l.siglab, "hold"}, URL: s.url, Ready: []string{s.url + "/health"},
	})
	return s, err
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	return port, listener.Close()
}
