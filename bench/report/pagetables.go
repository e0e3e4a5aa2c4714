package report

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/vllmbench"
)

type (
	// metricTable is what was found of one candidate, metric by metric.
	metricTable struct {
		Title, Baseline, Candidate string
		Rows                       []metricRow
	}
	metricRow struct {
		Metric, Baseline, Candidate, Change, Absolute, P, PHolm, Verdict string
		Primary                                                          bool
		Notes                                                            []int
	}
)

func metricRows(c *compare.Comparison, variant string, notes *footnotes) metricTable {
	base := c.Manifest.Variants[0].Name
	t := metricTable{Title: variant + " against " + base, Baseline: base, Candidate: variant}
	for _, m := range c.Metrics {
		if m.Variant != variant {
			continue
		}
		row := metricRow{
			Metric: label(m.Metric) + unitSuffix(m.Unit), Baseline: value(m.Baseline), Candidate: value(m.Candidate), Change: tableChange(m),
			Absolute: absoluteInterval(m.Absolute, ""), P: probability(m.P), PHolm: probability(m.PHolm), Verdict: "descriptive", Primary: m.Primary,
		}
		if m.Primary {
			row.Verdict = string(m.Verdict)
		}
		if row.Verdict == string(compare.None) {
			row.Verdict = "no verdict"
		}
		for _, n := range m.Notes {
			row.Notes = append(row.Notes, notes.number(n))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pairTable has the values that a forest plot shows.
func pairTable(c *compare.Comparison, m compare.Metric) table {
	unit := unitSuffix(m.Unit)
	t := table{Caption: label(m.Metric) + unit, Head: []string{"pair", c.Manifest.Variants[0].Name, m.Variant, "change", "ran first"}}
	for _, p := range m.Pairs {
		first := c.Manifest.Variants[0].Name
		if p.CandidateFirst {
			first = m.Variant
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(p.Pair + 1), value(p.Baseline), value(p.Candidate), percent(pairChange(p)), first})
	}
	t.Rows = append(t.Rows, []string{"mean", value(m.Baseline), value(m.Candidate), percentInterval(m.Percent), ""})
	return t
}

// shownQuantiles are the quantiles that tables behind curves have, in percent.
var shownQuantiles = []int{0, 10, 25, 50, 75, 90, 95, 99, 100}

func quantileTable(caption string, of []quantiles) table {
	t := table{Caption: caption, Head: []string{"share"}}
	for _, q := range of {
		t.Head = append(t.Head, q.name)
	}
	if !slices.ContainsFunc(of, func(q quantiles) bool { return slices.ContainsFunc(q.list, known) }) {
		return t
	}
	for _, percent := range shownQuantiles {
		row := []string{strconv.Itoa(percent) + " %"}
		for _, q := range of {
			cell := "-"
			if len(q.list) == 101 {
				cell = value(q.list[percent])
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func decileTable(s compare.Shift) table {
	t := table{Caption: latencyName(s.Latency), Head: []string{"quantile", "change [95 % CI]"}}
	for _, q := range s.Deciles {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%.0f %%", 100*q.Quantile), percentInterval(q.Change)})
	}
	return t
}

// strataTable is the median TTFT for each kind of request.
func strataTable(c *compare.Comparison, s compare.Strata) table {
	t := table{Caption: "median TTFT, ms", Head: []string{s.By, "requests", c.Manifest.Variants[0].Name, s.Variant, "change [95 % CI]"}}
	for _, g := range s.Groups {
		t.Rows = append(t.Rows, []string{g.Name, strconv.Itoa(g.Requests), value(g.Baseline), value(g.Candidate), percentInterval(g.Change)})
	}
	return t
}

// blockTable has every block in the order in which they ran.
func blockTable(c *compare.Comparison) table {
	t := table{Caption: "Blocks in the order in which they ran", Head: []string{"block", "pair", "variant", "requests", "failed", "median TTFT, ms", "p99 lag, ms", "server CPU, %", "memory, MiB", "host CPU, %", "counts"}}
	byID := map[int]compare.BlockSummary{}
	for _, a := range c.Arms {
		for _, b := range a.Blocks {
			byID[b.Block.ID] = b
		}
	}
	for _, listed := range c.Manifest.Blocks {
		b := byID[listed.ID]
		counts := "yes"
		if listed.Void != "" {
			counts = "void: " + listed.Void
		}
		memory := "-"
		if b.MaxRSS > 0 {
			memory = strconv.FormatUint(b.MaxRSS>>20, 10)
		}
		t.Rows = append(t.Rows, []string{
			strconv.Itoa(listed.ID), strconv.Itoa(listed.Pair + 1), listed.Variant, strconv.Itoa(listed.Requests), strconv.Itoa(b.Failed),
			value(b.Values["median_ttft_ms"]), value(b.LagP99), value(b.CPU), memory, value(b.HostCPU), counts,
		})
	}
	return t
}

// pacingFigures show whether the client kept the schedule.
func pacingFigures(c *compare.Comparison) []figure {
	if len(c.Pacing) == 0 {
		return nil
	}
	var lags, scheduled, gaps []quantiles
	for _, p := range c.Pacing {
		lags = append(lags, quantiles{p.Variant, p.Lags})
		scheduled, gaps = append(scheduled, quantiles{p.Variant + ", scheduled", p.Scheduled}), append(gaps, quantiles{p.Variant + ", sent", p.Gaps})
	}
	return []figure{
		{"Send lag", ecdf(lags, "ms", "Send lag: share of the requests sent within a time of when they were due"), quantileTable("send lag, ms", lags)},
		{"Gaps between requests", arrivals(c.Pacing), quantileTable("gaps, ms", append(scheduled, gaps...))},
	}
}

// ladderFigures join the levels from the kernel to the request.
func ladderFigures(c *compare.Comparison) []figure {
	t := table{Caption: "From the kernel to the request", Head: []string{"variant", "mode", "grids", "resampling, ms per image", "vision tower, ms", "median TTFT, ms", "kernel's share", "most to gain, ms", "predicted change, ms", "measured change, ms"}}
	any := false
	for _, k := range c.Kernel {
		any = any || known(k.Resample)
		measured := "-"
		if known(k.Measured) {
			measured = strings.TrimSpace(absoluteInterval(find(c, k.Variant, "median_ttft_ms").Absolute, ""))
		}
		share := "-"
		if known(k.Share) {
			share = fmt.Sprintf("%.2f %%", 100*k.Share)
		}
		t.Rows = append(t.Rows, []string{k.Variant, orDash(k.Mode), orDash(k.Grids), value(k.Resample), value(k.Tower), value(k.TTFT), share, value(k.Bound), signed(k.Predicted), measured})
	}
	if !any {
		return nil
	}
	out := []figure{{"What each level takes", ladder(c.Kernel), t}}
	if chart := effects(c); chart != "" {
		out = append(out, figure{Title: "Change of the median TTFT", SVG: chart})
	}
	return out
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// legendLine is a sample of a variant's line.
func legendLine(arm int) template.HTML {
	var dash []string
	for _, d := range dashesOf(arm) {
		dash = append(dash, strconv.FormatFloat(float64(d), 'g', -1, 64))
	}
	return template.HTML(fmt.Sprintf(`<svg class="key" viewBox="0 0 28 10" aria-hidden="true"><path d="M0,5L28,5" style="stroke:var(--c%d);stroke-width:3;stroke-dasharray:%s"/></svg>`,
		arm%inksOfVariants, orNone(strings.Join(dash, ","))))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// oneVariant has the numbers of a run of one variant: the mean of its blocks' values.
func oneVariant(c *compare.Comparison) []figure {
	if len(c.Arms) != 1 {
		return nil
	}
	t := table{Caption: "Mean of the blocks' values", Head: []string{"metric", c.Arms[0].Variant.Name}}
	for _, m := range vllmbench.Metrics() {
		sum, n := 0.0, 0
		for _, b := range c.Arms[0].Blocks {
			if v, has := b.Values[m.Key]; has && b.Block.Void == "" {
				sum, n = sum+v, n+1
			}
		}
		if n > 0 {
			t.Rows = append(t.Rows, []string{m.Label, value(sum / float64(n))})
		}
	}
	return []figure{{Table: t}}
}
