package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"siglab/bench/compare"
)

// drawing is an SVG of chartWidth × height with a plot area inside, drawn with the
// page's colors. Everything in it is a number or one of our own words, so it needs no
// escaping.
type drawing struct {
	strings.Builder
	height     float64
	xLow, xTop float64 // data range
	yLow, yTop float64
}

const (
	chartWidth              = 360.0
	marginLeft, marginRight = 44.0, 14.0
	marginTop, marginBottom = 8.0, 24.0
)

func newDrawing(height, xLow, xTop, yLow, yTop float64) *drawing {
	d := &drawing{height: height, xLow: xLow, xTop: xTop, yLow: yLow, yTop: yTop}
	d.add(`<svg viewBox="0 0 %g %g" role="img">`, chartWidth, height)
	return d
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

func (d *drawing) html() template.HTML {
	d.add(`</svg>`)
	return template.HTML(d.String())
}

func (d *drawing) x(v float64) float64 {
	return marginLeft + (v-d.xLow)/(d.xTop-d.xLow)*(chartWidth-marginLeft-marginRight)
}

func (d *drawing) y(v float64) float64 {
	return d.height - marginBottom - (v-d.yLow)/(d.yTop-d.yLow)*(d.height-marginTop-marginBottom)
}

func (d *drawing) xAxis(unit string) {
	for _, t := range ticks(d.xLow, d.xTop) {
		d.add(`<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, d.x(t), d.x(t), marginTop, d.height-marginBottom)
		d.add(`<text x="%.1f" y="%.1f" text-anchor="middle">%g%s</text>`, d.x(t), d.height-8, t, unit)
	}
}

func (d *drawing) yAxis() {
	for _, t := range ticks(d.yLow, d.yTop) {
		d.add(`<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, marginLeft, chartWidth-marginRight, d.y(t), d.y(t))
		d.add(`<text x="%.1f" y="%.1f" text-anchor="end">%g</text>`, marginLeft-6, d.y(t)+4, t)
	}
}

// ticks are three to six round numbers within a range.
func ticks(low, top float64) []float64 {
	span := top - low
	if !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(span)))
	for _, divide := range []float64{5, 2, 1} {
		if span/(step/divide) <= 6 {
			step /= divide
			break
		}
	}
	var at []float64
	for t := math.Ceil(low/step) * step; t <= top+step/1000; t += step {
		at = append(at, math.Round(t/step)*step)
	}
	for i := range at {
		at[i] = math.Round(at[i]*1e9)/1e9 + 0 // the sum turns −0 into 0
	}
	return at
}

// extent is the range of the known values with a little room; ok is false if there
// is none.
func extent(values []float64) (low, top float64, ok bool) {
	low, top = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if known(v) {
			low, top = min(low, v), max(top, v)
		}
	}
	if low > top {
		return 0, 1, false
	}
	room := max((top-low)*0.08, math.Abs(top)*0.01, 1e-9)
	return low - room, top + room, true
}

// forest shows the change of each pair and their mean with its interval.
func forest(m compare.Metric) template.HTML {
	all := []float64{0, m.Percent.Value, m.Percent.Low, m.Percent.High}
	var changes []float64
	for _, p := range m.Pairs {
		change := 100 * (p.Candidate/p.Baseline - 1)
		changes = append(changes, change)
		all = append(all, change)
	}
	low, top, _ := extent(all)
	rows := float64(len(changes) + 2)
	d := newDrawing(36+15*rows, low, top, 0, rows)
	d.xAxis("%")
	d.add(`<line class="zero" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, d.x(0), d.x(0), marginTop, d.height-marginBottom)
	for i, change := range changes {
		y := d.y(rows - float64(i) - 0.5)
		d.add(`<text x="%.1f" y="%.1f" text-anchor="end">%d</text>`, marginLeft-8, y+4, m.Pairs[i].Pair+1)
		if known(change) {
			d.add(`<circle cx="%.1f" cy="%.1f" r="3.5" fill="var(--c7)"/>`, d.x(change), y)
		}
	}
	y := d.y(0.8)
	d.add(`<text x="%.1f" y="%.1f" text-anchor="end">mean</text>`, marginLeft-8, y+4)
	if known(m.Percent.Low) && known(m.Percent.High) {
		d.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="var(--c0)" stroke-width="5" stroke-opacity=".45"/>`, d.x(m.Percent.Low), d.x(m.Percent.High), y, y)
	}
	if known(m.Percent.Value) {
		d.add(`<circle cx="%.1f" cy="%.1f" r="5" fill="var(--c0)"/>`, d.x(m.Percent.Value), y)
	}
	return d.html()
}

