// Package projector turns a vision tower's features into a decoder's inputs, as
// LLaVA's does: a linear layer, GELU in its exact form (erf, transformers' "gelu"),
// a linear layer.
package projector

import (
	"fmt"

	"siglab/engine/tensor"
)

// Ops are the operations that a projector is made of; cpu.Device states their
// shapes.
type Ops interface {
	Linear(y, x []float32, w tensor.Matrix, bias []float32)
	GELU(x []float32)
}

// Weights are a projector's tensors, matrices as [outputs, inputs], packed by the
// device that the projector computes with.
type Weights struct {
	In      tensor.Matrix // [hidden, vision]
	InBias  []float32     // [hidden]
	Out     tensor.Matrix // [hidden, hidden]
	OutBias []float32     // [hidden]
}

// Projector maps features of one width to another.
type Projector struct {
	vision, hidden int
	weights        *Weights
	ops            Ops
}

// New binds weights for features of vision values, projected to hidden values. The
// error names the first tensor of another size.
func New(vision, hidden int, w *Weights, ops Ops) (*Projector, error) {
	for _, t := range []struct {
		name   string
		values []float32
		size   int
	}{
		{"InBias", w.InBias, hidden},
		{"OutBias", w.OutBias, hidden},
	} {
		if len(t.values) != t.size {
			return nil, fmt.Errorf("projector weights: %s has %d values, want %d", t.name, len(t.values), t.size)
		}
	}
	for _, m := range []struct {
		name    string
		packed  tensor.Matrix
		out, in int
	}{
		{"In", w.In, hidden, vision},
		{"Out", w.Out, hidden, hidden},
	} {
		if m.packed == nil {
			return nil, fmt.Errorf("projector weights: %s is missing, want [%d, %d]", m.name, m.out, m.in)
		}
		if m.packed.Out() != m.out || m.packed.In() != m.in {
			return nil, fmt.Errorf("projector weights: %s is [%d, %d], want [%d, %d]", m.name, m.packed.Out(), m.packed.In(), m.out, m.in)
		}
	}
	return &Projector{vision: vision, hidden: hidden, weights: w, ops: ops}, nil
}

// Forward projects features [rows, vision] to [rows, hidden], which belongs to the
// caller.
func (p *Projector) Forward(features []float32) []float32 {
	rows, w := len(features)/p.vision, p.weights
	middle, y := make([]float32, rows*p.hidden), make([]float32, rows*p.hidden)
	p.ops.Linear(middle, features, w.In, w.InBias)
	p.ops.GELU(middle)
	p.ops.Linear(y, middle, w.Out, w.OutBias)
	return y
}
