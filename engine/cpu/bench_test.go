package cpu_test

import (
	"fmt"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// BenchmarkLinear times the matrix products of the tiny model (a tower's, the decoder's
// prefill and its single step) and of a SigLIP-So400m tower, for every instruction set.
func BenchmarkLinear(b *testing.B) {
	for _, s := range []struct{ rows, in, out int }{
		{144, 64, 64}, {144, 64, 256}, {144, 256, 64}, {144, 768, 64}, {190, 96, 256}, {190, 256, 96}, {1, 96, 256}, {1, 96, 1024},
		{256, 1152, 1152}, {256, 1152, 4304}, {256, 4304, 1152}, {729, 1152, 4304},
	} {
		for _, isa := range cpu.ISAs() {
			if isa == cpu.Generic && s.rows*s.in*s.out > 1e8 {
				continue
			}
			for _, arithmetic := range []cpu.Arithmetic{cpu.Float32, cpu.BFloat16} {
				for _, dtype := range []safetensors.DType{safetensors.F32, safetensors.BF16, safetensors.F16} {
					if arithmetic == cpu.BFloat16 && dtype != safetensors.BF16 || arithmetic == cpu.Float32 && isa == cpu.AVX512BF16 {
						continue
					}
					for _, threads := range []int{1, 2} {
						name := fmt.Sprintf("rows=%d/in=%d/out=%d/isa=%v/arithmetic=%v/weights=%v/threads=%d", s.rows, s.in, s.out, isa, arithmetic, dtype, threads)
						b.Run(name, func(b *testing.B) {
							d := cpu.New(cpu.Options{Threads: threads, ISA: isa, Arithmetic: arithmetic})
							defer d.Close()
							benchmarkLinear(b, d, dtype, s.rows, s.in, s.out)
						})
					}
				}
			}
		}
	}
}

func benchmarkLinear(b *testing.B, d *cpu.Device, dtype safetensors.DType, rows, in, out int) {
	x, y := make([]float32, rows*in), make([]float32, rows*out)
	for i := range x {
		x[i] = 1
	}
	w, err := d.Pack(safetensors.Tensor{DType: dtype, Shape: []int{out, in}, Data: make([]byte, in*out*dtype.Size())})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d.Linear(y, x, w, nil)
	}
	flops := 2 * float64(rows) * float64(in) * float64(out)
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkAttention times the tiny model's tower and prefill, and a SigLIP-So400m
// tower's.
func BenchmarkAttention(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for _, s := range []struct{ rows, heads, dim int }{{144, 4, 16}, {256, 16, 72}, {729, 16, 72}} {
		b.Run(fmt.Sprintf("full/rows=%d/heads=%d/dim=%d", s.rows, s.heads, s.dim), func(b *testing.B) {
			q, out := make([]float32, s.rows*s.heads*s.dim), make([]float32, s.rows*s.heads*s.dim)
			for b.Loop() {
				d.Attention(out, q, q, q, s.heads, s.dim)
			}
			flops := 4 * float64(s.rows*s.rows) * float64(s.heads*s.dim)
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
	b.Run("causal/rows=190/heads=4/dim=24", func(b *testing.B) {
		q, out := make([]float32, 190*96), make([]float32, 190*96)
		kv := d.NewKeyValues(2, 24, 256)
		d.Store(kv, make([]float32, 190*48), make([]float32, 190*48), 0)
		visible := make([]tensor.Span, 190)
		for r := range visible {
			visible[r].End = r + 1
		}
		for i := range q {
			q[i] = 1
		}
		for b.Loop() {
			d.CachedAttention(out, q, kv, visible, 4, 0.2)
		}
	})
}

// BenchmarkGELUTanh times the tower's activation, per element.
func BenchmarkGELUTanh(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	x := make([]float32, 144*256)
	for b.Loop() {
		d.GELUTanh(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/element")
}
