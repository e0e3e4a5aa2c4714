package sweep

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
	"siglab/bench/record"
)

// comparison is one of bicubic with bilinear whose metric changed by an interval.
func comparison(e record.Experiment, metric string, better compare.Direction, change compare.Interval, p float64) *compare.Comparison {
	e.Alpha = 0.05
	return &compare.Comparison{
		Valid: true, Pairs: 6,
		Manifest: record.Manifest{Stopped: "complete", Experiment: e, Variants: []record.Variant{{Name: "main", Convention: "bicubic"}, {Name: "fast", Convention: "bilinear-align-corners"}}},
		Metrics:  []compare.Metric{{Metric: metric, Unit: "ms", Variant: "fast", Better: better, Primary: true, Percent: change, P: p, Baseline: 20, Candidate: 19, Verdict: compare.Faster}},
	}
}

// TestClaims: a claim is confirmed or refuted by the whole interval, or left open.
func TestClaims(t *testing.T) {
	for _, test := range []struct {
		why    string
		change compare.Interval // of the latency, in percent
		valid  bool
		want   Outcome
		says   string
	}{
		{"the interval within the claim", compare.Interval{Value: -10, Low: -11, High: -9}, true, Confirmed, "whole interval lies in the claimed"},
		{"no change, well measured", compare.Interval{Value: 0, Low: -1, High: 1}, true, Refuted, "below"},
		{"slower", compare.Interval{Value: 10, Low: 9, High: 11}, true, Refuted, "below"},
		{"more than claimed", compare.Interval{Value: -20, Low: -21, High: -19}, true, Refuted, "above"},
		{"a wide interval around the claim", compare.Interval{Value: -10, Low: -30, High: 10}, true, Undecided, "claimed range lies in the interval"},
		{"an overlap", compare.Interval{Value: -7, Low: -9, High: -5}, true, Undecided, "overlap in part"},
		{"one pair", compare.Interval{Value: -10, Low: math.NaN(), High: math.NaN()}, true, NotTested, "too few pairs"},
		{"a run that is not valid", compare.Interval{Value: -10, Low: -11, High: -9}, false, NotTested, "not valid"},
	} {
		c := comparison(record.Experiment{ImageSize: "512x512"}, "median_ttft_ms", compare.LowerIsBetter, test.change, 0.01)
		c.Valid = test.valid
		got := testClaims("p", c)
		if len(got) != 1 || got[0].Outcome != test.want || !strings.Contains(got[0].Why, test.says) {
			t.Errorf("%s: %+v, want %s (%s)", test.why, got, test.want, test.says)
		}
	}
}

// TestWhichClaims: claims are about the change from bicubic to bilinear, at their
// resolutions, and about throughput where the load saturates.
func TestWhichClaims(t *testing.T) {
	change := compare.Interval{Value: 7, Low: 6, High: 8}
	saturated := comparison(record.Experiment{ImageSize: "512x512", Loop: record.LoopClosed, MaxConcurrency: 8}, "output_throughput", compare.HigherIsBetter, change, 0.01)
	if got := testClaims("p", saturated); len(got) != 1 || got[0].Metric != "output_throughput" || got[0].Outcome != Confirmed {
		t.Errorf("a saturated run: %+v", got)
	}
	for why, alter := range map[string]func(*compare.Comparison){
		"another size":           func(c *compare.Comparison) { c.Manifest.Experiment.ImageSize = "448x448" },
		"another change":         func(c *compare.Comparison) { c.Manifest.Variants[1].Convention = "bicubic" },
		"a delay on one side":    func(c *compare.Comparison) { c.Manifest.Variants[1].InjectDelay = 5 },
		"one variant":            func(c *compare.Comparison) { c.Manifest.Variants = c.Manifest.Variants[:1] },
		"no variant that we set": func(c *compare.Comparison) { c.Manifest.Variants[0].Convention = "" },
	} {
		c := comparison(record.Experiment{ImageSize: "512x512"}, "median_ttft_ms", compare.LowerIsBetter, change, 0.01)
		alter(c)
		if got := testClaims("p", c); len(got) != 0 {
			t.Errorf("%s: %+v", why, got)
		}
	}
}

// example is a sweep of three points, of which one is missing.
func example() Result {
	r := Result{Axes: []Axis{{"image_size", []string{"384", "<512>", "1024"}}}}
	points, _ := Points(r.Axes)
	for i, p := range points {
		report := Report{Point: p, RunDir: p.Dir()}
		switch i {
		case 0:
			report.Comparison = comparison(record.Experiment{ImageSize: "384x384"}, "median_ttft_ms", compare.LowerIsBetter, compare.Interval{Value: -1, Low: -2, High: 0}, 0.04)
		case 1:
			report.Comparison = comparison(record.Experiment{ImageSize: "512x512"}, "median_ttft_ms", compare.LowerIsBetter, compare.Interval{Value: -9.5, Low: -10, High: -9}, 0.001)
			report.Comparison.Warnings = []compare.Warning{{Code: "saturated", Text: "It did not keep up."}}
		case 2:
			report.Missing = "not measured yet"
		}
		r.Reports = append(r.Reports, report)
	}
	return r
}

// TestRows: p values are adjusted over the whole sweep.
func TestRows(t *testing.T) {
	r := example()
	var got []float64
	for _, row := range r.Rows() {
		got = append(got, row.PSweep)
	}
	if diff := cmp.Diff([]float64{0.04, 0.002}, got); diff != "" {
		t.Errorf("adjusted p (-want +got):\n%s", diff)
	}
	if r.Incomplete() != 1 {
		t.Errorf("%d points incomplete, want 1", r.Incomplete())
	}
}

// TestForms: every form has every point, the claims, and no open end.
func TestForms(t *testing.T) {
	r := example()
	for name, write := range map[string]func(io.Writer, Result) error{"text": Text, "markdown": Markdown, "html": HTML} {
		var out bytes.Buffer
		if err := write(&out, r); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"image_size=384", "1024: not measured yet", "-9.5 % [-10.0, -9.0]", "Confirmed.", "Refuted.", "It did not keep up."} {
			if !strings.Contains(strings.ReplaceAll(out.String(), "&#43;", "+"), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, out.String())
			}
		}
		if name == "html" && strings.Contains(out.String(), "<512>") {
			t.Error("a value is in the HTML as it came")
		}
	}
	data, err := json.Marshal(JSON(r))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"p_sweep":0.002`, `"outcome":"confirmed"`, `"missing":"not measured yet"`, `"claimed_low_pct":8`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("JSON lacks %s: %s", want, data)
		}
	}
}

// TestSVG: a drawing is well formed, has a mark for each point and a field for each
// claim, all within its frame, whatever the numbers.
func TestSVG(t *testing.T) {
	r := example()
	r.Reports[0].Comparison.Metrics[0].Percent.High = math.NaN()
	panels := r.panels()
	if len(panels) != 1 {
		t.Fatalf("%d panels", len(panels))
	}
	svg := string(panels[0].SVG())
	if n := strings.Count(svg, "<circle"); n != 2 {
		t.Errorf("%d marks", n)
	}
	if n := strings.Count(svg, `class="claim"`); n != 2 {
		t.Errorf("%d claims", n)
	}
	if strings.Contains(svg, "NaN") {
		t.Error("a NaN is drawn")
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	empty := panel{Title: "t", Points: []mark{{Name: "n", Change: unknown, ClaimedLow: math.NaN(), ClaimedHigh: math.NaN()}}}
	if strings.Contains(string(empty.SVG()), "NaN") {
		t.Error("a panel without numbers draws NaN")
	}
}
