// Package projector turns a vision tower's features into a decoder's inputs, as
// LLaVA's does: a linear layer, GELU in its exact form (erf, transformers' "gelu"),
// a linear layer.
package projector

import "fmt"

// Ops are the operations that a projector is made of; cpu.Device states their
// shapes.
type Ops interface {
	Linear(y, x, weight, bias []float32, in, out int)
	GELU(x []float32)
}

// Weights are a projector's tensors, matrices as [inputs, outputs].
type Weights struct {
	In      []float32 // [vision, hidden]
	InBias  []float32 // [hidden]
	Out     []float32 // [hidden, hidden]
	OutBias []float32 // [hidden]
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
		{"In", w.In, vision * hidden},
		{"InBias", w.InBias, hidden},
		{"Out", w.Out, hidden * hidden},
		{"OutBias", w.OutBias, hidden},
	} {
		if len(t.values) != t.size {
			return nil, fmt.Errorf("projector weights: %s has %d values, want %d", t.name, len(t.values), t.size)
		}
	}
	return &Projector{vision: vision, hidden: hidden, weights: w, ops: ops}, nil
}

// Forward projects features [rows, vision] to [rows, hidden], which belongs to the
// caller.
func (p *Projector) Forward(features []float32) []float32 {
	rows, w := len(features)/p.vision, p.weights
	middle, y := make([]float32, rows*p.hidden), make([]float32, rows*p.hidden)
	p.ops.Linear(middle, features, w.In, w.InBias, p.vision, p.hidden)
	p.ops.GELU(middle)
	p.ops.Linear(y, middle, w.Out, w.OutBias, p.hidden, p.hidden)
	return y
}
