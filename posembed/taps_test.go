package posembed

import (
	"math"
	"testing"
)

// TestTaps: the exported taps are the plan's.
func TestTaps(t *testing.T) {
	from, to := Grid{Rows: 7, Cols: 4}, Grid{Rows: 3, Cols: 9}
	for _, c := range Conventions() {
		p, err := NewPlan(from, to, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []struct {
			taps Taps
			axis *axis
			from int
		}{{p.RowTaps(), &p.rows, from.Rows}, {p.ColTaps(), &p.cols, from.Cols}} {
			for i, first := range side.taps.First {
				index, weight := side.axis.taps(i)
				got := side.taps.Weight[side.taps.Start[i]:side.taps.Start[i+1]]
				if len(got) != len(index) {
					t.Fatalf("%v: output %d has %d taps, want %d", c, i, len(got), len(index))
				}
				for k, w := range got {
					source := min(max(int(first)+k, 0), side.from-1)
					if source != int(index[k]) || math.Abs(float64(w)-weight[k]) > 0x1p-23 {
						t.Errorf("%v: output %d, tap %d: source %d with %v, want %d with %v", c, i, k, source, w, index[k], weight[k])
					}
				}
			}
		}
	}
	p, err := NewPlan(from, from, Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	if taps := p.RowTaps(); len(taps.First) != from.Rows || taps.First[2] != 2 || taps.Weight[2] != 1 {
		t.Errorf("identity: %+v", taps)
	}
}
