package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"siglab/bench/configfile"
	"siglab/bench/runlog"
)

// variant is a server by command in a mode.
func (l lab) variant(mode string) configfile.Variant {
	return configfile.Variant{Name: mode, Command: l.serveArgv("{model}", "{port}"), Env: plugin(mode), ReadyTimeout: readyTimeout.String()}
}

// experiment writes an experiment file about variants and returns its flags.
func (l lab) experiment(t *testing.T, name string, variants ...configfile.Variant) []string {
	t.Helper()
	file, err := os.Create(filepath.Join(l.dir, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	err = configfile.File{Variants: variants}.Write(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"-f", file.Name(), "--model", l.model, "--served-model-name", servedName, "--dataset", l.dataset, "--max-tokens", fmt.Sprint(maxTokens),
		"--noise-floor", "none", "--no-calibrate", "--out", filepath.Join(l.dir, name),
	}
}

// testPairsByCommand lets siglab start and end a server for each block.
func testPairsByCommand(ctx context.Context, t *testing.T, l lab) {
	flags := l.experiment(t, "command", l.variant("reference"), l.variant("bilinear"))
	r := l.bench(ctx, t, 6*time.Minute, append(flags, "--num-prompts", "32", "--request-rate", "5", "--warmups", "2", "--pairs", "1",
		"--trigger", "reference=log=0:fast_interpolate", "--trigger", "bilinear=log:fast_interpolate called: h=32, w=32")...)
	if r.Pairs != 1 {
		t.Errorf("%d complete pairs of 1", r.Pairs)
	}
	r.checkVerdicts(t)
	r.checkFiles(t, "reference", "bilinear")
	r.checkGates(t)
	if g := r.gate(t, "trigger"); !g.OK || !g.Checked {
		t.Errorf("gate trigger: ok %v, checked %v: %s", g.OK, g.Checked, g.Detail)
	}
	checkMode(t, filepath.Join(r.RunDir, "server_reference.log"), "reference", "bilinear", "cached")
	checkMode(t, filepath.Join(r.RunDir, "server_bilinear.log"), "bilinear", "reference", "cached")
	l.checkNothingLeft(t)
}

// failing runs an experiment whose server fails, and wants one of these codes, a message
// that matches and names the log, the log to be there, and nothing to be left.
func (l lab) failing(ctx context.Context, t *testing.T, name string, v configfile.Variant, codes []int, want string, flags ...string) {
	t.Helper()
	argv := slices.Concat([]string{l.siglab, "bench"}, l.experiment(t, name, v), flags)
	out, err := l.run(ctx, 3*time.Minute, argv...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(codes, out.code) {
		t.Errorf("exit code %d, want one of %v", out.code, codes)
	}
	if !regexp.MustCompile(want).MatchString(out.stderr) {
		t.Errorf("the message does not match %q:\n%s", want, out.stderr)
	}
	log := "server_" + v.Name + ".log"
	if _, err := os.Stat(filepath.Join(l.dir, name, log)); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.stderr, log) {
		t.Errorf("the message does not name %s:\n%s", log, out.stderr)
	}
	l.checkNothingLeft(t)
}

// notValid is the exit code of a run that is.
const notValid = 4

// testRefusedMode has a server that ends at its start, since the plugin knows no such
// mode.
func testRefusedMode(ctx context.Context, t *testing.T, l lab) {
	v := l.variant("nearest")
	l.failing(ctx, t, "refused", v, []int{notValid}, `SIGLAB_POS_EMBED='nearest' is no mode`, "--num-prompts", "4")
}

// testNeverReady has a server that is not ready within its time.
func testNeverReady(ctx context.Context, t *testing.T, l lab) {
	v := l.variant("reference")
	v.ReadyTimeout, v.Ready = "4s", "/never" // which is no route, however fast the machine
	l.failing(ctx, t, "never", v, []int{notValid}, `not ready after 4s`, "--num-prompts", "4")
}

// testDeath kills the engine's process while requests are answered: that block is void,
// and is measured again with a fresh server. Whether the run is valid in the end is up to
// how busy the machine is.
func testDeath(ctx context.Context, t *testing.T, l lab) {
	killed := make(chan error, 1)
	killCtx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	go func() { killed <- l.killEngine(killCtx, filepath.Join(l.dir, "death", "server_exact.log")) }()
	l.failing(ctx, t, "death", l.variant("exact"), []int{0, notValid}, `block 1 \(exact\) is void and is repeated once: .*(?i:engine)`, "--num-prompts", "60", "--request-rate", "5", "--warmups", "2")
	if err := <-killed; err != nil {
		t.Error(err)
	}
	run, err := runlog.Read(filepath.Join(l.dir, "death"))
	if err != nil {
		t.Fatal(err)
	}
	if run.Manifest.Stopped != "complete" || len(run.Manifest.Blocks) != 2 {
		t.Errorf("the run ended with %q after %d blocks, want a void one and one that is complete", run.Manifest.Stopped, len(run.Manifest.Blocks))
	}
}

// killEngine waits until a server's log says that images of a block were resampled, and
// kills its engine.
func (l lab) killEngine(ctx context.Context, log string) error {
	const after = 8 // resamplings: past the start and the warm-up
	for {
		data, _ := os.ReadFile(log) // it is not there at first
		if strings.Count(string(data), "[SIGLIP] resampled: mode=exact ") >= after {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: no block began: %w", log, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	processes, err := l.started()
	if err != nil {
		return err
	}
	names := map[string]int32{}
	for _, p := range processes {
		name, err := p.Name()
		if err != nil {
			continue
		}
		names[name] = p.Pid
		if strings.HasPrefix(name, "VLLM::Engine") {
			return p.Kill()
		}
	}
	data, _ := json.Marshal(slices.Sorted(maps.Keys(names))) // strings always can
	return fmt.Errorf("no process of vLLM's engine among %s", data)
}
