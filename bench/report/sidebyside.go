package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/sidebyside"
)

// SideText prints results side by side: the metrics in sections, what is to be said
// about them, then the Markdown table after its mark.
func SideText(w io.Writer, c *sidebyside.Comparison) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "baseline:  %s\ncandidate: %s\n", sources(c.Baseline), sources(c.Candidate))
	heading := ""
	notes := sideNotes{c: c}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, m := range shown(c) {
		if h := section(m.Metric); h != heading {
			heading = h
			_ = table.Flush() // into memory
			fmt.Fprintf(&b, "\n%s\n", heading)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", label(m.Metric)+unitSuffix(m.Unit), sideValue(m.Baseline), sideValue(m.Candidate), sideChange(m),
			strings.TrimSpace(annotation(m)+notes.marks(m)))
	}
	_ = table.Flush()
	t := textReport{Buffer: b}
	t.WriteString("\n")
	if n := len(c.Metrics) - len(shown(c)); n > 0 {
		t.paragraph(count(n, "metric is", "metrics are")+" left out here (low percentiles, and what only one of two tools has); --json has them.", "")
	}
	for _, line := range notes.texts {
		t.paragraph(line, "    ")
	}
	for i, line := range verdictLines(c) {
		if i > 0 {
			line = "- " + line
		}
		t.paragraph(line, "  ")
	}
	for _, line := range warningTexts(c.Warnings) {
		t.paragraph("Warning: "+line, "  ")
	}
	fmt.Fprintf(&t, "\n%s\n\n", tableMark)
	sideTable(&t.Buffer, c)
	_, err := w.Write(t.Bytes())
	return err
}

// SideMarkdown writes the comparison for a pull request.
func SideMarkdown(w io.Writer, c *sidebyside.Comparison) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", tableMark)
	sideTable(&b, c)
	fmt.Fprintf(&b, "\nBaseline: %s. Candidate: %s.\n", escapeMarkdown(sources(c.Baseline)), escapeMarkdown(sources(c.Candidate)))
	markdownList(&b, "Verdict", verdictLines(c))
	markdownList(&b, "Warnings", warningTexts(c.Warnings))
	_, err := w.Write(b.Bytes())
	return err
}

// sideTable has the latencies and throughputs first, as many rows as fit.
func sideTable(b *bytes.Buffer, c *sidebyside.Comparison) {
	b.WriteString("| Metric | Baseline | Candidate | Change |\n|---|---:|---:|---:|\n")
	rows := 0
	for _, important := range []bool{true, false} {
		for _, m := range shown(c) {
			if (m.Better != 0 && m.Unit != "") != important || rows == mostRows {
				continue
			}
			rows++
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", label(m.Metric)+unitSuffix(m.Unit), sideValue(m.Baseline), sideValue(m.Candidate), sideChange(m))
		}
	}
}

// shown are the metrics of the tables: of different tools only those that both have,
// and no percentiles below the median.
func shown(c *sidebyside.Comparison) []compare.Metric {
	oneTool := c.Baseline[0].Tool == c.Candidate[0].Tool
	return slices.DeleteFunc(slices.Clone(c.Metrics), func(m compare.Metric) bool {
		stat, _, _ := strings.Cut(m.Metric, "_")
		percent, err := strconv.ParseFloat(strings.TrimPrefix(stat, "p"), 64)
		return err == nil && percent < 50 || !oneTool && (math.IsNaN(m.Baseline) || math.IsNaN(m.Candidate))
	})
}

// sources names the runs of a side, and their tools where they are not vLLM's.
func sources(runs []peerfiles.Result) string {
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = r.Source
	}
	text := strings.Join(names, ", ")
	if len(runs) > 1 {
		text = fmt.Sprintf("%d runs: %s", len(runs), text)
	}
	if tool := strings.TrimSpace(runs[0].Tool + " " + runs[0].Version); peerfiles.IsPeer(runs[0].Tool) {
		text += " (" + tool + ")"
	}
	return text
}

// sideChange is the change in percent, with its interval where there is one, and `~`
// in front where that holds 0.
func sideChange(m compare.Metric) string {
	switch {
	case math.IsNaN(m.Baseline) || math.IsNaN(m.Candidate):
		return "-"
	case !known(m.Percent.Value):
		return "n/a"
	}
	return tableChange(m)
}

