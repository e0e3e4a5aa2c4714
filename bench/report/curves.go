package report

import (
	"html/template"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"siglab/bench/compare"
)

// quantiles is a list of the 0 %, 1 %, …, 100 % quantiles of one variant.
type quantiles struct {
	name string
	list []float64
}

// ecdf draws the share of values up to each for every variant, up to the 99 %
// quantile: the last ones would squeeze the rest.
func ecdf(of []quantiles, unit, description string) template.HTML {
	all := []float64{}
	for _, q := range of {
		if len(q.list) == 101 {
			all = append(all, q.list[0], q.list[99])
		}
	}
	low, top, ok := extent(all)
	if !ok {
		return nothing()
	}
	p := newPlot()
	p.X.Min, p.X.Max = max(low, min(0, low)), top
	if low > 0 && low < top/4 {
		p.X.Min = 0
	}
	p.Y.Min, p.Y.Max = 0, 100
	p.Y.Tick.Marker = roundTicks("%g%%")
	p.X.Label.Text = unit
	for arm, q := range of {
		var points plotter.XYs
		for percent, v := range q.list {
			if known(v) && v <= top {
				points = append(points, plotter.XY{X: v, Y: float64(percent)})
			}
		}
		if len(points) > 0 {
			p.Add(line(points, inkOf(arm), 2, dashesOf(arm)))
		}
	}
	return render(p, narrow, 220, description)
}

// armQuantiles are the quantiles of one latency for every variant.
func armQuantiles(c *compare.Comparison, key string) []quantiles {
	var out []quantiles
	for _, a := range c.Arms {
		out = append(out, quantiles{a.Variant.Name, a.Quantiles[key]})
	}
	return out
}

// arrivals sets the gaps between requests as they were sent against those of the
// schedule, quantile by quantile: on the line they are the same.
func arrivals(pacing []compare.Pacing) template.HTML {
	all := []float64{0}
	for _, p := range pacing {
		all = append(all, p.Scheduled[99], p.Gaps[99])
	}
	_, top, _ := extent(all)
	plot := newPlot()
	plot.X.Min, plot.X.Max, plot.Y.Min, plot.Y.Max = 0, top, 0, top
	plot.X.Label.Text, plot.Y.Label.Text = "scheduled gap, ms", "sent gap, ms"
	plot.Add(line(plotter.XYs{{X: 0, Y: 0}, {X: top, Y: top}}, inkZero, 1, []vg.Length{3, 3}))
	for arm, p := range pacing {
		var points plotter.XYs
		for percent := 1; percent <= 99; percent += 2 {
			if x, y := p.Scheduled[percent], p.Gaps[percent]; known(x) && known(y) {
				points = append(points, plotter.XY{X: x, Y: y})
			}
		}
		plot.Add(dots(points, inkOf(arm), 3, shapeOf(arm)))
	}
	return render(plot, narrow, 240, "Quantiles of the gaps between requests, as sent against as scheduled")
}
