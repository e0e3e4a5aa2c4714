package optest_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	in  io.Writer
	out *bufio.Scanner
}

func startTorch(t *testing.T) torch {
	command := exec.Command(*torchPython, "torch_tower.py", fmt.Sprint(*threads))
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
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	p := torch{in, bufio.NewScanner(out)}
	if !p.out.Scan() {
		t.Fatal("torch_tower.py said nothing")
	}
	t.Log(p.out.Text())
	return p
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

// TestTorch compares towers with torch's, the two sides taking turns, and prints the
// ratios of their best times. It asserts nothing.
func TestTorch(t *testing.T) {
	if *torchPython == "" {
		t.Skip("needs a Python with torch: make bench-engine PYTHON=…")
	}
	p := startTorch(t)
	fmt.Printf("%-9s %-12s %8s %10s %10s %7s %12s\n", "torch", "ours", "patches", "torch s", "ours s", "ratio", "of computing")
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
			for _, patches := range []int{256, 729} {
				const never = 1e9
				theirs, ours := cost{never, never}, cost{never, never}
				for range *rounds {
					theirs = theirs.least(p.run(t, side.torch, patches))
					ours = ours.least(runTower(t, tower, patches))
				}
				fmt.Printf("%-9s %-12v %8d %10.3f %10.3f %7.2f %12.2f\n", side.torch, isa, patches,
					theirs.wall, ours.wall, ours.wall/theirs.wall, ours.computed/theirs.computed)
			}
			d.Close()
		}
	}
}
