package sweep

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// columns are those of the table, in every form.
var columns = []string{"point", "variant", "metric", "baseline", "candidate", "change", "p", "p over the sweep", "verdict"}

// cells are a row as the table shows it.
func (r Row) cells() []string {
	verdict := string(r.Verdict)
	if !r.Report.Comparison.Valid {
		verdict = "none (not valid)"
	}
	return []string{
		r.Point, r.Variant, label(r.Metric.Metric), number(r.Baseline) + " " + r.Unit, number(r.Candidate) + " " + r.Unit,
		interval(r.Percent), probability(r.P), probability(r.PSweep), verdict,
	}
}

// Text prints the sweep for a terminal.
func Text(w io.Writer, r Result) error {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, row := range r.Rows() {
		fmt.Fprintln(table, strings.Join(row.cells(), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	writeList(&text, "\nClaims:\n", "  ", r.claimSentences())
	writeList(&text, "\nPoints:\n", "  ", r.pointSentences())
	_, err := io.WriteString(w, text.String())
	return err
}

// Markdown writes the sweep for a pull request.
func Markdown(w io.Writer, r Result) error {
	var text strings.Builder
	fmt.Fprintf(&text, "## Sweep over %s\n\n", r.axisNames())
	fmt.Fprintf(&text, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for _, row := range r.Rows() {
		cells := row.cells()
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
	}
	writeList(&text, "\n### Claims\n\n", "- ", r.claimSentences())
	writeList(&text, "\n### Points\n\n", "- ", r.pointSentences())
	_, err := io.WriteString(w, text.String())
	return err
}

func writeList(text *strings.Builder, title, bullet string, lines []string) {
	if len(lines) == 0 {
		return
	}
	text.WriteString(title)
	for _, line := range lines {
		text.WriteString(bullet + line + "\n")
	}
}

func (r Result) axisNames() string {
	names := make([]string, len(r.Axes))
	for i, a := range r.Axes {
		names[i] = a.Key
	}
	return strings.Join(names, " and ")
}

func (r Result) claimSentences() []string {
	var out []string
	for _, t := range r.Claims() {
		out = append(out, t.sentence())
	}
	return out
}

// pointSentences say what to know of each point: what it lacks, and where its own
// report is.
func (r Result) pointSentences() []string {
	var out []string
	for _, report := range r.Reports {
		c := report.Comparison
		if c == nil {
			out = append(out, fmt.Sprintf("%s: %s", report, report.Missing))
			continue
		}
		about := fmt.Sprintf("%d pairs, %s", c.Pairs, c.Manifest.Stopped)
		if !c.Valid {
			about += ", not valid:"
			for _, g := range c.Gates {
				if g.Checked && !g.OK {
					about += " " + g.Name
				}
			}
		}
		for _, warning := range c.Warnings {
			if warning.Code == "saturated" {
				about += "; " + warning.Text
			}
		}
		out = append(out, fmt.Sprintf("%s: %s; its report is in %s", report, about, report.RunDir))
	}
	return out
}
