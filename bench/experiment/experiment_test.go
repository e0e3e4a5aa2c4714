package experiment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/dataset"
	"siglab/bench/launch"
	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/telemetry"
	"siglab/bench/workload"
	"siglab/internal/nvml"
)

const perBlock = 4

// lab is a plan over fake servers and the directory that it writes to.
type lab struct {
	plan Plan
	dir  string
	log  *runlog.Writer
}

func newLab(t *testing.T, pairs int, servers ...*fakeServer) *lab {
	t.Helper()
	set, err := dataset.OpenBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := workload.Freeze(workload.Spec{
		Set: set, Slices: pairs, PerSlice: perBlock, Warmups: 2, Rate: 400, Burstiness: 1, MaxTokens: 3, IgnoreEOS: true, Seed: 1, Model: "fake",
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{dir: filepath.Join(t.TempDir(), "run")}
	if l.log, err = runlog.Create(l.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.log.Close() })
	l.plan = Plan{Experiment: record.Experiment{Pairs: pairs, NumPrompts: perBlock, Timeout: 5 * time.Second}, Workload: frozen}
	running, most := new(atomic.Int64), new(atomic.Int64)
	for i, s := range servers {
		s.running, s.most = running, most
		if s.answer == nil {
			s.answer = func(int) []string { return []string{"a", "b", "c"} }
		}
		l.plan.Arms = append(l.plan.Arms, Arm{Variant: record.Variant{Name: fmt.Sprint("v", i)}, Server: s})
	}
	return l
}

func (l *lab) run(ctx context.Context, t *testing.T, progress func(Event)) record.Run {
	t.Helper()
	if _, err := Run(ctx, l.plan, l.log, progress); err != nil {
		t.Fatal(err)
	}
	run, err := runlog.Read(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRunPairsBlocksOnFreshServers(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{}
	run := newLab(t, 2, a, b).run(t.Context(), t, nil)
	var order []string
	for _, blk := range run.Manifest.Blocks {
		order = append(order, fmt.Sprintf("%d:%s", blk.Pair, blk.Variant))
		if blk.Void != "" || blk.Server.TTFTCount != perBlock {
			t.Errorf("block %d: void %q, server counted %v answers", blk.ID, blk.Void, blk.Server.TTFTCount)
		}
	}
	if diff := cmp.Diff([]string{"0:v0", "0:v1", "1:v1", "1:v0"}, order); diff != "" {
		t.Errorf("block order (-want +got):\n%s", diff)
	}
	if got, want := len(run.Observations), 4*perBlock; got != want {
		t.Errorf("%d observations, want %d (warm-ups are not among them)", got, want)
	}
	for _, o := range run.Observations {
		if !o.OK() || o.Text != "abc" || o.OutputTokens != 3 {
			t.Errorf("observation %+v", o)
		}
	}
	if a.starts != 2 || b.starts != 2 || a.resets.Load() != 6 {
		t.Errorf("starts %d and %d, resets %d; want a fresh server and three resets per block", a.starts, b.starts, a.resets.Load())
	}
	if a.most.Load() != 1 {
		t.Errorf("%d servers were alive at once", a.most.Load())
	}
	if run.Manifest.Stopped != StoppedComplete {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
}

// TestEnough: the run is shown after every pair but the last, with what counts of
// it, and ends when that is enough.
func TestEnough(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{dieAfter: 4}
	var shown [][2]int // blocks and observations
	l := newLab(t, 5, a, b)
	l.plan.Enough = func(run record.Run) bool {
		shown = append(shown, [2]int{len(run.Manifest.Blocks), len(run.Observations)})
		return len(shown) == 2
	}
	run := l.run(t.Context(), t, nil)
	if run.Manifest.Stopped != StoppedDecided {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
	if diff := cmp.Diff([][2]int{{3, 2 * perBlock}, {5, 4 * perBlock}}, shown); diff != "" {
		t.Errorf("blocks, one of them void, and observations shown (-want +got):\n%s", diff)
	}
	if got := len(run.Manifest.Blocks); got != 5 {
		t.Errorf("%d blocks, want two pairs and the void one", got)
	}
}

func TestAVoidBlockIsRepeatedOnce(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{dieAfter: 4}
	run := newLab(t, 2, a, b).run(t.Context(), t, nil)
	var void, repeated []int
	for _, blk := range run.Manifest.Blocks {
		if blk.Void != "" {
			void = append(void, blk.ID)
			if !strings.Contains(blk.Void, "segmentation fault") {
				t.Errorf("void block %d does not say why: %q", blk.ID, blk.Void)
			}
		}
		if blk.Attempt == 2 {
			repeated = append(repeated, blk.ID)
		}
	}
	if diff := cmp.Diff([][]int{{2}, {3}}, [][]int{void, repeated}); diff != "" {
		t.Errorf("void and repeated blocks (-want +got):\n%s", diff)
	}
	if run.Manifest.Stopped != StoppedComplete {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
}

func TestAVariantThatDiesTwiceEndsTheRun(t *testing.T) {
	a, b := &fakeServer{}, &fakeServer{failStart: errors.New("no such model")}
	run := newLab(t, 2, a, b).run(t.Context(), t, nil)
	if len(run.Manifest.Blocks) != 3 || !strings.HasPrefix(run.Manifest.Stopped, StoppedDied) || !strings.Contains(run.Manifest.Stopped, "no such model") {
		t.Errorf("%d blocks, stopped %q", len(run.Manifest.Blocks), run.Manifest.Stopped)
	}
}

// fallenGPU is a GPU that falls off its bus at the n-th reading.
type fallenGPU struct{ readings, falls int }

func (f *fallenGPU) Read(d nvml.Device) (nvml.Reading, error) {
	if f.readings++; f.readings >= f.falls {
		return nvml.Reading{}, fmt.Errorf("GPU %s: %w", d.UUID, nvml.ErrLost)
	}
	return nvml.Reading{}, nil
}

func (f *fallenGPU) Processes(nvml.Device) ([]nvml.Process, bool) { return nil, false }

func (f *fallenGPU) PCIeRate(nvml.Device) (tx, rx float64, ok bool) { return 0, 0, false }

func TestALostGPUMakesTheBlockVoid(t *testing.T) {
	t.Parallel()
	slow := &fakeServer{delay: 4 * time.Second / perBlock} // answers last until the GPU has gone
	l := newLab(t, 1, slow)
	l.plan.Workload.Warmup = nil
	l.plan.Instruments = telemetry.OpenWith(&fallenGPU{falls: 2}, []nvml.Device{{UUID: "GPU-a"}})
	run := l.run(t.Context(), t, nil)
	if len(run.Manifest.Blocks) != 2 || !strings.HasPrefix(run.Manifest.Stopped, StoppedDied) {
		t.Errorf("%d blocks, stopped %q", len(run.Manifest.Blocks), run.Manifest.Stopped)
	}
	for _, b := range run.Manifest.Blocks {
		if !strings.Contains(b.Void, "GPU-a") || !strings.Contains(b.Void, "lost") || b.Sampling.Samples == 0 {
			t.Errorf("block %d: void %q, %d samples", b.ID, b.Void, b.Sampling.Samples)
		}
	}
	if run.Manifest.Instruments.GPUs[0].UUID != "GPU-a" {
		t.Errorf("instruments %+v", run.Manifest.Instruments)
	}
}

func TestInterruptionKeepsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := &fakeServer{}, &fakeServer{}
	run := newLab(t, 3, a, b).run(ctx, t, func(e Event) {
		if e.Answer != nil && e.Block.ID == 3 {
			cancel()
		}
	})
	if run.Manifest.Stopped != StoppedInterrupted {
		t.Errorf("stopped %q", run.Manifest.Stopped)
	}
	if n := len(run.Manifest.Blocks); n != 3 || run.Manifest.Blocks[2].Void == "" {
		t.Errorf("%d blocks, the last void %q", n, run.Manifest.Blocks[n-1].Void)
	}
	if a.running.Load() != 0 {
		t.Errorf("%d servers left", a.running.Load())
	}
}

func TestDivergencesAreFoundAgainstTheBaseline(t *testing.T) {
	b := &fakeServer{answer: func(n int) []string {
		if n == 4 { // the second measured request, after two warm-ups
			return []string{"a", "x", "c"}
		}
		return []string{"a", "b", "c"}
	}}
	run := newLab(t, 1, &fakeServer{}, b).run(t.Context(), t, nil)
	if len(run.Manifest.Divergences) != 1 {
		t.Fatalf("divergences %+v", run.Manifest.Divergences)
	}
	d := run.Manifest.Divergences[0]
	if d.Variant != "v1" || d.Token != 1 || d.Baseline != "b" || d.Other != "x" || d.Err == "" {
		t.Errorf("divergence %+v (the fake gives no logprobs, so the gap must be explained)", d)
	}
}

// TestAServerThatHangsAtItsEnd: what was measured counts if it was killed, and the run
// says so; one that lives on makes the block void.
func TestAServerThatHangsAtItsEnd(t *testing.T) {
	for _, row := range []struct {
		name    string
		err     error
		stopped string
		notes   int
	}{
		{"it is killed", fmt.Errorf("variant: %w", launch.ErrKilled), StoppedComplete, 1},
		{"it lives on", errors.New("process 1 does not end"), StoppedDied + "process 1 does not end", 0},
	} {
		l := newLab(t, 1, &fakeServer{}, &fakeServer{failStop: row.err})
		run := l.run(t.Context(), t, nil)
		notes := 0
		for _, n := range run.Manifest.Notes {
			if n.Code == record.NoteStop && n.Variant == "v1" {
				notes++
			}
		}
		if run.Manifest.Stopped != row.stopped || notes != row.notes {
			t.Errorf("%s: stopped %q with %d notes, want %q with %d", row.name, run.Manifest.Stopped, notes, row.stopped, row.notes)
		}
	}
}
