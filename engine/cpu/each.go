package cpu

// operation is what is done to every element by itself.
type operation uint8

const (
	opGELUTanh operation = iota
	opGELU
	opSiLUMul
	opGELUTanhMul
)

const (
	// eachCost is what one element costs, in multiplications of a matrix product.
	eachCost = 16
	// eachUnit is how many elements a unit of elements has: their 64 KiB stay in the
	// second-level cache.
	eachUnit = 1 << 14
)

// eachTask does an operation to the elements of slices.
type eachTask struct {
	kernels *kernels
	op      operation
	y, x    []float32
}

// GELUTanh replaces every element by its GELU in the tanh form that SigLIP uses:
//
//	½x·(1 + tanh(√(2/π)·(x + 0.044715x³))) = x / (1 + e^(−2√(2/π)·(x + 0.044715x³)))
func (d *Device) GELUTanh(x []float32) { d.run(opGELUTanh, x, nil) }

// GELU replaces every element by its exact GELU, ½x·(1 + erf(x/√2)).
func (d *Device) GELU(x []float32) { d.run(opGELU, x, nil) }

// SiLUMul is the middle of a gated MLP: it replaces every element of gate by
// gate·sigmoid(gate)·up.
func (d *Device) SiLUMul(gate, up []float32) { d.run(opSiLUMul, gate, up) }

// GELUTanhMul is the middle of Gemma's gated MLP: it replaces every element of gate by
// the tanh form of its GELU, times up.
func (d *Device) GELUTanhMul(gate, up []float32) { d.run(opGELUTanhMul, gate, up) }

func (d *Device) run(op operation, y, x []float32) {
	t := &d.each
	*t = eachTask{d.kernels, op, y, x}
	d.do(t, (len(y)+eachUnit-1)/eachUnit, eachCost*len(y))
}

func (t *eachTask) unit(s *scratch, n int) {
	begin, end := n*eachUnit, min((n+1)*eachUnit, len(t.y))
	k, y := t.kernels, t.y[begin:end]
	switch t.op {
	case opGELUTanh:
		k.unary(k.geluTanh, y, s)
	case opGELU:
		k.unary(k.gelu, y, s)
	case opSiLUMul:
		k.binary(k.siluMul, y, t.x[begin:end], s)
	case opGELUTanhMul:
		k.binary(k.geluTanhMul, y, t.x[begin:end], s)
	}
}
