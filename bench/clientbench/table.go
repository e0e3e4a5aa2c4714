package clientbench

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Table is the outcome of a sitting.
type Table struct {
	Trials []Trial  `json:"trials"`
	Absent []Absent `json:"absent,omitempty"`
}

// Absent is a client that could not be installed.
type Absent struct {
	Client string `json:"client"`
	Reason string `json:"reason"`
}

// row is a client under a load: medians over the rounds that worked.
type row struct {
	client   string
	rounds   int
	failures []string
	trials   []Trial
}

// median of a figure over the rounds; NaN-free: rounds without it do not count.
func (r row) median(figure func(Trial) *float64) (value float64, ok bool) {
	var values []float64
	for _, t := range r.trials {
		if x := figure(t); x != nil {
			values = append(values, *x)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return quantile(values, 0.5), true
}

// cell formats a median.
func (r row) cell(format string, figure func(Trial) float64) string {
	return r.optional(format, func(t Trial) *float64 { x := figure(t); return &x })
}

func (r row) optional(format string, figure func(Trial) *float64) string {
	x, ok := r.median(figure)
	if !ok {
		return "-"
	}
	return fmt.Sprintf(format, x)
}

// byLoad groups the trials, in the order in which they first appear.
func (t Table) byLoad() (names []string, rows map[string][]row) {
	rows = map[string][]row{}
	for _, trial := range t.Trials {
		if !slices.Contains(names, trial.Load) {
			names = append(names, trial.Load)
		}
		of := rows[trial.Load]
		i := slices.IndexFunc(of, func(r row) bool { return r.client == trial.Client })
		if i < 0 {
			of = append(of, row{client: trial.Client})
			i = len(of) - 1
		}
		of[i].rounds++
		if trial.Failure != "" {
			of[i].failures = append(of[i].failures, trial.Failure)
		} else {
			of[i].trials = append(of[i].trials, trial)
		}
		rows[trial.Load] = of
	}
	return names, rows
}

// WriteMarkdown writes a table for each load.
func (t Table) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	out.WriteString("Client minus truth, ms; medians over the rounds that worked. CPU: cores while there was load. Memory: the process tree's peak, MB.\n")
	names, rows := t.byLoad()
	for _, name := range names {
		fmt.Fprintf(&out, "\n| %s | rounds | TTFT mean / p50 / p99 | ITL mean / p99 | write → read p50 | CPU | memory | body KB | told / whole / sent |", name)
		out.WriteString(" arrivals: rate, lag-1, KS p |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for _, r := range rows[name] {
			out.WriteString(r.markdown())
		}
	}
	for i, a := range t.Absent {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "- %s was not measured: %s\n", a.Client, oneLine(a.Reason))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r row) markdown() string {
	if len(r.trials) == 0 {
		return fmt.Sprintf("| %s | 0 of %d | %s |\n", r.client, r.rounds, oneLine(r.failures[0]))
	}
	cells := []string{
		r.client,
		fmt.Sprintf("%d of %d", len(r.trials), r.rounds),
		r.cell("%.2f", func(t Trial) float64 { return t.TTFT.Mean }) + " / " + r.cell("%.2f", func(t Trial) float64 { return t.TTFT.P50 }) +
			" / " + r.cell("%.2f", func(t Trial) float64 { return t.TTFT.P99 }),
		r.cell("%+.3f", func(t Trial) float64 { return t.ITLMean }) + " / " + r.optional("%.2f", func(t Trial) *float64 { return t.ITLP99 }),
		r.optional("%.3f", func(t Trial) *float64 {
			if t.Lag == nil {
				return nil
			}
			return &t.Lag.P50
		}),
		r.cell("%.2f", func(t Trial) float64 { return t.Cores }),
		r.cell("%.0f", func(t Trial) float64 { return t.Peak }),
		r.cell("%.0f", func(t Trial) float64 { return t.KB }),
		r.cell("%.0f", func(t Trial) float64 { return float64(t.Told) }) + " / " + r.cell("%.0f", func(t Trial) float64 { return float64(t.Whole) }) +
			" / " + r.cell("%.0f", func(t Trial) float64 { return float64(t.Requests) }),
		r.arrivals(),
	}
	line := "| " + strings.Join(cells, " | ") + " |\n"
	if len(r.failures) > 0 {
		line += fmt.Sprintf("| | %d failed | %s |\n", len(r.failures), oneLine(r.failures[0]))
	}
	return line
}

// arrivals of open loops.
func (r row) arrivals() string {
	if r.trials[0].Arrivals == nil {
		return ""
	}
	return r.cell("%.1f", func(t Trial) float64 { return t.Arrivals.Rate }) + ", " +
		r.optional("%+.3f", func(t Trial) *float64 { return t.Arrivals.Lag1 }) + ", " +
		r.optional("%.3g", func(t Trial) *float64 { return t.Arrivals.GapP })
}

// oneLine fits a reason into a table.
func oneLine(reason string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(reason), " "), "|", "/")
}
