package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"siglab/bench/compare"
)

//go:embed report.html.tmpl
var htmlTemplate string

// HTML writes one self-contained file: the verdict first, then what it rests on. It
// has no scripts and loads nothing.
func HTML(w io.Writer, dir string, c *compare.Comparison) error {
	t, err := template.New("report").Parse(htmlTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, newPage(dir, c))
}

// page is what the template shows.
type page struct {
	Title, Headline, Model, Load, When, Stopped string
	Verdicts                                    []pageVerdict
	Scope                                       []string
	Forests, ECDFs, Shifts, Series              []chart
	Strata                                      []pageTable
	Tables                                      []pageTable
	Legend                                      []legendEntry
	Gates                                       []pageGate
	Notes, Work, Kernel, Caveats                []string
	Environment, Reproduce                      []string
	Command                                     string
}

type (
	pageVerdict struct{ Verdict, Text string }
	pageTable   struct {
		Title, Baseline, Candidate string
		Rows                       []pageRow
	}
	pageRow struct {
		Metric, Baseline, Candidate, Change, Absolute, P, PHolm, Verdict string
		Primary                                                          bool
	}
	legendEntry struct {
		Name  string
		Color int
	}
	pageGate struct{ Name, State, Detail string }
	chart    struct {
		Title string
		SVG   template.HTML
	}
)

func newPage(dir string, c *compare.Comparison) page {
	m := c.Manifest
	p := page{
		Title: "siglab: " + variantList(c), Headline: headline(c), Scope: scope(c), Model: m.Experiment.Model,
		Load:    fmt.Sprintf("%s, blocks of %d requests %s, %d output tokens", pairCount(c, c.Pairs), m.Experiment.NumPrompts, m.Experiment.Load(), m.Experiment.MaxTokens),
		When:    m.Started.UTC().Format("2006-01-02 15:04 UTC"),
		Notes:   noteLines(c),
		Work:    workLines(c),
		Kernel:  kernelLines(c),
		Caveats: warningTexts(c.Warnings), Environment: environmentLines(c), Reproduce: reproduceLines(dir, c)[1:], Command: strings.Join(m.Command, " "),
	}
	if m.Stopped != "complete" {
		p.Stopped = stopped(c)
	}
	for _, metric := range c.Metrics {
		if metric.Primary {
			p.Verdicts = append(p.Verdicts, pageVerdict{string(metric.Verdict), sentence(c, metric)})
			p.Forests = append(p.Forests, chart{metric.Variant + ": " + label(metric.Metric), forest(metric)})
		}
	}
	for _, v := range m.Variants[min(1, len(m.Variants)):] {
		p.Tables = append(p.Tables, pageRows(c, v.Name))
	}
	for i, v := range m.Variants {
		p.Legend = append(p.Legend, legendEntry{v.Name, i % 8})
	}
	for _, q := range []struct{ key, title string }{{"ttft_ms", "TTFT"}, {"tpot_ms", "TPOT"}, {"e2el_ms", "E2EL"}} {
		p.ECDFs = append(p.ECDFs, chart{q.title + ", ms", ecdf(c, q.key)})
	}
	for _, s := range c.Shifts {
		p.Shifts = append(p.Shifts, chart{s.Variant + ": " + strings.ToUpper(strings.TrimSuffix(s.Latency, "_ms")), shiftChart(s)})
	}
	for _, s := range c.Strata {
		p.Strata = append(p.Strata, strataTable(c, s))
	}
	for _, key := range []string{"median_ttft_ms", "median_tpot_ms", "median_e2el_ms"} {
		p.Series = append(p.Series, chart{label(key) + ", ms", series(c, key)})
	}
	for _, g := range c.Gates {
		p.Gates = append(p.Gates, pageGate{g.Name, gateState(g), g.Detail})
	}
	return p
}

func pageRows(c *compare.Comparison, variant string) pageTable {
	t := pageTable{Title: variant + " against " + c.Manifest.Variants[0].Name, Baseline: c.Manifest.Variants[0].Name, Candidate: variant}
	for _, m := range c.Metrics {
		if m.Variant != variant {
			continue
		}
		verdict := "descriptive"
		if m.Primary {
			verdict = string(m.Verdict)
		}
		t.Rows = append(t.Rows, pageRow{
			Metric: label(m.Metric) + unitSuffix(m.Unit), Baseline: value(m.Baseline), Candidate: value(m.Candidate), Change: tableChange(m),
			Absolute: absoluteInterval(m.Absolute, ""), P: probability(m.P), PHolm: probability(m.PHolm), Verdict: verdict, Primary: m.Primary,
		})
	}
	return t
}

// strataTable is the median TTFT for each kind of request.
func strataTable(c *compare.Comparison, s compare.Strata) pageTable {
	t := pageTable{Title: fmt.Sprintf("%s: median TTFT by %s", s.Variant, s.By), Baseline: c.Manifest.Variants[0].Name, Candidate: s.Variant}
	for _, g := range s.Groups {
		t.Rows = append(t.Rows, pageRow{
			Metric: fmt.Sprintf("%s (%d requests)", g.Name, g.Requests), Baseline: value(g.Baseline), Candidate: value(g.Candidate), Change: percentInterval(g.Change),
		})
	}
	return t
}

func variantList(c *compare.Comparison) string {
	var names []string
	for _, v := range c.Manifest.Variants {
		names = append(names, v.Name)
	}
	return strings.Join(names, " vs ")
}
