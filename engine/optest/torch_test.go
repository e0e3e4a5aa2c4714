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
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

var (
	torchPython = flag.String("torch", "", "a Python that has torch, to compare towers with")
	threads     = flag.Int("threads", 2, "threads of each side")
	rounds      = flag.Int("rounds", 5, "how often each side runs each tower")
)

// so400m is the shape of SigLIP-So400m's vision tower, patches of 14 pixels.
var so400m = siglip.Config{Hidden: 1152, Layers: 27, Heads: 16, MLP: 4304, Patch: 14, Trained: posembed.Grid{Rows: 27, Cols: 27}}

// newTower is one with weights of a type, all of one small value: the work is the same.
func newTower(t testing.TB, d *cpu.Device, dtype safetensors.DType) *siglip.Tower {
	c := so400m
	matrix := func(out, in int) tensor.Matrix {
		data := make([]byte, out*in*dtype.Size())
		for i := dtype.Size() - 1; i < len(data); i += dtype.Size() {
			data[i] = 0x3c // 2⁻⁷ in bfloat16 and float32
		}
		m, err := d.Pack(safetensors.Tensor{Name: "weight", DType: dtype, Shape: []int{out, in}, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	vector := func(n int) []float32 { return make([]float32, n) }
	w := &siglip.Weights{
		Patch: matrix(c.Hidden, 3*c.Patch*c.Patch), PatchBias: vector(c.Hidden),
		Positions: vector(c.Trained.Len() * c.Hidden), PostNorm: vector(c.Hidden), PostNormBias: vector(c.Hidden),
	}
	for range c.Layers {
		w.Blocks = append(w.Blocks, siglip.Block{
			AttentionNorm: vector(c.Hidden), AttentionNormBias: vector(c.Hidden),
			Query: matrix(c.Hidden, c.Hidden), QueryBias: vector(c.Hidden),
			Key: matrix(c.Hidden, c.Hidden), KeyBias: vector(c.Hidden),
			Value: matrix(c.Hidden, c.Hidden), ValueBias: vector(c.Hidden),
			Out: matrix(c.Hidden, c.Hidden), OutBias: vector(c.Hidden),
			MLPNorm: vector(c.Hidden), MLPNormBias: vector(c.Hidden),
			Up: matrix(c.MLP, c.Hidden), UpBias: vector(c.MLP),
			Down: matrix(c.Hidden, c.MLP), DownBias: vector(c.Hidden),
		})
	}
	tower, err := siglip.New(c, w, posembed.Exact, d)
	if err != nil {
		t.Fatal(err)
	}
	return tower
}

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
func runTower(t testing.TB, tower *siglip.Tower, patches int) cost {
	side := 1
	for side*side < patches {
		side++
	}
	pixels := make([]float32, 3*side*side*so400m.Patch*so400m.Patch)
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
	if _, _, err := tower.Forward(pixels, side*so400m.Patch, side*so400m.Patch); err != nil {
		t.Fatal(err)
	}
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
