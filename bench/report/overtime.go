package report

import (
	"html/template"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"siglab/bench/compare"
)

// overTime draws the latency over the run and under it what was read of the machine.
func overTime(c *compare.Comparison) template.HTML {
	low, top := timeRange(c)
	if !(low < top) {
		return nothing()
	}
	plots, heights := []*plot.Plot{latencyOverTime(c, low, top)}, []vg.Length{230}
	for _, series := range c.Machine {
		plots, heights = append(plots, machineOverTime(series, low, top)), append(heights, 110)
	}
	for _, p := range plots[:len(plots)-1] {
		p.X.Tick.Marker = unlabelled
	}
	plots[len(plots)-1].X.Label.Text = "seconds from the start of the run"
	heights[len(heights)-1] += 16
	return renderStack(plots, heights, wide, "Time to first token over the run, and readings of the machine below")
}

// machineOverTime is one reading of the machine, in the color of the variant that ran.
func machineOverTime(series compare.Series, low, top float64) *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max, p.Y.Min = low, top, 0
	p.Y.Tick.Marker = fewTicks
	setTitle(p, strings.TrimSuffix(series.Name+", "+series.Unit, ", "))
	for _, block := range blocksOf(series.Points, func(q compare.Point) (int, int) { return q.Arm, q.Block }) {
		var points plotter.XYs
		for _, q := range block {
			points = append(points, plotter.XY{X: q.At, Y: q.Value})
			p.Y.Max = max(p.Y.Max, 1.05*q.Value)
		}
		p.Add(line(points, inkOf(block[0].Arm), 1.5, nil))
		if len(points) == 1 {
			p.Add(dots(points, inkOf(block[0].Arm), 1.5, draw.CircleGlyph{}))
		}
	}
	return p
}

// fewTicks are every second one of roundTicks, for a plot of little height.
var fewTicks = plot.TickerFunc(func(low, top float64) []plot.Tick {
	var few []plot.Tick
	for i, t := range roundTicks("%g")(low, top) {
		if i%2 == 0 {
			few = append(few, t)
		}
	}
	return few
})

// unlabelled are roundTicks whose numbers stand below another plot.
var unlabelled = plot.TickerFunc(func(low, top float64) []plot.Tick {
	at := roundTicks("%g")(low, top)
	for i := range at {
		at[i].Label = " "
	}
	return at
})

// latencyOverTime is the median of the TTFT and its 90th percentile in each stretch
// of each block. Stretches with failures have a cross at the top.
func latencyOverTime(c *compare.Comparison, low, top float64) *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max, p.Y.Min = low, top, 0
	setTitle(p, "TTFT, ms: median (thick) and 90th percentile (thin)")
	var failures plotter.XYs
	for _, block := range blocksOf(c.Timeline, func(m compare.Moment) (int, int) { return m.Arm, m.Block }) {
		var medians, slow plotter.XYs
		for _, m := range block {
			if m.Failed > 0 {
				failures = append(failures, plotter.XY{X: m.At})
			}
			if known(m.TTFT) && known(m.Slow) {
				medians, slow = append(medians, plotter.XY{X: m.At, Y: m.TTFT}), append(slow, plotter.XY{X: m.At, Y: m.Slow})
				p.Y.Max = max(p.Y.Max, 1.05*m.Slow)
			}
		}
		arm := block[0].Arm
		if len(medians) > 0 {
			p.Add(line(slow, bandOf(arm), 1, nil), line(medians, inkOf(arm), 2, nil))
		}
		if len(medians) == 1 {
			p.Add(dots(medians, inkOf(arm), 2, draw.CircleGlyph{}))
		}
	}
	if len(failures) > 0 {
		p.Y.Max = max(1, 1.1*p.Y.Max) // room for the marks
		for i := range failures {
			failures[i].Y = 0.96 * p.Y.Max
		}
		p.Add(dots(failures, inkBad, 4, cross))
	}
	return p
}

// setTitle writes a small title above a plot, at its left.
func setTitle(p *plot.Plot, title string) {
	p.Title.Text = " " // keeps the room
	p.Title.TextStyle = p.X.Tick.Label
	p.Title.Padding = 4
	p.Add(caption{title, p.X.Tick.Label})
}

// caption is a plot's title; the library would center it.
type caption struct {
	title string
	style text.Style
}

// Plot draws the title.
func (t caption) Plot(c draw.Canvas, _ *plot.Plot) {
	style := t.style
	style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y + 3}, t.title)
}

// timeRange is from the first to the last second of which anything is known.
func timeRange(c *compare.Comparison) (low, top float64) {
	low, top = math.Inf(1), math.Inf(-1)
	for _, m := range c.Timeline {
		low, top = min(low, m.At), max(top, m.At)
	}
	for _, s := range c.Machine {
		for _, q := range s.Points {
			low, top = min(low, q.At), max(top, q.At)
		}
	}
	return low, top
}

// blocksOf cuts rows that are in order of time where another block begins, so that no
// line is drawn from one block to the next.
func blocksOf[T any](rows []T, of func(T) (arm, block int)) [][]T {
	var out [][]T
	start := 0
	for i := range rows {
		if i+1 < len(rows) {
			a, b := of(rows[i])
			x, y := of(rows[i+1])
			if a == x && b == y {
				continue
			}
		}
		out = append(out, rows[start:i+1])
		start = i + 1
	}
	return out
}
