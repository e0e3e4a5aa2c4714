package posembed

// Taps are the weights along one axis of a plan, rounded to float32 as the vector
// kernels use them, for implementations on other devices.
//
// Output index i is the sum over the source indices First[i], First[i]+1, … with the
// weights Weight[Start[i]], …, Weight[Start[i+1]−1]. Source indices outside the table
// stand for its nearest one.
type Taps struct {
	First  []int32 // [to]
	Start  []int32 // [to+1]
	Weight []float32
}

// RowTaps are the weights down the table.
func (p *Plan) RowTaps() Taps { return p.rows.exported(p.from.Rows) }

// ColTaps are the weights across the table.
func (p *Plan) ColTaps() Taps { return p.cols.exported(p.from.Cols) }

// exported copies an axis; that of an Identity plan, which is empty, has every index
// as the only tap of itself.
func (a *axis) exported(size int) Taps {
	if len(a.end) == 0 {
		t := Taps{Start: []int32{0}}
		for i := range size {
			t.First, t.Start, t.Weight = append(t.First, int32(i)), append(t.Start, int32(i+1)), append(t.Weight, 1)
		}
		return t
	}
	return Taps{
		First:  append([]int32(nil), a.first...),
		Start:  append([]int32{0}, a.end...),
		Weight: append([]float32(nil), a.ascending...),
	}
}