// annotation says whether the change is for the better, and the verdict of a primary.
func annotation(m compare.Metric) string {
	change := m.Percent.Value
	word := ""
	switch {
	case !known(change) || m.Better == 0:
	case known(m.Percent.Low) && m.Percent.Low <= 0 && m.Percent.High >= 0:
	case math.Abs(change) < 0.05:
		word = "same"
	case change > 0 == (m.Better == compare.HigherIsBetter):
		word = "better"
	default:
		word = "worse"
	}
	if m.Primary && m.Verdict != compare.None {
		word = "* " + string(m.Verdict)
	}
	return word
}

// sideNotes numbers the notes that are about some metrics only.
type sideNotes struct {
	c     *sidebyside.Comparison
	texts []string
}

// unsaid are the codes of notes that the sentence or a warning below says for all
// metrics, or that only matter where tools differ.
var unsaid = [...]string{"one-run", "not-comparable", "open-loop-throughput", "no-value", "not-positive"}

func (n *sideNotes) marks(m compare.Metric) string {
	text := ""
	for _, note := range m.Notes {
		if slices.Contains(unsaid[:], note.Code) || note.Code == "role-chunk" && n.oneTool() || n.c.Single() && note.Code == "few-requests-p99" {
			continue
		}
		at := slices.IndexFunc(n.texts, func(have string) bool { return strings.HasSuffix(have, "] "+note.Text) })
		if at < 0 {
			at = len(n.texts)
			n.texts = append(n.texts, fmt.Sprintf("[%d] %s", at+1, note.Text))
		}
		text += fmt.Sprintf(" [%d]", at+1)
	}
	return text
}

func (n *sideNotes) oneTool() bool { return n.c.Baseline[0].Tool == n.c.Candidate[0].Tool }

// noVerdict is what there is to say about one run per arm.
const noVerdict = "one run per arm: no noise estimate, no verdict"

// verdictLines are how the verdicts came about, then one line per primary metric; or
// why there are none.
func verdictLines(c *sidebyside.Comparison) []string {
	if c.Single() {
		return []string{strings.ToUpper(noVerdict[:1]) + noVerdict[1:] + "; run `siglab bench` for paired blocks."}
	}
	if !c.Comparable {
		return []string{"The runs are not comparable, so there is no verdict: see the warnings."}
	}
	how := "Welch's t on the logarithms of independent runs"
	if c.Paired {
		how = "Student's t on the log ratios of paired runs"
	}
	lines := []string{fmt.Sprintf("%d runs against %d, 95 %% intervals by %s; ~: the interval holds 0; verdicts are for primary metrics (*) only.", len(c.Candidate), len(c.Baseline), how)}
	for _, m := range c.Metrics {
		if m.Primary && m.Verdict != compare.None {
			lines = append(lines, sideSentence(m))
		}
	}
	return lines
}

func sideSentence(m compare.Metric) string {
	text := fmt.Sprintf("%s: %s: %s, %s (Holm-adjusted p %s)", label(m.Metric), m.Verdict, percentInterval(m.Percent), absoluteInterval(m.Absolute, m.Unit), probability(m.PHolm))
	if m.Verdict == compare.Inconclusive && known(m.MDE) {
		text += fmt.Sprintf("; these runs would have found a change of %.1f %%", m.MDE)
	}
	return text
}

// sideValue prints a value as the files do.
func sideValue(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// section is the heading that a metric belongs under.
func section(key string) string {
	for _, s := range [][2]string{{"_ttft_ms", "Time to first token (TTFT)"}, {"_tpot_ms", "Time per output token (TPOT)"}, {"_itl_ms", "Inter-token latency (ITL)"}, {"_e2el_ms", "End-to-end latency (E2EL)"}} {
		if strings.HasSuffix(key, s[0]) {
			return s[1]
		}
	}
	if strings.HasSuffix(key, "_ms") || strings.HasPrefix(key, "spec_decode") {
		return "Other"
	}
	return "Requests and throughput"
}
