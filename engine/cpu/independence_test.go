package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"siglab/engine/cpu"
)

// TestRowsIndependent is the package's promise: a row's bits are the same alone and
// among others, on any number of threads.
func TestRowsIndependent(t *testing.T) {
	for _, s := range []struct{ in, out int }{{7, 3}, {96, 256}, {768, 64}, {96, 1024}, {300, 2000}} {
		x, w, bias := normals(1, 70*s.in), normals(2, s.in*s.out), normals(3, s.out)
		alone := make([]float32, 70*s.out)
		one := device(t, 1)
		m := pack(t, one, w, s.out, s.in)
		for r := range 70 {
			one.Linear(alone[r*s.out:][:s.out], x[r*s.in:][:s.in], m, bias)
		}
		for _, threads := range []int{1, 2, 3, 4} {
			d := device(t, threads)
			m := pack(t, d, w, s.out, s.in)
			for _, rows := range []int{1, 2, 5, 64, 70} {
				y := make([]float32, rows*s.out)
				d.Linear(y, x[:rows*s.in], m, bias)
				if !slices.Equal(y, alone[:len(y)]) {
					t.Errorf("[%d, %d]·[%d, %d] on %d threads differs from its rows one by one", rows, s.in, s.in, s.out, threads)
				}
			}
		}
	}
}

// TestPositionsIndependent: a position attends with the same bits in a prefill, in
// parts of one, and in single steps.
func TestPositionsIndependent(t *testing.T) {
	const heads, kvHeads, dim, rows, capacity = 4, 2, 24, 250, 256
	q, k, v := normals(1, rows*heads*dim), normals(2, rows*kvHeads*dim), normals(3, rows*kvHeads*dim)
	const scale = 0.2
	want := make([]float32, len(q))
	one := device(t, 1)
	kv := one.NewKeyValues(kvHeads, dim, capacity)
	one.Store(kv, k, v, 0)
	one.CachedAttention(want, q, kv, causal(0, rows), heads, scale)
	for _, threads := range []int{1, 4} {
		for _, part := range []int{1, 7, rows} {
			t.Run(fmt.Sprintf("threads=%d/part=%d", threads, part), func(t *testing.T) {
				d := device(t, threads)
				got, kv := make([]float32, len(q)), d.NewKeyValues(kvHeads, dim, capacity)
				for first := 0; first < rows; first += part {
					end := min(first+part, rows)
					d.Store(kv, k[first*kvHeads*dim:end*kvHeads*dim], v[first*kvHeads*dim:end*kvHeads*dim], first)
					d.CachedAttention(got[first*heads*dim:end*heads*dim], q[first*heads*dim:end*heads*dim], kv, causal(first, end-first), heads, scale)
				}
				if !slices.Equal(got, want) {
					t.Error("differs from the prefill on one thread")
				}
			})
		}
	}
}

// TestThreads: the other operations on four threads, with work enough for all.
func TestThreads(t *testing.T) {
	const n, rows = 256, 400
	x, weight, bias := normals(1, rows*n), normals(2, n), normals(3, n)
	run := func(threads int) [][]float32 {
		d := device(t, threads)
		var results [][]float32
		for _, op := range []func(y []float32){
			func(y []float32) { d.LayerNorm(y, x, weight, bias, 1e-6) },
			func(y []float32) { d.RMSNorm(y, x, weight, 1e-6) },
			func(y []float32) { copy(y, x); d.GELU(y) },
			func(y []float32) { copy(y, x); d.GELUTanh(y) },
			func(y []float32) { copy(y, x); d.SiLUMul(y, x) },
			func(y []float32) { d.Attention(y, x, x, x, 8, n/8) },
		} {
			y := make([]float32, len(x))
			op(y)
			results = append(results, y)
		}
		return results
	}
	want := run(1)
	for i, got := range run(4) {
		if !slices.Equal(got, want[i]) {
			t.Errorf("operation %d gives other bits on four threads than on one", i)
		}
	}
}

// TestClose: closing twice is closing once, and no threads asked for means as many
// as there are.
func TestClose(t *testing.T) {
	d := cpu.New(cpu.Options{})
	if d.Threads() < 1 {
		t.Errorf("New has %d threads, want at least 1", d.Threads())
	}
	d.Close()
	d.Close()
}
