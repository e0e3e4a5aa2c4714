package cpu

// ropeCost is what one pair costs, in multiplications of a matrix product.
const ropeCost = 8

// ropeTask rotates rows.
type ropeTask struct {
	kernels     *kernels
	x, cos, sin []float32
	positions   []int
	heads, dim  int
	units       int
}

// RoPE rotates the heads of x [rows, heads, dim] by their rows' positions, in
// halves: elements i and i+dim/2 of a head form the pair i.
//
//	(a, b) → (a·cos − b·sin, b·cos + a·sin)
//
// cos and sin [positions, dim/2] hold the angles' values of every position;
// positions [rows] says which one a row has.
func (d *Device) RoPE(x, cos, sin []float32, positions []int, heads, dim int) {
	d.rope = ropeTask{d.kernels, x, cos, sin, positions, heads, dim, d.share(len(positions), ropeCost*heads*dim)}
	d.pool.run(&d.rope, d.rope.units)
}

func (t *ropeTask) unit(s *scratch, n int) {
	half, width, rows := t.dim/2, t.heads*t.dim, len(t.positions)
	for r := n * rows / t.units; r < (n+1)*rows/t.units; r++ {
		at := t.positions[r] * half
		row := t.x[r*width:][:width]
		for head := 0; head < width; head += t.dim {
			t.kernels.turn(row[head:][:half], row[head+half:][:half], t.cos[at:][:half], t.sin[at:][:half], s)
		}
	}
}
