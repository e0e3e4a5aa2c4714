package cpu

import (
	"fmt"
	"math"
	"unsafe"

	"siglab/engine/tensor"
)

// Attention lets every row attend to every row: q, k, v and out are
// [rows, heads·dim], and for each head
//
//	out = softmax(q·kᵀ / √dim)·v
//
// out must not overlap the others.
func (d *Device) Attention(out, q, k, v []float32, heads, dim int) {
	rows := len(q) / (heads * dim)
	d.whole.reserve(heads, dim, rows)
	d.keep(&d.whole, k, v, 0)
	d.attend(attentionTask{
		kernels: d.kernels, out: out, q: q, kv: &d.whole, rows: rows, heads: heads,
		scale: float32(1 / math.Sqrt(float64(dim))), span: tensor.Span{End: rows},
	}, rows*rows)
}

// CachedAttention lets the rows q [rows, heads·dim] of one sequence attend to its keys
// and values: row r sees the positions visible[r], which must have been stored, and
// for each head
//
//	out = softmax(scale·q·kᵀ)·v
//
// Consecutive groups of heads/kvHeads query heads share a head of kv. A row that sees
// nothing gets zeros. out is shaped as q and must not overlap it.
func (d *Device) CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32) {
	pairs := 0
	for r, span := range visible {
		if span.Begin < span.End && (span.Begin < 0 || span.End > kv.Capacity()) {
			panic(fmt.Sprintf("row %d sees positions %d to %d: the capacity is %d", r, span.Begin, span.End, kv.Capacity()))
		}
		pairs += max(0, span.End-span.Begin)
	}
	d.attend(attentionTask{
		kernels: d.kernels, out: out, q: q, kv: kv.(*keyValues), rows: len(visible), heads: heads,
		scale: scale, visible: visible,
	}, pairs)
}

// attend runs a task of so many pairs of a row and a position.
func (d *Device) attend(t attentionTask, pairs int) {
	t.group = t.heads / t.kv.kvHeads
	t.tiles = (t.rows*t.group + t.kernels.tallest() - 1) / t.kernels.tallest()
	d.attention = t
	d.do(&d.attention, t.kv.kvHeads*t.tiles, 2*pairs*t.heads*t.kv.dim)
}

// attentionTask is an attention in progress. Its units are tiles of queries, for one
// head of keys and values each. The queries of such a head are the rows' groups of
// query heads, one row after another.
//
// Scores are computed for a block of positions at a time, and the sums are scaled when
// a block has a larger score than those before (Milakov and Gimelshein, "Online
// normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022). The
// blocks begin at fixed positions and every sum runs in the order of the positions
// that the row sees, so that a row has the same bits in a prefill, in a part of one
// and in a step.
type attentionTask struct {
	kernels *kernels
	out, q  []float32
	kv      *keyValues
	rows    int
	heads   int
	scale   float32
	visible []tensor.Span // of the rows; if nil, all see the span
	span    tensor.Span

	group, tiles int // query heads of a head of kv; tiles of their queries
}

// blockPositions are the positions of a block: their scores fit a tile of inputs.
const blockPositions = 256

// attentionTile is a thread's memory for a unit.
type attentionTile struct {
	queries []float32 // tiles [dim/blockSteps, rows, tileStride]
	weights []float32 // tile [rows, tileStride]: scores of a block, then their exponentials
	sums    []float32 // [rows, dim rounded up to panels]: Σ weight·value
	largest [maxTileRows]float32
	total   [maxTileRows]float32     // Σ weight
	sees    [maxTileRows]tensor.Span // of the queries
	block   [maxTileRows]tensor.Span // the part of it in the block
}

// attentionUnit is a unit in progress.
type attentionUnit struct {
	*attentionTask
	*attentionTile
	zeros              []float32
	head, first, count int // head of kv; queries first to first+count of it
	height             int // index of the tile's height
	width              int // of a row of sums
}

func (t *attentionTask) unit(s *scratch, n int) {
	tallest := t.kernels.tallest()
	u := attentionUnit{attentionTask: t, attentionTile: &s.attention, zeros: s.zeros, head: n / t.tiles, first: n % t.tiles * tallest}
	u.count = min(tallest, t.rows*t.group-u.first)
	for t.kernels.heights[u.height] < u.count {
		u.height++
	}
	u.width = ceil(t.kv.dim, panel)
	u.start()
	begin, end := u.reach()
	for at := begin / blockPositions * blockPositions; at < end; at += blockPositions {
		u.score(max(at, begin), min(at+blockPositions, end), at)
		u.exponentials(at)
		u.accumulate(at)
	}
	u.finish()
}

// place is where a query is in q and out.
func (u *attentionUnit) place(query int) int {
	query += u.first
	row, head := query/u.group, u.head*u.group+query%u.group
	return (row*u.heads + head) * u.kv.dim
}

