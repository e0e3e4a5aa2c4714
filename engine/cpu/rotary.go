package cpu

// RoPE rotates the heads of x [rows, heads, dim] by their rows' positions, in
// Qwen2's halves: elements i and i+dim/2 of a head form the pair i.
//
//	(a, b) → (a·cos − b·sin, b·cos + a·sin)
//
// cos and sin [positions, dim/2] hold the angles' values of every position;
// positions [rows] says which one a row has.
func (d *Device) RoPE(x, cos, sin []float32, positions []int, heads, dim int) {
	half := dim / 2
	for r, position := range positions {
		c, s := cos[position*half:][:half], sin[position*half:][:half]
		row := x[r*heads*dim:][:heads*dim]
		for head := 0; head < len(row); head += dim {
			low, high := row[head:][:half], row[head+half:][:half]
			for i, a := range low {
				b := high[i]
				low[i] = a*c[i] - b*s[i]
				high[i] = b*c[i] + a*s[i]
			}
		}
	}
}
