package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
)

var update = flag.Bool("update", false, "write the golden files anew")

func checkGolden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), b.String()); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, diff)
	}
}

func TestGoldens(t *testing.T) {
	for name, c := range map[string]*compare.Comparison{"valid": comparison("optimized"), "invalid": invalid(), "three": comparison("optimized", "exact")} {
		checkGolden(t, name+".txt", func(w io.Writer) error { return Text(w, "run", c) })
		checkGolden(t, name+".md", func(w io.Writer) error { return Markdown(w, "run", c) })
	}
}

// TestTextWidth: running text fits a terminal.
func TestTextWidth(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, "run", comparison("optimized", "exact")); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(line)); n > textWidth+1 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// tableAfterMark is the table in the 20 lines after the mark, as `grep -A 20` gives
// it, and fails if it goes on after them.
func tableAfterMark(t *testing.T, text string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, tableMark+"\n")
	if !ok {
		t.Fatalf("no line %q in\n%s", tableMark, text)
	}
	var table []string
	for i, line := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(line, "|") && len(table) > 0 {
			break
		}
		if strings.HasPrefix(line, "|") {
			if i >= 20 {
				t.Errorf("the table goes on in line %d after its mark", i+1)
			}
			table = append(table, line)
		}
	}
	return table
}

func TestMarkdownTable(t *testing.T) {
	c := comparison("b", "c", "d", "e", "f", "g", "h")
	for _, m := range metrics("b") { // more metrics than there is room for
		for i := range 20 {
			m.Metric = fmt.Sprintf("p%d_itl_ms", i+1)
			c.Metrics = append(c.Metrics, m)
		}
	}
	var b bytes.Buffer
	if err := Markdown(&b, "run", c); err != nil {
		t.Fatal(err)
	}
	table := tableAfterMark(t, b.String())
	if len(table) != mostRows+2 || !strings.Contains(table[2], "Median TTFT") {
		t.Errorf("%d lines:\n%s", len(table), strings.Join(table, "\n"))
	}
	for _, line := range table {
		if strings.Count(line, "|") != strings.Count(table[0], "|") {
			t.Errorf("another number of columns: %s", line)
		}
	}
}

// TestJSON: numbers that cannot be given are null, and the keys are those that
// readers rely on.
func TestJSON(t *testing.T) {
	for _, c := range []*compare.Comparison{comparison("optimized"), invalid()} {
		data, err := json.Marshal(JSON("run", c))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			RunDir  string `json:"run_dir"`
			Valid   *bool
			Pairs   *int
			Stopped string
			Gates   []map[string]any
			Metrics []map[string]any
		}
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if got.RunDir != "run" || *got.Valid != c.Valid || *got.Pairs != c.Pairs || got.Stopped != c.Manifest.Stopped || len(got.Gates) != len(c.Gates) {
			t.Errorf("document %s", data)
		}
		for _, key := range []string{"metric", "unit", "variant", "baseline", "candidate", "change_pct", "ci_low_pct", "ci_high_pct", "change_abs", "ci_low_abs", "ci_high_abs", "p", "p_holm", "verdict", "mde_pct", "primary", "notes"} {
			if _, ok := got.Metrics[0][key]; !ok {
				t.Errorf("metrics have no key %q", key)
			}
		}
		if (got.Metrics[0]["candidate"] == nil) == c.Valid {
			t.Errorf("candidate %v", got.Metrics[0]["candidate"])
		}
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, comparison("optimized")); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+4*6 || rows[1][0] != "median_ttft_ms" {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

// TestHTML: well-formed, self-contained, and nothing from outside becomes markup.
func TestHTML(t *testing.T) {
	for _, c := range []*compare.Comparison{comparison("<script>x</script>", "exact"), invalid()} {
		var b bytes.Buffer
		if err := HTML(&b, "run", c, Details{}); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, never := range []string{"<script", "<b>", "http://", "https://", "NaN", "Inf", "ZgotmplZ"} {
			if strings.Contains(page, never) {
				t.Errorf("the page has %q", never)
			}
		}
		_, body, _ := strings.Cut(page, "<body>")
		decoder := xml.NewDecoder(strings.NewReader("<body>" + strings.TrimSuffix(strings.TrimSpace(body), "</html>")))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestOneOrNoVariant: a report of too little says so.
func TestOneOrNoVariant(t *testing.T) {
	one := comparison()
	none := comparison()
	none.Manifest.Variants, none.Arms, none.Kernel = nil, nil, nil
	for _, c := range []*compare.Comparison{one, none} {
		for name, write := range map[string]func(io.Writer, string, *compare.Comparison) error{"text": Text, "markdown": Markdown, "html": func(w io.Writer, dir string, c *compare.Comparison) error { return HTML(w, dir, c, Details{}) }} {
			var b bytes.Buffer
			if err := write(&b, "run", c); err != nil || !strings.Contains(b.String(), "nothing to compare") {
				t.Errorf("%s: error %v\n%s", name, err, b.String())
			}
		}
	}
}

func TestHeadline(t *testing.T) {
	if got := headline(comparison("optimized")); got != "optimized against main: faster in Median TTFT; equivalent in Median E2EL; inconclusive in Median TPOT." {
		t.Errorf("headline %q", got)
	}
	if got := headline(invalid()); !strings.Contains(got, "not valid") {
		t.Errorf("headline %q", got)
	}
}
