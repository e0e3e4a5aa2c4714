package optest

import (
	"fmt"
	"math"
	"testing"

	"siglab/engine/tensor"
)

// causal are the spans of rows at the positions first, first+1, …
func causal(first, rows int) []tensor.Span {
	visible := make([]tensor.Span, rows)
	for r := range visible {
		visible[r].End = first + r + 1
	}
	return visible
}

// checkAttention compares a tower's attention with the definition. Errors are those of
// scores, of exponentials and of sums, each a few roundings.
func checkAttention(t *testing.T, i Implementation) {
	for _, s := range []struct{ rows, heads, dim int }{{1, 1, 1}, {37, 4, 6}, {16, 2, 72}, {257, 3, 24}, {300, 1, 40}, {20, 1, 500}} {
		d := i.Open(t, 2)
		q, k, v := normals(1, s.rows*s.heads*s.dim), normals(2, s.rows*s.heads*s.dim), normals(3, s.rows*s.heads*s.dim)
		visible := make([]tensor.Span, s.rows)
		for r := range visible {
			visible[r].End = s.rows
		}
		want := attention(q, k, v, visible, s.heads, s.heads, s.dim, 1/math.Sqrt(float64(s.dim)))
		for range 2 { // the second time in memory that has been used
			out := guardedCopy(make([]float32, len(q)))
			d.Attention(out.x, q, k, v, s.heads, s.dim)
			why := fmt.Sprintf("%d rows, %d heads of %d", s.rows, s.heads, s.dim)
			near(t, why, out.x, want, relative(want, 2e-6))
			out.check(t, why)
			few := max(1, s.rows/2)
			d.Attention(make([]float32, few*s.heads*s.dim), q[:few*s.heads*s.dim], k[:few*s.heads*s.dim], v[:few*s.heads*s.dim], s.heads, s.dim)
		}
	}
}

// checkCachedAttention compares attention to a cache with the definition, for all masks
// that models have.
func checkCachedAttention(t *testing.T, i Implementation) {
	prefix := causal(0, 40)
	for r := range 25 {
		prefix[r].End = 25
	}
	window := causal(250, 60)
	for r := range window {
		window[r].Begin = window[r].End - 20
	}
	holes := causal(280, 20)
	holes[0], holes[7], holes[8] = tensor.Span{}, tensor.Span{Begin: 5, End: 5}, tensor.Span{Begin: 257, End: 258}
	for _, s := range []struct {
		why                 string
		heads, kvHeads, dim int
		visible             []tensor.Span
	}{
		{"a prefill, two query heads to a head of the cache", 4, 2, 24, causal(0, 37)},
		{"rows that continue a sequence", 4, 2, 24, causal(11, 37)},
		{"a head of the cache for each", 4, 4, 8, causal(1, 20)},
		{"one head of the cache for all, heads as long as Gemma's", 8, 1, 256, causal(300, 3)},
		{"one row that sees one position", 4, 2, 24, causal(0, 1)},
		{"one row of a long sequence, seven query heads to a head", 14, 2, 64, causal(700, 1)},
		{"rows across the end of a block", 2, 1, 33, causal(240, 50)},
		{"an image, and text behind it", 2, 1, 16, prefix},
		{"a sliding window", 2, 2, 16, window},
		{"rows that see nothing, or one position", 2, 1, 16, holes},
	} {
		d := i.Open(t, 2)
		positions := 0
		for _, span := range s.visible {
			positions = max(positions, span.End)
		}
		q := normals(1, len(s.visible)*s.heads*s.dim)
		k, v := normals(4, positions*s.kvHeads*s.dim), normals(5, positions*s.kvHeads*s.dim)
		kv := d.NewKeyValues(s.kvHeads, s.dim, positions+3)
		if kv.Capacity() != positions+3 {
			t.Errorf("%s: capacity is %d, want %d", s.why, kv.Capacity(), positions+3)
		}
		half := positions / 2 * s.kvHeads * s.dim
		d.Store(kv, k[:half], v[:half], 0)
		d.Store(kv, k[half:], v[half:], positions/2)
		scale := 0.9 / math.Sqrt(float64(s.dim))
		out := guardedCopy(normals(6, len(q)))
		d.CachedAttention(out.x, q, kv, s.visible, s.heads, float32(scale))
		want := attention(q, k, v, s.visible, s.heads, s.kvHeads, s.dim, float64(float32(scale)))
		near(t, s.why, out.x, want, relative(want, 2e-6))
		out.check(t, s.why)
	}
}