// start lays the queries out, scaled, and clears the sums.
func (u *attentionUnit) start() {
	height, dim := u.kernels.heights[u.height], u.kv.dim
	blocks := (dim + blockSteps - 1) / blockSteps
	u.queries = grow(u.queries, blocks*height*tileStride)
	u.weights = grow(u.weights, height*tileStride)
	u.sums = grow(u.sums, height*u.width)
	clear(u.sums)
	for r := range height {
		for b := range blocks {
			to := u.queries[(b*height+r)*tileStride:][:min(blockSteps, dim-b*blockSteps)]
			if r >= u.count {
				clear(to)
				continue
			}
			copy(to, u.q[u.place(r)+b*blockSteps:])
			u.kernels.scale(&to[0], u.scale, ceil(len(to), u.kernels.lanes)) // tiles have room behind
		}
	}
	for r := range u.count {
		u.sees[r] = u.span
		if u.visible != nil {
			u.sees[r] = u.visible[(u.first+r)/u.group]
		}
		u.largest[r], u.total[r] = float32(math.Inf(-1)), 0
	}
}

// reach is all positions that any of the queries sees.
func (u *attentionUnit) reach() (begin, end int) {
	begin = math.MaxInt
	for _, span := range u.sees[:u.count] {
		if span.Begin < span.End {
			begin, end = min(begin, span.Begin), max(end, span.End)
		}
	}
	return begin, end
}

// score computes the scores of the positions begin to end, and of others of their
// panels, which nobody looks at. at is where their block begins.
func (u *attentionUnit) score(begin, end, at int) {
	height := u.kernels.heights[u.height]
	for position := begin / panel * panel; position < end; position += panel {
		keys, to := u.kv.keys[u.kv.keyAt(u.head, position):], u.weights[position-at:]
		for k := 0; k < u.kv.dim; k += blockSteps {
			from := u.queries[k/blockSteps*height*tileStride:]
			u.tile(u.height, min(blockSteps, u.kv.dim-k), from, keys[k*panel:], to, tileStride, panel, k == 0)
		}
	}
}

// tile adds inputs times the weights of a panel to its outputs, or sets them to that if
// fresh is set.
func (u *attentionUnit) tile(height, k int, inputs, weights, outputs []float32, stride, width int, fresh bool) {
	for c := 0; c < width; c += u.kernels.columns {
		start, startStride := &outputs[c], stride
		if fresh {
			start, startStride = &u.zeros[0], 0
		}
		kernel := u.kernels.tiles[tileF32][height]
		if u.kernels.narrow != nil && width-c <= u.kernels.lanes {
			kernel = u.kernels.narrow[height]
		}
		kernel(k, &inputs[0], (*byte)(unsafe.Pointer(&weights[c])), start, startStride, &outputs[c], stride, nil, 0)
	}
}

// exponentials makes weights of the scores of the block that begins at a position.
func (u *attentionUnit) exponentials(at int) {
	minusInf, lanes := float32(math.Inf(-1)), u.kernels.lanes
	for r := range u.count {
		span := tensor.Span{Begin: max(u.sees[r].Begin, at), End: min(u.sees[r].End, at+blockPositions)}
		u.block[r] = tensor.Span{}
		if span.Begin >= span.End {
			continue
		}
		n := span.End - span.Begin
		weights := u.weights[r*tileStride+span.Begin-at:][:ceil(n, lanes)]
		for i := n; i < len(weights); i++ {
			weights[i] = minusInf
		}
		largest := max(u.largest[r], u.kernels.largest(&weights[0], len(weights)))
		if largest == minusInf && !anyNaN(weights[:n]) {
			continue // all weights are 0
		}
		u.block[r] = span
		if largest != u.largest[r] {
			shrink := exp(u.largest[r] - largest)
			u.kernels.scale(&u.sums[r*u.width], shrink, u.width)
			u.total[r] *= shrink
			u.largest[r] = largest
		}
		u.total[r] += u.kernels.expSum(&weights[0], largest, len(weights))
	}
}

func anyNaN(x []float32) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}

// accumulate adds the block's values, weighted, to the sums: those of the positions
// that all queries see at once, those before and after for every query by itself, since
// a weight of 0 does not undo a value that is not finite.
func (u *attentionUnit) accumulate(at int) {
	common := u.block[0]
	for _, span := range u.block[1:u.count] {
		common.Begin, common.End = max(common.Begin, span.Begin), min(common.End, span.End)
	}
	if common.Begin >= common.End {
		common = tensor.Span{Begin: math.MaxInt, End: math.MaxInt}
	}
	for r := range u.count {
		u.add(0, r, u.block[r].Begin, min(u.block[r].End, common.Begin), at)
	}
	if common.Begin == math.MaxInt {
		return
	}
	u.add(u.height, 0, common.Begin, common.End, at)
	for r := range u.count {
		u.add(0, r, common.End, u.block[r].End, at)
	}
}

// add is accumulate for the tile that begins with a query, and the positions begin to
// end.
func (u *attentionUnit) add(height, query, begin, end, at int) {
	if begin >= end {
		return
	}
	weights := u.weights[query*tileStride+begin-at:]
	for first := 0; first < u.kv.dim; first += panel {
		values := u.kv.values[u.kv.valueAt(u.head, first/panel, begin):]
		u.tile(height, end-begin, weights, values, u.sums[query*u.width+first:], u.width, min(panel, u.kv.dim-first), false)
	}
}

// finish divides the sums.
func (u *attentionUnit) finish() {
	for r := range u.count {
		out := u.out[u.place(r):][:u.kv.dim]
		if u.sees[r].Begin >= u.sees[r].End {
			clear(out)
			continue
		}
		sums := u.sums[r*u.width:][:u.width]
		u.kernels.scale(&sums[0], 1/u.total[r], u.width)
		copy(out, sums)
	}
}
