package telemetry

import (
	"strings"
	"testing"
)

func TestSelector(t *testing.T) {
	scrape, err := ParseScrape([]byte(`# TYPE calls_total counter
calls_total{mode="exact",to="12x12"} 3
calls_total{mode="bilinear",to="12x12"} 4
# TYPE busy gauge
busy 0.5
# TYPE took_seconds histogram
took_seconds_bucket{le="+Inf"} 7
took_seconds_sum 1
took_seconds_count 7
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		why, selector string
		want          float64
		there         bool
	}{
		{"all series", "calls_total", 7, true},
		{"without the ending", "calls", 7, true},
		{"one label", `calls_total{mode="exact"}`, 3, true},
		{"two labels", `calls_total{mode="bilinear", to="12x12"}`, 4, true},
		{"a label of no series", `calls_total{mode="other"}`, 0, false},
		{"a label that there is not", `busy{a="b"}`, 0, false},
		{"a gauge", "busy", 0.5, true},
		{"a histogram counts", "took_seconds", 7, true},
		{"a histogram by its count", "took_seconds_count", 7, true},
		{"no such metric", "missing", 0, false},
	} {
		s, err := ParseSelector(test.selector)
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		if got, there := scrape.Sum(s); got != test.want || there != test.there {
			t.Errorf("%s: %v, there %v", test.why, got, there)
		}
	}
	for _, bad := range []string{"", "a b", "a{b}", `a{b="c"`, `a{b="c"d="e"}`, "{}"} {
		if _, err := ParseSelector(bad); err == nil || !strings.Contains(err.Error(), "metric") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

// FuzzSelector: no text makes it panic.
func FuzzSelector(f *testing.F) {
	f.Add(`a:b_total{c="d",e="f"}`)
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := ParseSelector(text); err == nil {
			Scrape{}.Sum(s)
		}
	})
}
