package optest_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"siglab/engine/cpu"
	"siglab/internal/safetensors"
)

var (
	torchPython = flag.String("torch", "", "a Python that has torch, to compare towers with")
	threads     = flag.Int("threads", 2, "threads of each side")
	rounds      = flag.Int("rounds", 5, "how often each side runs each tower")
)

// cost is what a run took on the clock, and what its threads computed.
type cost struct{ wall, computed float64 }

// least has the smaller of each: the least disturbed.
func (c cost) least(other cost) cost {
	return cost{min(c.wall, other.wall), min(c.computed, other.computed)}
}

// torch is the running script.
type torch struct {
	in      io.WriteCloser
	out     *bufio.Scanner
	command *exec.Cmd
}

// startTorch starts the script; where ours is held to AVX2, torch and its libraries are
// too.
func startTorch(t *testing.T, isa cpu.ISA) torch {
	command := exec.Command(*torchPython, "torch_tower.py", fmt.Sprint(*threads))
	if isa == cpu.AVX2 {
		command.Env = append(os.Environ(), "ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "MKL_ENABLE_INSTRUCTIONS=AVX2")
	}
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := torch{in, bufio.NewScanner(out), command}
	if !p.out.Scan() {
		t.Fatal("torch_tower.py said nothing")
	}
	fmt.Println(p.out.Text())
	return p
}

func (p torch) stop(t *testing.T) {
	if err := errors.Join(p.in.Close(), p.command.Wait()); err != nil {
		t.Error(err)
	}
}

func (p torch) run(t *testing.T, dtype string, patches int) (c cost) {
	if _, err := fmt.Fprintln(p.in, dtype, patches); err != nil {
		t.Fatal(err)
	}
	if !p.out.Scan() {
		t.Fatal("torch_tower.py ended")
	}
	if _, err := fmt.Sscan(p.out.Text(), &c.wall, &c.computed); err != nil {
		t.Fatalf("torch_tower.py says %q: %v", p.out.Text(), err)
	}
	return c
}

// runTower is one image through a tower.
func runTower(t testing.TB, tower *tower, patches int) cost {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	computed := func() float64 {
		times, err := self.Times()
		if err != nil {
			t.Fatal(err)
		}
		return times.User + times.System
	}
	before, start := computed(), time.Now()
	tower.run(patches)
	wall := time.Since(start).Seconds()
	return cost{wall, computed() - before}
}

// peak is what the processor's multiply-adds of an instruction set come to on so many
// threads if nothing holds them up, in operations a second: the best of a few tries.
func peak(isa cpu.ISA, threads int) (best float64) {
	const n = 1 << 20 // some 10 ms
	for range 5 {
		var done sync.WaitGroup
		var operations atomic.Int64
		took := seconds(func() {
			for range threads {
				done.Go(func() { operations.Add(int64(isa.Peak(n))) })
			}
			done.Wait()
		})
		best = max(best, float64(operations.Load())/took)
	}
	return best
}

// TestTorch compares towers with torch's, the two sides taking turns, and prints the
// ratios of their best times, and which share of the processor's multiply-adds each has.
// It asserts nothing.
func TestTorch(t *testing.T) {
	if *torchPython == "" {
		t.Skip("needs a Python with torch: make bench-engine PYTHON=…")
	}
	fmt.Printf("%-9s %-12s %8s %10s %10s %7s %12s %14s %14s %14s\n", "torch", "ours", "patches", "torch s", "ours s", "ratio", "of computing",
		"peak GFLOP/s", "torch of peak", "ours of peak")
	for _, side := range []struct {
		torch      string
		dtype      safetensors.DType
		arithmetic cpu.Arithmetic
	}{{"float32", safetensors.F32, cpu.Float32}, {"bfloat16", safetensors.BF16, cpu.BFloat16}} {
		for _, isa := range cpu.ISAs() {
			if isa == cpu.Generic || isa == cpu.AVX512BF16 && side.arithmetic == cpu.Float32 {
				continue
			}
			d := cpu.New(cpu.Options{Threads: *threads, ISA: isa, Arithmetic: side.arithmetic})
			tower := newTower(t, d, side.dtype)
			p := startTorch(t, isa)
			for _, patches := range []int{256, 729} {
				const never = 1e9
				limit := peak(isa, *threads)
				theirs, ours := cost{never, never}, cost{never, never}
				for range 1 + *rounds { // the first warms up, and is no faster than others
					theirs = theirs.least(p.run(t, side.torch, patches))
					ours = ours.least(runTower(t, tower, patches))
					limit = max(limit, peak(isa, *threads))
				}
				share := tower.operations(patches) / limit
				fmt.Printf("%-9s %-12v %8d %10.3f %10.3f %7.2f %12.2f %14.0f %14.2f %14.2f\n", side.torch, isa, patches,
					theirs.wall, ours.wall, ours.wall/theirs.wall, ours.computed/theirs.computed, limit/1e9, share/theirs.wall, share/ours.wall)
			}
			p.stop(t)
			d.Close()
		}
	}
}