// ecdf draws the share of requests within a time for every variant, up to the 99 %
// quantile: the last requests would squeeze the rest.
func ecdf(c *compare.Comparison, key string) template.HTML {
	var all []float64
	for _, a := range c.Arms {
		if q := a.Quantiles[key]; len(q) == 101 {
			all = append(all, q[0], q[99])
		}
	}
	low, top, ok := extent(all)
	if !ok {
		return nothing()
	}
	d := newDrawing(210, low, top, 0, 1)
	d.xAxis("")
	d.yAxis()
	for i, a := range c.Arms {
		q := a.Quantiles[key]
		if len(q) != 101 {
			continue
		}
		var points []string
		for percent, v := range q {
			if known(v) && v <= top {
				points = append(points, fmt.Sprintf("%.1f,%.1f", d.x(v), d.y(float64(percent)/100)))
			}
		}
		d.add(`<polyline points="%s" fill="none" stroke="var(--c%d)" stroke-width="2"/>`, strings.Join(points, " "), i%8)
	}
	return d.html()
}

// shiftChart draws the change at every decile with its interval.
func shiftChart(s compare.Shift) template.HTML {
	all := []float64{0}
	for _, q := range s.Deciles {
		all = append(all, q.Change.Value, q.Change.Low, q.Change.High)
	}
	low, top, _ := extent(all)
	d := newDrawing(190, 0.05, 0.95, low, top)
	d.yAxis()
	d.add(`<line class="zero" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, marginLeft, chartWidth-marginRight, d.y(0), d.y(0))
	for _, q := range s.Deciles {
		x := d.x(q.Quantile)
		d.add(`<text x="%.1f" y="%.1f" text-anchor="middle">%.0f%%</text>`, x, d.height-8, 100*q.Quantile)
		if known(q.Change.Low) && known(q.Change.High) {
			d.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="var(--c0)" stroke-width="5" stroke-opacity=".45"/>`, x, x, d.y(q.Change.Low), d.y(q.Change.High))
		}
		if known(q.Change.Value) {
			d.add(`<circle cx="%.1f" cy="%.1f" r="4" fill="var(--c0)"/>`, x, d.y(q.Change.Value))
		}
	}
	return d.html()
}

// series draws a metric's block values in the order in which the blocks ran.
func series(c *compare.Comparison, key string) template.HTML {
	var all []float64
	last := 0
	for _, a := range c.Arms {
		for _, b := range a.Blocks {
			if v, has := b.Values[key]; has && b.Block.Void == "" {
				all = append(all, v)
				last = max(last, b.Block.ID)
			}
		}
	}
	low, top, ok := extent(all)
	if !ok {
		return nothing()
	}
	d := newDrawing(190, 0.5, float64(last)+0.5, low, top)
	d.yAxis()
	for i, a := range c.Arms {
		for _, b := range a.Blocks {
			if v, has := b.Values[key]; has && known(v) && b.Block.Void == "" {
				d.add(`<circle cx="%.1f" cy="%.1f" r="4" fill="var(--c%d)"/>`, d.x(float64(b.Block.ID)), d.y(v), i%8)
			}
		}
	}
	d.add(`<text x="%.1f" y="%.1f">block 1</text><text x="%.1f" y="%.1f" text-anchor="end">block %d</text>`, marginLeft, d.height-8, chartWidth-marginRight, d.height-8, last)
	return d.html()
}

func nothing() template.HTML { return `<p class="soft">No complete values.</p>` }
