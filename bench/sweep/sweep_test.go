package sweep

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/configfile"
)

func TestParseAxis(t *testing.T) {
	for _, test := range []struct {
		why, text string
		want      Axis
		err       string
	}{
		{"numbers", "load.request_rate=5, 10,inf", Axis{"load.request_rate", []string{"5", "10", "inf"}}, ""},
		{"one value", "image_size=384", Axis{"image_size", []string{"384"}}, ""},
		{"values with commas of their own", `a=[1,2],{b: 'x,y'},"c,d"`, Axis{"a", []string{"[1,2]", "{b: 'x,y'}", `"c,d"`}}, ""},
		{"a value with the sign of assignment", "a=b=c", Axis{"a", []string{"b=c"}}, ""},
		{"no values", "a=", Axis{}, "write KEY=VALUE"},
		{"no key", "=1", Axis{}, "write KEY=VALUE"},
		{"an empty value", "a=1,,2", Axis{}, "value 2 is empty"},
		{"a value twice", "a=1,2,1", Axis{}, "given twice"},
	} {
		got, err := ParseAxis(test.text)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q", test.why, err, test.err)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", test.why, err, diff)
		}
	}
}

// TestPoints: all combinations, the last axis changing fastest, each with a directory
// of its own.
func TestPoints(t *testing.T) {
	points, err := Points([]Axis{{"a", []string{"1", "2"}}, {"b.c", []string{"x/y", "é z"}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range points {
		got = append(got, p.String()+" in "+p.Dir())
	}
	want := []string{"a=1 b.c=x/y in 01_a=1_b.c=x-y", "a=1 b.c=é z in 02_a=1_b.c=-_z", "a=2 b.c=x/y in 03_a=2_b.c=x-y", "a=2 b.c=é z in 04_a=2_b.c=-_z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if _, err := Points([]Axis{{"a", []string{"1"}}, {"a", []string{"2"}}}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("an axis twice: error %v", err)
	}
	many := make([]string, mostPoints)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	if _, err := Points([]Axis{{"a", many}, {"b", []string{"1", "2"}}}); err == nil || !strings.Contains(err.Error(), "more than 200") {
		t.Errorf("too many: error %v", err)
	}
	long := Point{Overrides: []configfile.Override{{Key: "a", Value: many[150]}}}
	if len(long.Dir()) > 100 {
		t.Errorf("a directory of %d bytes", len(long.Dir()))
	}
}

// TestPlanCheck: a sweep goes on only as it began.
func TestPlanCheck(t *testing.T) {
	was := Plan{Args: []string{"sweep"}, FileHash: "h", Axes: []Axis{{"a", []string{"1"}}}}
	for _, test := range []struct {
		why, want string
		now       Plan
	}{
		{"the same", "", was},
		{"another file", "file has changed", Plan{Args: was.Args, Axes: was.Axes}},
		{"other values", "a sweep over", Plan{Args: was.Args, FileHash: "h", Axes: []Axis{{"a", []string{"2"}}}}},
		{"another command line", "command line", Plan{FileHash: "h", Axes: was.Axes}},
	} {
		err := was.Check(test.now)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
	}
}

func FuzzParseAxis(f *testing.F) {
	f.Add("a=[1,2],'x")
	f.Fuzz(func(t *testing.T, text string) {
		axis, err := ParseAxis(text)
		if err != nil {
			return
		}
		points, err := Points([]Axis{axis})
		if err != nil {
			return // more than there may be
		}
		for _, p := range points {
			if name := p.Dir(); strings.ContainsAny(name, "/\\: \x00") {
				t.Errorf("%q is no directory for every system", name)
			}
		}
	})
}
