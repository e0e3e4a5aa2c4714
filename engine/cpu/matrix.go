package cpu

import (
	"encoding/binary"
	"fmt"
	"math"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// panel is how many outputs lie side by side in a packed matrix.
const panel = 32

// weightType is how a matrix stores its weights, and how they are multiplied.
type weightType uint8

const (
	tileF32     weightType = iota
	tileBF16               // widened to float32
	tileF16                // widened to float32
	tileBF16Dot            // stored as tileBF16, multiplied in pairs with pairs of bfloat16
	weightTypes
)

// matrix is a weight matrix [out, in], packed as [out/panel, in, panel]: for each
// input, the weights of a panel's outputs are neighbours, so that a product reads
// memory in order, whatever the number of rows. bfloat16 comes in pairs,
// [out/panel, in/2, panel, 2], so that one 32-bit lane has two inputs of an output:
// widening is a shift or a mask, and products of pairs take them as they are. What
// does not fill a panel or a pair is zero.
type matrix struct {
	in, out int
	padded  int // inputs with those that fill the last pair
	kind    weightType
	size    int    // bytes of a weight
	data    []byte // aligned to 64 bytes
}

func (m *matrix) In() int  { return m.in }
func (m *matrix) Out() int { return m.out }

// panels is the number of panels, the last one perhaps not full.
func (m *matrix) panels() int { return (m.out + panel - 1) / panel }

// offset is where a panel's weights for the inputs from first on begin.
func (m *matrix) offset(p, first int) int { return (p*m.padded + first) * panel * m.size }

// index is where the weight of an output for an input is.
func (m *matrix) index(out, in int) int {
	if m.kind == tileBF16 || m.kind == tileBF16Dot {
		return m.offset(out/panel, in&^1) + (out%panel*2+in&1)*m.size
	}
	return m.offset(out/panel, in) + out%panel*m.size
}

// Pack copies a weight matrix [out, in], as checkpoints hold it, into the device's
// layout; further sides of its shape count as inputs, as in a convolution's kernel
// [out, channels, height, width]. The type is F32, BF16 or F16, and is kept, but for
// BFloat16 arithmetic, which rounds all weights to it.
func (d *Device) Pack(w safetensors.Tensor) (tensor.Matrix, error) {
	size := 1
	for _, side := range w.Shape {
		size *= side
	}
	if len(w.Shape) < 2 || size == 0 || w.Len() != size {
		return nil, fmt.Errorf("pack tensor %q: shape %v and %d values, want [out, in], neither of them 0", w.Name, w.Shape, w.Len())
	}
	m := &matrix{out: w.Shape[0], in: w.Len() / w.Shape[0], size: w.DType.Size()}
	switch {
	case w.DType != safetensors.F32 && w.DType != safetensors.BF16 && w.DType != safetensors.F16:
		return nil, fmt.Errorf("pack tensor %q: its type is %v, want F32, BF16 or F16", w.Name, w.DType)
	case d.arithmetic == BFloat16 && d.kernels.packBF16 != nil:
		m.kind, m.size = tileBF16Dot, 2
	case d.arithmetic == BFloat16 || w.DType == safetensors.BF16:
		m.kind, m.size = tileBF16, 2
	case w.DType == safetensors.F16:
		m.kind = tileF16
	}
	m.padded = m.in
	if m.kind == tileBF16 || m.kind == tileBF16Dot {
		m.padded = (m.in + 1) &^ 1
	}
	m.data = aligned[byte](m.panels() * m.padded * panel * m.size)
	preferHugePages(m.data)
	d.packing = packTask{m, w}
	d.pool.run(&d.packing, m.panels())
	d.packing = packTask{}
	return m, nil
}

// packTask packs panels.
type packTask struct {
	m *matrix
	w safetensors.Tensor
}

func (t *packTask) unit(_ *scratch, p int) {
	m, from := t.m, t.w.DType
	first, size := p*panel, from.Size()
	to := m.data[m.offset(p, 0):][:m.padded*panel*m.size]
	for o := range min(panel, m.out-first) {
		row := t.w.Data[(first+o)*m.in*size:][:m.in*size]
		switch {
		case m.kind == tileF32:
			packLanes(to[4*o:], row, m.in)
		case m.kind == tileF16:
			for i := range m.in {
				copy(to[(i*panel+o)*2:][:2], row[2*i:])
			}
		case from == safetensors.BF16:
			packLanes(to[4*o:], row, m.in/2)
			if m.in%2 == 1 {
				copy(to[m.in/2*4*panel+4*o:][:2], row[2*m.in-2:])
			}
		default:
			packRounded(to[4*o:], row, from)
		}
	}
}

// packLanes writes n groups of 4 bytes, a float32 or a pair of bfloat16, to a column of
// a panel.
func packLanes(to, row []byte, n int) {
	for i := range n {
		binary.NativeEndian.PutUint32(to[4*panel*i:], binary.NativeEndian.Uint32(row[4*i:]))
	}
}

// packRounded writes float32 or float16 to a column of pairs of bfloat16.
func packRounded(to, row []byte, from safetensors.DType) {
	size := from.Size()
	for i := range len(row) / size {
		var v float32
		if from == safetensors.F32 {
			v = math.Float32frombits(binary.LittleEndian.Uint32(row[4*i:]))
		} else {
			v = widenF16(binary.LittleEndian.Uint16(row[2*i:]))
		}
		binary.NativeEndian.PutUint16(to[i/2*4*panel+i%2*2:], roundBF16(v))
	}
}

// Row writes the weights [in] of one output: a row of the matrix that was packed, such
// as a token's embedding.
func (d *Device) Row(dst []float32, w tensor.Matrix, out int) {
	m := w.(*matrix)
	for in := range m.in {
		from := m.data[m.index(out, in):]
		switch m.kind {
		case tileF32:
			dst[in] = math.Float32frombits(binary.NativeEndian.Uint32(from))
		case tileF16:
			dst[in] = widenF16(binary.NativeEndian.Uint16(from))
		default:
			dst[in] = widenBF16(binary.NativeEndian.Uint16(from))
		}
	}
}
