package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"siglab/bench/compare"
)

// tableMark is the line before a table that scripts look for.
const tableMark = "MARKDOWN TABLE"

// mostRows keeps a table within the 20 lines after its mark: a blank line, the head
// and its rule take three.
const mostRows = 16

// Markdown writes the comparison for a pull request. The line MARKDOWN TABLE comes
// before the table, which ends within the 20 lines after it.
func Markdown(w io.Writer, dir string, c *compare.Comparison) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s**\n\n", escapeMarkdown(headline(c)))
	for _, m := range c.Metrics {
		if m.Primary {
			fmt.Fprintf(&b, "- %s\n", escapeMarkdown(sentence(c, m)))
		}
	}
	fmt.Fprintf(&b, "\n%s\n\n", tableMark)
	markdownTable(&b, c)
	if len(c.Manifest.Variants) > 1 {
		b.WriteString("\nChanges are candidate against baseline over " + pairCount(c, c.Pairs) + " of blocks, with 95 % intervals (Student t on log ratios); ~ holds 0; * is primary.\n")
	}
	markdownList(&b, "Notes", noteLines(c))
	markdownList(&b, "Gates", gateSummary(c))
	work, divergences := outerAndInner(workLines(c))
	markdownList(&b, "Work", work)
	markdownList(&b, "From the kernel to the request", kernelLines(c))
	markdownList(&b, "Scope", scope(c))
	b.WriteString("\n<details><summary>All gates, environment, caveats, and how to reproduce</summary>\n")
	markdownList(&b, "All gates", gateLines(c))
	markdownList(&b, "Divergences", divergences)
	markdownList(&b, "Environment", environmentLines(c))
	markdownList(&b, "What the variants differ in", differenceLines(c))
	markdownList(&b, "Caveats", warningTexts(c.Warnings))
	markdownList(&b, "Reproduce", reproduceLines(dir, c))
	b.WriteString("\n</details>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// markdownTable has a row per metric and two columns per candidate.
func markdownTable(b *bytes.Buffer, c *compare.Comparison) {
	if len(c.Manifest.Variants) < 2 {
		return
	}
	candidates := c.Manifest.Variants[1:]
	head, rule := "| Metric | "+escapeMarkdown(c.Manifest.Variants[0].Name)+" |", "|---|---:|"
	for _, v := range candidates {
		head += " " + escapeMarkdown(v.Name) + " | Change |"
		rule += "---:|---:|"
	}
	fmt.Fprintf(b, "%s\n%s\n", head, rule)
	rows := 0
	for _, m := range c.Metrics {
		if m.Variant != candidates[0].Name || rows == mostRows {
			continue
		}
		rows++
		name := label(m.Metric) + unitSuffix(m.Unit)
		if m.Primary {
			name = "**" + name + "** *"
		}
		fmt.Fprintf(b, "| %s | %s |", name, value(m.Baseline))
		for _, v := range candidates {
			of := find(c, v.Name, m.Metric)
			fmt.Fprintf(b, " %s | %s |", value(of.Candidate), tableChange(of))
		}
		b.WriteString("\n")
	}
}

// find is a candidate's metric; the comparison has every metric for every candidate.
func find(c *compare.Comparison, variant, metric string) compare.Metric {
	for _, m := range c.Metrics {
		if m.Variant == variant && m.Metric == metric {
			return m
		}
	}
	return compare.Metric{}
}

func markdownList(b *bytes.Buffer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n", title)
	for _, line := range lines {
		text := strings.TrimLeft(line, " ")
		fmt.Fprintf(b, "%s- %s\n", line[:len(line)-len(text)], escapeMarkdown(text))
	}
}

// escapeMarkdown keeps text that comes from outside (a token, a name) from becoming
// markup.
func escapeMarkdown(text string) string {
	return strings.NewReplacer("<", "&lt;", "|", "\\|", "*", "\\*", "\n", " ").Replace(text)
}

func gateLines(c *compare.Comparison) []string {
	var lines []string
	for _, g := range c.Gates {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", g.Name, gateState(g), g.Detail))
	}
	return lines
}

// outerAndInner parts lines from those that are indented below them.
func outerAndInner(lines []string) (outer, inner []string) {
	for _, line := range lines {
		if text, below := strings.CutPrefix(line, "  "); below {
			inner = append(inner, text)
		} else {
			outer = append(outer, line)
		}
	}
	return outer, inner
}

// gateSummary is a line that counts the gates that are ok, and a line for each other.
func gateSummary(c *compare.Comparison) []string {
	ok, lines := 0, []string{}
	for _, g := range c.Gates {
		if g.OK {
			ok++
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s (%s)", g.Name, gateState(g), g.Detail))
		}
	}
	return append([]string{fmt.Sprintf("%d of %d ok", ok, len(c.Gates))}, lines...)
}

// differenceLines are the properties in which variants differ.
func differenceLines(c *compare.Comparison) []string {
	all := differencesOf(c)
	var lines []string
	for _, row := range all.Rows {
		if !row.Differ {
			continue
		}
		var parts []string
		for i, v := range row.Values {
			parts = append(parts, all.Head[i]+" "+orDash(v))
		}
		lines = append(lines, row.Name+": "+strings.Join(parts, "; "))
	}
	return lines
}

func gateState(g compare.Gate) string {
	switch {
	case !g.Checked:
		return "not checked"
	case !g.OK:
		return "FAILED"
	}
	return "ok"
}

// noteLines are the notes of all metrics, each with the metrics that it is about.
func noteLines(c *compare.Comparison) []string {
	var order []string
	about := map[string][]string{}
	for _, m := range c.Metrics {
		for _, n := range m.Notes {
			if len(about[n.Text]) == 0 {
				order = append(order, n.Text)
			}
			if name := label(m.Metric); !slices.Contains(about[n.Text], name) {
				about[n.Text] = append(about[n.Text], name)
			}
		}
	}
	var lines []string
	for _, text := range order {
		lines = append(lines, strings.Join(about[text], ", ")+": "+text)
	}
	return lines
}

func environmentLines(c *compare.Comparison) []string {
	e := c.Manifest.Environment
	lines := []string{
		fmt.Sprintf("%s, %s, %d MB; %s %s, kernel %s", e.CPU, count(e.Cores, "core", "cores"), e.MemoryMB, e.OS, e.Arch, e.Kernel),
		"features: " + strings.Join(e.Features, " "),
		fmt.Sprintf("siglab %s, %s, binary %.12s; servers: %s", c.Manifest.Siglab, e.Go, e.BinaryHash, strings.Join(e.Servers, ", ")),
		fmt.Sprintf("model %s, data set %s, %s", c.Manifest.Experiment.Model, c.Manifest.Experiment.Dataset, count(c.Manifest.Experiment.ServerThreads, "thread of the server", "threads of the server")),
	}
	if s := c.Manifest.Startup; s != nil {
		lines = append(lines, s.String())
	}
	return lines
}

func reproduceLines(dir string, c *compare.Comparison) []string {
	e := c.Manifest.Experiment
	return []string{
		"`" + strings.Join(c.Manifest.Command, " ") + "`",
		fmt.Sprintf("seed %d; workload %.16s of %d requests, %d different images; order %s; restart %s; caches %s", e.Seed, c.Manifest.Workload.SHA256, c.Manifest.Workload.Items, c.Manifest.Workload.Images, e.Order, e.Restart, e.Caches),
		fmt.Sprintf("`siglab report %s` makes this again from the run directory alone", dir),
	}
}