// checkAttentionHazards: a key or a value that is not finite reaches the rows that see
// its position, and no other. Scores may be far apart.
func checkAttentionHazards(t *testing.T, i Implementation) {
	const heads, dim, rows = 2, 24, 50
	for _, test := range []struct {
		why   string
		key   bool
		value float32
	}{
		{"a value that is NaN", false, float32(math.NaN())},
		{"a value that is infinite", false, float32(math.Inf(1))},
		{"a key that is NaN", true, float32(math.NaN())},
		{"a key that makes a score of some hundreds", true, 500},
	} {
		d := i.Open(t, 1)
		q, k, v := normals(1, rows*heads*dim), normals(2, rows*heads*dim), normals(3, rows*heads*dim)
		const at = (20*heads + 1) * dim // position 20, the second head
		if test.key {
			k[at] = test.value
		} else {
			v[at] = test.value
		}
		kv := d.NewKeyValues(heads, dim, rows)
		d.Store(kv, k, v, 0)
		out := make([]float32, len(q))
		d.CachedAttention(out, q, kv, causal(0, rows), heads, 0.2)
		want := attention(q, k, v, causal(0, rows), heads, heads, dim, float64(float32(0.2)))
		near(t, test.why, out, want, relative(want, 1e-4))
	}
}

// checkPositionsIndependent: a position attends with the same bits in a prefill, in
// parts of one, and in single steps, on any number of threads.
func checkPositionsIndependent(t *testing.T, i Implementation) {
	const heads, kvHeads, dim, rows, capacity = 4, 2, 24, 290, 300
	q, k, v := normals(1, rows*heads*dim), normals(2, rows*kvHeads*dim), normals(3, rows*kvHeads*dim)
	windows := causal(0, rows)
	for r := range windows {
		windows[r].Begin = max(0, r-50)
	}
	for why, visible := range map[string][]tensor.Span{"causal": causal(0, rows), "window": windows} {
		var want []float32
		for _, threads := range []int{1, 4} {
			for _, part := range []int{rows, 1, 7, 100} {
				d := i.Open(t, threads)
				got, kv := make([]float32, len(q)), d.NewKeyValues(kvHeads, dim, capacity)
				for first := 0; first < rows; first += part {
					end := min(first+part, rows)
					d.Store(kv, k[first*kvHeads*dim:end*kvHeads*dim], v[first*kvHeads*dim:end*kvHeads*dim], first)
					d.CachedAttention(got[first*heads*dim:end*heads*dim], q[first*heads*dim:end*heads*dim], kv, visible[first:end], heads, 0.2)
				}
				if want == nil {
					want = got
				}
				if !same(got, want) {
					t.Errorf("%s: %d positions at a time on %d threads differ from all at once on one", why, part, threads)
				}
			}
		}
	}
}

// checkCopyKeyValues: attention to positions of which the first were copied has the bits
// of attention to those that were stored, whatever is behind them and is overwritten.
func checkCopyKeyValues(t *testing.T, i Implementation) {
	const heads, rows = 4, 90
	for _, s := range []struct{ kvHeads, dim, first int }{{2, 24, 0}, {2, 24, 1}, {1, 40, 16}, {4, 33, 31}, {2, 64, 32}, {2, 24, 89}, {2, 24, 90}} {
		d, width := i.Open(t, 2), s.kvHeads*s.dim
		q, k, v := normals(1, rows*heads*s.dim), normals(2, rows*width), normals(3, rows*width)
		whole, copied := d.NewKeyValues(s.kvHeads, s.dim, rows+9), d.NewKeyValues(s.kvHeads, s.dim, rows)
		d.Store(whole, k, v, 0)
		d.Store(copied, normals(4, rows*width), normals(5, rows*width), 0)
		d.CopyKeyValues(copied, whole, s.first)
		if s.first < rows {
			d.Store(copied, k[s.first*width:], v[s.first*width:], s.first)
		}
		want, got := make([]float32, len(q)), make([]float32, len(q))
		d.CachedAttention(want, q, whole, causal(0, rows), heads, 0.2)
		d.CachedAttention(got, q, copied, causal(0, rows), heads, 0.2)
		if !same(got, want) {
			t.Errorf("%d heads of %d: a copy of %d positions gives other attention", s.kvHeads, s.dim, s.first)
		}
	}
}
