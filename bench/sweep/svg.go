package sweep

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"siglab/bench/compare"
)

// panel is the plot of one metric of one candidate: its change at every point, with its
// interval, and what was claimed there.
type panel struct {
	Title  string
	Points []mark
}

// mark is one point of a panel.
type mark struct {
	Name        string
	Change      compare.Interval // in percent
	ClaimedLow  float64          // of the change, NaN where nothing was claimed
	ClaimedHigh float64
	Verdict     string
}

// panels sorts the rows by candidate and metric, in the order of their first
// appearance.
func (r Result) panels() []panel {
	claimed := map[[3]string]Claim{}
	for _, t := range r.Claims() {
		claimed[[3]string{t.Point, t.Variant, t.Metric}] = t.Claim
	}
	var out []panel
	at := map[[2]string]int{}
	for _, row := range r.Rows() {
		key := [2]string{row.Variant, row.Metric.Metric}
		i, seen := at[key]
		if !seen {
			i = len(out)
			at[key], out = i, append(out, panel{Title: row.Variant + ": " + label(row.Metric.Metric)})
		}
		m := mark{Name: strings.Join(values(row.Report.Point), " "), Change: row.Percent, ClaimedLow: math.NaN(), ClaimedHigh: math.NaN(), Verdict: row.cells()[len(columns)-1]}
		if c, ok := claimed[[3]string{row.Point, row.Variant, row.Metric.Metric}]; ok {
			m.ClaimedLow, m.ClaimedHigh = c.Low, c.High
			if row.Better == compare.LowerIsBetter {
				m.ClaimedLow, m.ClaimedHigh = -c.High, -c.Low
			}
		}
		out[i].Points = append(out[i].Points, m)
	}
	return out
}

// values are those of a point's keys.
func values(p Point) []string {
	out := make([]string, len(p.Overrides))
	for i, o := range p.Overrides {
		out[i] = o.Value
	}
	return out
}

// The size of a panel's drawing.
const (
	panelWidth, rowHeight = 460.0, 30.0
	left, right           = 130.0, 16.0
	top, bottom           = 10.0, 26.0
)

// SVG draws the panel: a row for each point, percent to the right.
func (p panel) SVG() template.HTML {
	low, high := p.extent()
	height := top + bottom + rowHeight*float64(len(p.Points))
	x := func(v float64) float64 {
		return left + (min(max(v, low), high)-low)/(high-low)*(panelWidth-left-right)
	}
	var d strings.Builder
	fmt.Fprintf(&d, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, panelWidth, height, html.EscapeString(p.Title))
	for _, t := range ticks(low, high) {
		fmt.Fprintf(&d, `<line class="axis" x1="%.1f" x2="%.1f" y1="%g" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%g %%</text>`, x(t), x(t), top, height-bottom, x(t), height-8, t)
	}
	fmt.Fprintf(&d, `<line class="zero" x1="%.1f" x2="%.1f" y1="%g" y2="%.1f"/>`, x(0), x(0), top, height-bottom)
	for i, m := range p.Points {
		y := top + rowHeight*(float64(i)+0.5)
		fmt.Fprintf(&d, `<text x="%g" y="%.1f" text-anchor="end">%s</text>`, left-10, y+4, html.EscapeString(short(m.Name)))
		if known(m.ClaimedLow) {
			fmt.Fprintf(&d, `<rect class="claim" x="%.1f" width="%.1f" y="%.1f" height="20"><title>claimed: %+g to %+g %%</title></rect>`, x(m.ClaimedLow), x(m.ClaimedHigh)-x(m.ClaimedLow), y-10, m.ClaimedLow, m.ClaimedHigh)
		}
		if known(m.Change.Low) && known(m.Change.High) {
			fmt.Fprintf(&d, `<line class="interval" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x(m.Change.Low), x(m.Change.High), y, y)
		}
		if known(m.Change.Value) {
			fmt.Fprintf(&d, `<circle cx="%.1f" cy="%.1f" r="5"><title>%s: %s, %s</title></circle>`, x(m.Change.Value), y, html.EscapeString(m.Name), interval(m.Change), html.EscapeString(m.Verdict))
		}
	}
	d.WriteString(`</svg>`)
	return template.HTML(d.String())
}

// extent is the range of the percents, 0 in it, with a little room. An interval of a
// few noisy pairs may reach far beyond; it is cut off, so that the rest can be seen.
func (p panel) extent() (low, high float64) {
	largest := 2.0
	for _, m := range p.Points {
		for _, v := range []float64{m.Change.Value, m.ClaimedLow, m.ClaimedHigh} {
			if known(v) {
				largest = max(largest, math.Abs(v))
			}
		}
	}
	for _, m := range p.Points {
		for _, v := range []float64{m.Change.Value, m.Change.Low, m.Change.High, m.ClaimedLow, m.ClaimedHigh} {
			if known(v) {
				low, high = max(min(low, v), -3*largest), min(max(high, v), 3*largest)
			}
		}
	}
	room := max(0.06*(high-low), 0.1)
	return low - room, high + room
}

// ticks are three to seven round numbers within a range.
func ticks(low, high float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, part := range []float64{5, 2, 1} {
		if (high-low)*part/step <= 7 {
			step /= part
			break
		}
	}
	var out []float64
	for i := math.Ceil(low / step); i*step <= high; i++ {
		out = append(out, math.Round(i*step*1e6)/1e6+0) // + 0: no negative zero
	}
	return out
}

// short cuts a name to what fits beside the plot.
func short(name string) string {
	const most = 18
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}
