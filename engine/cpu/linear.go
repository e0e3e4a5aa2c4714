package cpu

import "siglab/engine/tensor"

// Linear computes y = x·wᵀ + bias for the rows x [rows, in] and y [rows, out], with
// w [out, in] and bias [out], or nil for none. y must not overlap x.
func (d *Device) Linear(y, x []float32, w tensor.Matrix, bias []float32) {
	d.product(y, x, w.(*matrix), bias, false)
}

// LinearAdd is Linear for a residual: y += x·wᵀ + bias.
func (d *Device) LinearAdd(y, x []float32, w tensor.Matrix, bias []float32) {
	d.product(y, x, w.(*matrix), bias, true)
}

// product computes x·wᵀ + bias, and adds it to y if add is set. Every element is
// added up in the order of the inputs, from its bias on.
func (d *Device) product(y, x []float32, m *matrix, bias []float32, add bool) {
	rows := len(x) / m.in
	panels := (m.out + panel - 1) / panel
	d.split(panels, rows*m.in*panel, func(_, begin, end int) {
		for p := begin; p < end; p++ {
			first, width := p*panel, min(panel, m.out-p*panel)
			weights := m.panels[p*m.in*panel:][:m.in*panel]
			for r := range rows {
				var sums [panel]float32
				if bias != nil {
					copy(sums[:], bias[first:][:width])
				}
				target := y[r*m.out+first:][:width]
				if add {
					for i, v := range target {
						sums[i] += v
					}
				}
				dot(&sums, x[r*m.in:][:m.in], weights)
				copy(target, sums[:])
			}
		}
	})
}

// dot adds x [k] times weights [k, panel] to sums.
func dot(sums *[panel]float32, x, weights []float32) {
	for k, v := range x {
		row := (*[panel]float32)(weights[k*panel:])
		for i, w := range row {
			sums[i] += v * w
		}
	}
}
