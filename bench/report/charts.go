package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"siglab/bench/compare"
)

// forest shows the change of each pair and their mean with its interval. The shaded
// band is the margin of equivalence, in percent.
func forest(m compare.Metric, margin float64) template.HTML {
	rows := float64(len(m.Pairs) + 1)
	all := []float64{0, m.Percent.Value, m.Percent.Low, m.Percent.High}
	var first, second plotter.XYs // which side ran first
	var names []plot.Tick
	for i, p := range m.Pairs {
		change := pairChange(p)
		y := rows - float64(i)
		names = append(names, plot.Tick{Value: y, Label: pairName(p.Pair, len(m.Pairs))})
		if !known(change) {
			continue
		}
		all = append(all, change)
		if p.CandidateFirst {
			first = append(first, plotter.XY{X: change, Y: y})
		} else {
			second = append(second, plotter.XY{X: change, Y: y})
		}
	}
	if len(first)+len(second) == 0 {
		return nothing()
	}
	p := newPlot()
	p.X.Min, p.X.Max, _ = extent(all)
	p.Y.Min, p.Y.Max = 0.2, rows+0.8
	p.X.Tick.Marker = roundTicks("%g%%")
	p.Y.Tick.Marker = plot.ConstantTicks(append(names, plot.Tick{Value: 1, Label: "mean"}))
	p.Add(band(max(-margin, p.X.Min), min(margin, p.X.Max), p.Y.Min, p.Y.Max))
	p.Add(line(plotter.XYs{{X: 0, Y: p.Y.Min}, {X: 0, Y: p.Y.Max}}, inkZero, 1, []vg.Length{3, 3}))
	p.Add(dots(second, inkPair, 3.5, draw.CircleGlyph{}), dots(first, inkPair, 3, ring))
	if known(m.Percent.Low) && known(m.Percent.High) {
		p.Add(line(plotter.XYs{{X: m.Percent.Low, Y: 1}, {X: m.Percent.High, Y: 1}}, inkMean, 3, nil))
	}
	if known(m.Percent.Value) {
		p.Add(dots(plotter.XYs{{X: m.Percent.Value, Y: 1}}, inkMean, 5, draw.CircleGlyph{}))
	}
	step := 16.0
	if len(m.Pairs) > 24 {
		step = 8
	}
	return render(p, narrow, vg.Length(44+step*rows), fmt.Sprintf("%s, %s: change of each pair in percent, mean %s", m.Variant, label(m.Metric), percentInterval(m.Percent)))
}

// pairChange is the change of one pair in percent.
func pairChange(p compare.PairValue) float64 { return 100 * (p.Candidate/p.Baseline - 1) }

// pairName is the number of a pair; of many, every fifth.
func pairName(pair, of int) string {
	if of > 24 && (pair+1)%5 != 0 {
		return ""
	}
	return strconv.Itoa(pair + 1)
}

// band shades a range of x.
func band(low, high, bottom, top float64) plot.Plotter {
	if !(low < high) {
		return &plotter.Scatter{}
	}
	return &plotter.Polygon{
		XYs:   []plotter.XYs{{{X: low, Y: bottom}, {X: high, Y: bottom}, {X: high, Y: top}, {X: low, Y: top}}},
		Color: inkMargin,
	}
}

// shiftChart draws the change at every decile with its interval.
func shiftChart(s compare.Shift) template.HTML {
	all := []float64{0}
	var at []plot.Tick
	p := newPlot()
	var values plotter.XYs
	for _, q := range s.Deciles {
		all = append(all, q.Change.Value, q.Change.Low, q.Change.High)
		at = append(at, plot.Tick{Value: 100 * q.Quantile, Label: fmt.Sprintf("%.0f%%", 100*q.Quantile)})
	}
	if _, _, ok := extent(all[1:]); !ok {
		return nothing()
	}
	p.Y.Min, p.Y.Max, _ = extent(all)
	p.X.Min, p.X.Max = 5, 95
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(at), roundTicks("%g%%")
	p.X.Label.Text = "share of the requests that are faster"
	p.Add(line(plotter.XYs{{X: 5, Y: 0}, {X: 95, Y: 0}}, inkZero, 1, []vg.Length{3, 3}))
	for _, q := range s.Deciles {
		x := 100 * q.Quantile
		if known(q.Change.Low) && known(q.Change.High) {
			p.Add(line(plotter.XYs{{X: x, Y: q.Change.Low}, {X: x, Y: q.Change.High}}, inkMean, 2, nil))
		}
		if known(q.Change.Value) {
			values = append(values, plotter.XY{X: x, Y: q.Change.Value})
		}
	}
	p.Add(dots(values, inkMean, 4, draw.CircleGlyph{}))
	return render(p, narrow, 210, fmt.Sprintf("%s: change of %s in percent at each tenth of the requests", s.Variant, latencyName(s.Latency)))
}

