package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"siglab/bench/compare"
)

// page is what the template shows.
type page struct {
	Style                                       template.CSS
	Title, Headline, Model, Load, When, Stopped string
	Invalid                                     bool
	Failed                                      []pageGate
	Verdicts                                    []pageVerdict
	Scope                                       []string
	Legend                                      []legendEntry
	Forests, ECDFs, Shifts, Strata, Pacing      []figure
	Ladder, One                                 []figure
	OverTime                                    figure
	Metrics                                     []metricTable
	Gates                                       []pageGate
	Work, Kernel                                []string
	Requests                                    requestTable
	Notes                                       []footnote
	Caveats                                     []int // numbers of the notes about the run as a whole
	Environment, Telemetry                      []string
	Reproduce                                   []template.HTML
	Differences                                 differences
	Command                                     string
}

type (
	pageVerdict struct{ Verdict, Text string }
	legendEntry struct {
		Name string
		Line template.HTML
	}
	pageGate struct{ Name, State, Detail string }

	// figure is a chart and the numbers behind it.
	figure struct {
		Title string
		SVG   template.HTML
		Table table
	}
	// table has a row header in its first column.
	table struct {
		Caption string
		Head    []string
		Rows    [][]string
	}
	footnote struct {
		Number     int
		Code, Text string
	}
)

func newPage(dir string, c *compare.Comparison, d Details) page {
	m := c.Manifest
	notes := &footnotes{}
	p := page{
		Style: template.CSS(htmlStyle), Title: "siglab: " + variantList(c), Headline: shortHeadline(c), Invalid: !c.Valid, Scope: scope(c), Model: m.Experiment.Model,
		Load: fmt.Sprintf("%s, blocks of %d requests %s, %d output tokens", blockCount(c), m.Experiment.NumPrompts, m.Experiment.Load(), m.Experiment.MaxTokens),
		When: m.Started.UTC().Format("2006-01-02 15:04 UTC"),
		Work: workLines(c), Kernel: kernelLines(c), Environment: environmentLines(c), Differences: differencesOf(c),
		Telemetry: telemetryLines(c.Telemetry), One: oneVariant(c), Command: strings.Join(m.Command, " "),
		OverTime: figure{SVG: overTime(c), Table: blockTable(c)}, Pacing: pacingFigures(c), Ladder: ladderFigures(c),
		Requests: requestsOf(c, d),
	}
	if m.Stopped != "complete" {
		p.Stopped = stopped(c)
	}
	p.legend(c)
	p.metrics(c, notes)
	p.distributions(c)
	for _, g := range c.Gates {
		gate := pageGate{g.Name, gateState(g), g.Detail}
		p.Gates = append(p.Gates, gate)
		if g.Checked && !g.OK {
			p.Failed = append(p.Failed, gate)
		}
	}
	for _, line := range reproduceLines(dir, c)[1:] {
		p.Reproduce = append(p.Reproduce, codeSpans(line))
	}
	for _, w := range c.Warnings {
		p.Caveats = append(p.Caveats, notes.number(w))
	}
	p.Notes = notes.list
	return p
}

// codeSpans sets what stands between backquotes as code.
func codeSpans(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}

// shortHeadline is headline or, of many candidates, how many of them are faster or
// slower in something; what each is in follows below.
func shortHeadline(c *compare.Comparison) string {
	if len(c.Manifest.Variants) < 4 || !c.Valid {
		return headline(c)
	}
	with := func(verdict compare.Verdict) string {
		names := map[string]bool{}
		for _, m := range c.Metrics {
			if m.Primary && m.Verdict == verdict {
				names[m.Variant] = true
			}
		}
		if len(names) == 0 {
			return "none"
		}
		return strconv.Itoa(len(names))
	}
	return fmt.Sprintf("Of %d candidates against %s, %s faster and %s slower in some primary metric.", len(c.Manifest.Variants)-1, c.Manifest.Variants[0].Name, with(compare.Faster), with(compare.Slower))
}

// blockCount is "6 pairs", or the blocks of one variant.
func blockCount(c *compare.Comparison) string {
	if len(c.Arms) == 1 {
		return count(len(c.Arms[0].Blocks), "block", "blocks")
	}
	return pairCount(c, c.Pairs)
}

func (p *page) legend(c *compare.Comparison) {
	for i, v := range c.Manifest.Variants {
		p.Legend = append(p.Legend, legendEntry{v.Name, legendLine(i)})
	}
}

// metrics fills in what is said of each metric.
func (p *page) metrics(c *compare.Comparison, notes *footnotes) {
	for _, m := range c.Metrics {
		if m.Primary {
			p.Verdicts = append(p.Verdicts, pageVerdict{string(m.Verdict), sentence(c, m)})
			p.Forests = append(p.Forests, figure{m.Variant + ": " + label(m.Metric), forest(m, 100*c.Manifest.Experiment.Equivalence), pairTable(c, m)})
		}
	}
	for _, v := range c.Manifest.Variants[min(1, len(c.Manifest.Variants)):] {
		p.Metrics = append(p.Metrics, metricRows(c, v.Name, notes))
	}
}

// distributions fills in what is known beyond the block values.
func (p *page) distributions(c *compare.Comparison) {
	for _, key := range []string{"ttft_ms", "tpot_ms", "e2el_ms"} {
		name := latencyName(key)
		of := armQuantiles(c, key)
		p.ECDFs = append(p.ECDFs, figure{name, ecdf(of, "ms", name+": share of the requests answered within a time, for each variant"), quantileTable(name+", ms", of)})
	}
	for _, s := range c.Shifts {
		p.Shifts = append(p.Shifts, figure{s.Variant + ": " + latencyName(s.Latency), shiftChart(s), decileTable(s)})
	}
	for _, s := range c.Strata {
		p.Strata = append(p.Strata, figure{Title: fmt.Sprintf("%s: median TTFT by %s", s.Variant, s.By), Table: strataTable(c, s)})
	}
}

// latencyName is "TTFT" of "ttft_ms".
func latencyName(key string) string { return strings.ToUpper(strings.TrimSuffix(key, "_ms")) }

func variantList(c *compare.Comparison) string {
	var names []string
	for _, v := range c.Manifest.Variants {
		names = append(names, v.Name)
	}
	return strings.Join(names, " vs ")
}

// footnotes are numbered in the order in which they are first referred to.
type footnotes struct{ list []footnote }

func (f *footnotes) number(w compare.Warning) int {
	for _, have := range f.list {
		if have.Text == w.Text {
			return have.Number
		}
	}
	n := len(f.list) + 1
	f.list = append(f.list, footnote{n, w.Code, w.Text})
	return n
}
