package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"siglab/bench/compare"
)

// textWidth is the most columns of running text.
const textWidth = 110

// Text writes the comparison for a terminal, in the manner of benchstat: the verdict
// in words, the table, then what it rests on. A `~` stands for a change that is not
// told apart from none.
func Text(w io.Writer, dir string, c *compare.Comparison) error {
	t := &textReport{c: c}
	t.verdict()
	t.table()
	t.gates()
	t.section("Work", workLines(c))
	t.section("From the kernel to the request", kernelLines(c))
	t.section("Telemetry", telemetryLines(c.Telemetry))
	t.section("Scope", scope(c))
	t.section("Caveats", warningTexts(c.Warnings))
	t.paragraph(filesLine(dir), "")
	_, err := w.Write(t.Bytes())
	return err
}

type textReport struct {
	bytes.Buffer
	c         *compare.Comparison
	footnotes []string
}

func (t *textReport) verdict() {
	t.paragraph(headline(t.c), "")
	if t.c.Manifest.Stopped != "complete" {
		t.paragraph(fmt.Sprintf("The run ended early (%s), with %s complete.", stopped(t.c), pairCount(t.c, t.c.Pairs)), "")
	}
	t.WriteString("\n")
	for _, m := range t.c.Metrics {
		if m.Primary {
			t.paragraph("- "+sentence(t.c, m), "  ")
		}
	}
}

// table is one section per candidate.
func (t *textReport) table() {
	for _, variant := range t.c.Manifest.Variants[min(1, len(t.c.Manifest.Variants)):] {
		t.WriteString("\n")
		table := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "metric\t%s\t%s\tchange [95 %% CI]\tabsolute [95 %% CI]\tp\t\n", t.c.Manifest.Variants[0].Name, variant.Name)
		for _, m := range t.c.Metrics {
			if m.Variant == variant.Name {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", label(m.Metric)+unitSuffix(m.Unit), value(m.Baseline), value(m.Candidate),
					tableChange(m), absoluteInterval(m.Absolute, ""), probability(m.P), t.marks(m))
			}
		}
		_ = table.Flush() // into memory
	}
	if len(t.footnotes) > 0 {
		t.WriteString("\n")
	}
	for i, text := range t.footnotes {
		t.paragraph(fmt.Sprintf("[%d] %s", i+1, text), "    ")
	}
	if len(t.c.Manifest.Variants) < 2 {
		return
	}
	t.paragraph(fmt.Sprintf("%s of blocks; a block has %d requests %s. `~`: the interval holds 0. Verdicts are for primary metrics (*) only.",
		pairCount(t.c, t.c.Pairs), t.c.Manifest.Experiment.NumPrompts, t.c.Manifest.Experiment.Load()), "")
}

// tableChange is the change, with `~` in front where it is not told apart from none.
func tableChange(m compare.Metric) string {
	text := percentInterval(m.Percent)
	if known(m.Percent.Low) && m.Percent.Low <= 0 && m.Percent.High >= 0 {
		return "~ " + text
	}
	return text
}

// marks are the star of a primary metric and the numbers of its footnotes.
func (t *textReport) marks(m compare.Metric) string {
	var marks []string
	if m.Primary {
		marks = append(marks, "*")
	}
	for _, n := range m.Notes {
		marks = append(marks, fmt.Sprintf("[%d]", t.footnote(n.Text)))
	}
	return strings.Join(marks, " ")
}

func (t *textReport) footnote(text string) int {
	for i, have := range t.footnotes {
		if have == text {
			return i + 1
		}
	}
	t.footnotes = append(t.footnotes, text)
	return len(t.footnotes)
}

// gates are one line when all is well, and a line for each that is not.
func (t *textReport) gates() {
	t.WriteString("\n")
	var ok []string
	var others []string
	for _, g := range t.c.Gates {
		switch {
		case g.OK:
			ok = append(ok, g.Name)
		case g.Checked:
			others = append(others, "FAILED "+g.Name+": "+g.Detail)
		default:
			others = append(others, "not checked "+g.Name+": "+g.Detail)
		}
	}
	t.paragraph(fmt.Sprintf("Gates: %d of %d ok (%s)", len(ok), len(t.c.Gates), strings.Join(ok, ", ")), "  ")
	for _, line := range others {
		t.paragraph("  "+line, "    ")
	}
}

func (t *textReport) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	t.WriteString("\n" + title + "\n")
	for _, line := range lines {
		t.paragraph("  "+line, "    ")
	}
}

// paragraph writes text in lines of at most textWidth columns, the second and
// further ones indented.
func (t *textReport) paragraph(text, indent string) {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := lead
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > textWidth {
			t.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	t.WriteString(line + "\n")
}

func unitSuffix(unit string) string {
	if unit == "" {
		return ""
	}
	return " (" + unit + ")"
}

func warningTexts(warnings []compare.Warning) []string {
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.Code+": "+w.Text)
	}
	return texts
}
