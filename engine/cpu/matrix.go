package cpu

import (
	"fmt"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// panel is how many outputs lie side by side in a packed matrix.
const panel = 32

// matrix is a weight matrix [out, in], packed as [out/panel, in, panel]: for each
// input, the weights of a panel's outputs are neighbours, so that a product reads
// memory in order, whatever the number of rows. The last panel is filled up with
// zeros.
type matrix struct {
	in, out int
	panels  []float32
}

func (m *matrix) In() int  { return m.in }
func (m *matrix) Out() int { return m.out }

// Pack copies a weight matrix [out, in], as checkpoints hold it, into the device's
// layout; further sides of its shape count as inputs, as in a convolution's kernel
// [out, channels, height, width]. The type is F32, BF16 or F16.
func (d *Device) Pack(w safetensors.Tensor) (tensor.Matrix, error) {
	if len(w.Shape) < 2 || w.Len() == 0 {
		return nil, fmt.Errorf("pack tensor %q of shape %v: want [out, in], neither of them 0", w.Name, w.Shape)
	}
	switch w.DType {
	case safetensors.F32, safetensors.BF16, safetensors.F16:
	default:
		return nil, fmt.Errorf("pack tensor %q: its type is %v, want F32, BF16 or F16", w.Name, w.DType)
	}
	values, err := w.Float32s()
	if err != nil {
		return nil, err
	}
	out := w.Shape[0]
	m := &matrix{in: w.Len() / out, out: out}
	m.panels = make([]float32, (out+panel-1)/panel*panel*m.in)
	for o := range out {
		for i := range m.in {
			m.panels[m.index(o, i)] = values[o*m.in+i]
		}
	}
	return m, nil
}

// index is where the weight of an output for an input is.
func (m *matrix) index(out, in int) int { return (out/panel*m.in+in)*panel + out%panel }

// Row writes the weights [in] of one output: a row of the matrix that was packed, such
// as a token's embedding.
func (d *Device) Row(dst []float32, w tensor.Matrix, out int) {
	m := w.(*matrix)
	for i := range m.in {
		dst[i] = m.panels[m.index(out, i)]
	}
}
