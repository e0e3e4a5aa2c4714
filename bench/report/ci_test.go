package report

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/compare"
)

// TestJUnit: what fails, what is skipped, and names that are markup.
func TestJUnit(t *testing.T) {
	for _, test := range []struct {
		why              string
		c                *compare.Comparison
		failOn           []compare.Verdict
		failures, skips  int
		failed, mentions string
	}{
		{"a valid run without a rule", comparison("a<b>"), nil, 0, 0, "", "siglab.a&lt;b&gt;"},
		{"a rule that is met", comparison("optimized"), []compare.Verdict{compare.Inconclusive}, 1, 0, "median_tpot_ms", "inconclusive"},
		{"an invalid run: one gate fails, one is unchecked, three primaries have no verdict", invalid(), []compare.Verdict{compare.Slower}, 1, 4, "trigger", "no resampling was counted"},
	} {
		var out strings.Builder
		if err := JUnit(&out, test.c, test.failOn); err != nil {
			t.Fatal(err)
		}
		var s junitSuite
		if err := xml.Unmarshal([]byte(out.String()), &s); err != nil {
			t.Fatalf("%s: %v", test.why, err)
		}
		if s.Failures != test.failures || s.Skipped != test.skips || s.Tests != len(s.Cases) || !strings.Contains(out.String(), test.mentions) {
			t.Errorf("%s: %d failures, %d skipped of %d, want %d and %d\n%s", test.why, s.Failures, s.Skipped, s.Tests, test.failures, test.skips, out.String())
		}
		for _, c := range s.Cases {
			if (c.Failure != nil) != (test.failed != "" && c.Name == test.failed) {
				t.Errorf("%s: case %s fails: %t", test.why, c.Name, c.Failure != nil)
			}
		}
	}
}

// TestAnnotations: one line for each, escaped.
func TestAnnotations(t *testing.T) {
	var out strings.Builder
	if err := Annotations(&out, comparison("x:y,z"), []compare.Verdict{compare.Faster}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "::error title=siglab x%3Ay%2Cz%3A faster::median TTFT: x:y,z is faster") || !strings.Contains(lines[0], "-12.5%25") {
		t.Errorf("annotations:\n%s", out.String())
	}
	out.Reset()
	if err := Annotations(&out, invalid(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("::error title=siglab gate trigger::no resampling was counted", strings.Split(out.String(), "\n")[0]); diff != "" {
		t.Errorf("the failed gate (-want +got):\n%s", diff)
	}
}
