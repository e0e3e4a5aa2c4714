package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Charts are drawn by gonum's plot as SVG, which needs no script and prints. Its
// colors are fixed while the page has a light and a dark form, so a chart is drawn in
// inks: colors that stand for the page's variables and are replaced by them.

// ink is a color of the page.
type ink uint8

// The inks. Those of variants follow inkVariant, their translucent forms inkBand.
const (
	inkText ink = iota + 1
	inkLine
	inkZero
	inkPair
	inkMean
	inkMargin
	inkBad
	inkVariant ink = 16
	inkBand    ink = 32
)

// inksOfVariants is how many colors there are for variants.
const inksOfVariants = 8

func inkOf(arm int) ink  { return inkVariant + ink(arm%inksOfVariants) }
func bandOf(arm int) ink { return inkBand + ink(arm%inksOfVariants) }

// RGBA is a color that nothing else has.
func (i ink) RGBA() (r, g, b, a uint32) {
	return color.RGBA{R: 1, G: uint8(i), B: 254, A: 255}.RGBA()
}

// hex is the ink in the SVG of the library.
func (i ink) hex() string { return fmt.Sprintf("#01%02XFE", uint8(i)) }

// inks replaces every ink by the page's variable.
var inks = func() *strings.Replacer {
	var pairs []string
	add := func(i ink, style string) {
		for _, property := range []string{"fill", "stroke"} {
			pairs = append(pairs, property+":"+i.hex(), fmt.Sprintf(style, property))
		}
	}
	for i, name := range map[ink]string{inkText: "soft", inkLine: "line", inkZero: "zero", inkPair: "pair", inkMean: "mean", inkBad: "bad"} {
		add(i, "%s:var(--"+name+")")
	}
	add(inkMargin, "%[1]s:var(--soft);%[1]s-opacity:.12")
	for arm := range inksOfVariants {
		add(inkOf(arm), fmt.Sprintf("%%s:var(--c%d)", arm))
		add(bandOf(arm), fmt.Sprintf("%%[1]s:var(--c%d);%%[1]s-opacity:.4", arm))
	}
	return strings.NewReplacer(pairs...)
}()

// Widths of charts in the page's pixels: of one column, and of the whole page.
const (
	narrow vg.Length = 340
	wide   vg.Length = 1030
)

// textSize is that of everything written in a chart.
const textSize = 11

// newPlot is an empty plot in the page's inks with a light grid.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Width = 0
		axis.Padding = 2
		axis.Tick.Width = 0
		axis.Tick.Length = 3
		axis.Tick.Marker = roundTicks("%g")
		for _, style := range []*draw.TextStyle{&axis.Label.TextStyle, &axis.Tick.Label} {
			style.Color = inkText
			style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
		}
	}
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: inkLine, Width: 1}
	grid.Horizontal = grid.Vertical
	p.Add(grid)
	return p
}

// roundTicks are three to six round numbers, written by a format.
func roundTicks(format string) plot.TickerFunc {
	return func(low, top float64) []plot.Tick {
		span := top - low
		if !(span > 0) || math.IsInf(span, 0) {
			return nil
		}
		decade := math.Pow(10, math.Floor(math.Log10(span))) // the span is 1 to 10 of it
		step := 2 * decade
		for _, finer := range []float64{decade / 5, decade / 2, decade} {
			if span/finer <= 6 {
				step = finer
				break
			}
		}
		var at []plot.Tick
		first := math.Ceil(low/step - 1e-9)
		for n := range 8 { // never more, however far off the numbers are
			i := first + float64(n)
			if i*step > top+step*1e-9 {
				break
			}
			v := math.Round(i*step*1e9)/1e9 + 0 // the sum turns −0 into 0
			at = append(at, plot.Tick{Value: v, Label: fmt.Sprintf(format, v)})
		}
		return at
	}
}

// render draws one plot as SVG. The description is for those who do not see it.
func render(p *plot.Plot, width, height vg.Length, description string) template.HTML {
	canvas := vgsvg.New(width, height)
	p.Draw(inside(canvas))
	return finish(canvas, width, height, description)
}

// inside leaves room for the halves of numbers at the ends of axes, and for fonts that
// are wider than the one that the library measures by.
func inside(canvas *vgsvg.Canvas) draw.Canvas { return draw.Crop(draw.New(canvas), 6, -10, 4, -6) }

// renderStack draws plots below each other, their axes in line.
func renderStack(plots []*plot.Plot, heights []vg.Length, width vg.Length, description string) template.HTML {
	total := vg.Length(6)
	for _, h := range heights {
		total += h
	}
	canvas := vgsvg.New(width, total)
	left := vg.Length(0) // what the widest axis needs
	for _, p := range plots {
		left = max(left, p.DataCanvas(inside(canvas)).Min.X)
	}
	top := total - 6
	for i, p := range plots {
		area := inside(canvas)
		own := left - p.DataCanvas(area).Min.X
		area.Min.X += own
		area.Max.Y, area.Min.Y = top, top-heights[i]
		p.Draw(area)
		top -= heights[i]
	}
	return finish(canvas, width, total, description)
}

// finish makes the library's document a part of the page.
func finish(canvas *vgsvg.Canvas, width, height vg.Length, description string) template.HTML {
	var b bytes.Buffer
	_, _ = canvas.WriteTo(&b) // into memory
	_, rest, _ := strings.Cut(b.String(), "<svg")
	_, body, _ := strings.Cut(rest, ">")
	head := fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, float64(width), float64(height), template.HTMLEscapeString(description))
	return template.HTML(head + inks.Replace(body))
}

// line is a polyline; dashes tell variants apart where colors do not.
func line(points plotter.XYs, color ink, width vg.Length, dashes []vg.Length) plot.Plotter {
	return &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: color, Width: width, Dashes: dashes}}
}

// dots are marks of one kind.
func dots(points plotter.XYs, color ink, radius vg.Length, shape draw.GlyphDrawer) plot.Plotter {
	return &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: color, Radius: radius, Shape: shape}}
}

// dashes of variants; the baseline's line is solid.
func dashesOf(arm int) []vg.Length {
	return [][]vg.Length{nil, {6, 3}, {2, 3}, {8, 3, 2, 3}}[arm%4]
}

// mark is a shape drawn by strokes that are as wide as the lines of a chart; those of
// the library are hairlines.
type mark struct{ draw.GlyphDrawer }

// DrawGlyph draws the shape.
func (m mark) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	var path vg.Path
	r := style.Radius
	if _, cross := m.GlyphDrawer.(draw.CrossGlyph); cross {
		path.Move(vg.Point{X: at.X - r, Y: at.Y - r})
		path.Line(vg.Point{X: at.X + r, Y: at.Y + r})
		path.Move(vg.Point{X: at.X - r, Y: at.Y + r})
		path.Line(vg.Point{X: at.X + r, Y: at.Y - r})
	} else {
		path.Move(vg.Point{X: at.X + r, Y: at.Y})
		path.Arc(at, r, 0, 2*math.Pi)
		path.Close()
	}
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: 1.5})
	c.Stroke(path)
}

var (
	ring  = mark{draw.RingGlyph{}}
	cross = mark{draw.CrossGlyph{}}
)

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
	room := max((top-low)*0.06, math.Abs(top)*0.01, 1e-9)
	return low - room, top + room, true
}

func nothing() template.HTML { return `<p class="soft">No complete values.</p>` }