// ladder shows on one logarithmic scale what the kernel, the tower and the request
// take, a mark for each variant.
func ladder(kernels []compare.Kernel) template.HTML {
	levels := []struct {
		name string
		of   func(compare.Kernel) float64
	}{
		{"resampling", func(k compare.Kernel) float64 { return k.Resample }},
		{"vision tower", func(k compare.Kernel) float64 { return k.Tower }},
		{"median TTFT", func(k compare.Kernel) float64 { return k.TTFT }},
	}
	p := newPlot()
	var all []float64
	var names []plot.Tick
	for row, level := range levels {
		y := float64(len(levels) - row)
		names = append(names, plot.Tick{Value: y, Label: level.name})
		for arm, k := range kernels {
			v := level.of(k)
			if !known(v) || v <= 0 {
				continue
			}
			all = append(all, math.Log10(v))
			offset := 0.0
			if len(kernels) > 1 {
				offset = 0.22 - 0.44*float64(arm)/float64(len(kernels)-1)
			}
			p.Add(dots(plotter.XYs{{X: math.Log10(v), Y: y + offset}}, inkOf(arm), 4.5, shapeOf(arm)))
		}
	}
	if len(all) == 0 {
		return nothing()
	}
	low, top, _ := extent(all)
	p.X.Min, p.X.Max = math.Floor(low), math.Ceil(top)
	p.Y.Min, p.Y.Max = 0.5, 3.5
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.X.Tick.Marker = plot.TickerFunc(func(low, top float64) []plot.Tick {
		var at []plot.Tick
		for e := math.Ceil(low); e <= top; e++ {
			at = append(at, plot.Tick{Value: e, Label: fmt.Sprintf("%g ms", math.Pow(10, e))})
		}
		return at
	})
	return render(p, narrow, 150, "Time of the resampling kernel, the vision tower and the request on a logarithmic scale")
}

// effects shows for each candidate what the kernels' difference predicts for the
// median TTFT, and what was measured with its interval.
func effects(c *compare.Comparison) template.HTML {
	p := newPlot()
	all := []float64{0}
	var names []plot.Tick
	rows := 0
	for arm, k := range c.Kernel {
		if arm == 0 || !known(k.Predicted) || !known(k.Measured) {
			continue
		}
		measured := find(c, k.Variant, "median_ttft_ms").Absolute
		all = append(all, k.Predicted, measured.Value, measured.Low, measured.High)
		y := float64(-2 * rows)
		names = append(names, plot.Tick{Value: y, Label: shorten(k.Variant, 12) + ": predicted"}, plot.Tick{Value: y - 1, Label: "measured"})
		p.Add(dots(plotter.XYs{{X: k.Predicted, Y: y}}, inkOf(arm), 5, draw.PyramidGlyph{}))
		if known(measured.Low) && known(measured.High) {
			p.Add(line(plotter.XYs{{X: measured.Low, Y: y - 1}, {X: measured.High, Y: y - 1}}, inkOf(arm), 3, nil))
		}
		p.Add(dots(plotter.XYs{{X: measured.Value, Y: y - 1}}, inkOf(arm), 4.5, draw.CircleGlyph{}))
		rows++
	}
	if rows == 0 {
		return ""
	}
	p.X.Min, p.X.Max, _ = extent(all)
	p.Y.Min, p.Y.Max = float64(-2*rows)+0.5, 0.5
	p.X.Tick.Marker, p.Y.Tick.Marker = roundTicks("%g"), plot.ConstantTicks(names)
	p.X.Label.Text = "ms"
	p.Add(line(plotter.XYs{{X: 0, Y: p.Y.Min}, {X: 0, Y: p.Y.Max}}, inkZero, 1, []vg.Length{3, 3}))
	return render(p, narrow, vg.Length(54+40*rows), "Change of the median TTFT that the kernels' difference predicts, and the measured one")
}

// shapeOf tells variants apart where colors do not.
func shapeOf(arm int) draw.GlyphDrawer {
	return []draw.GlyphDrawer{draw.CircleGlyph{}, ring, draw.BoxGlyph{}, draw.PyramidGlyph{}, cross}[arm%5]
}
