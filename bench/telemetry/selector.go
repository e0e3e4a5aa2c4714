package telemetry

import (
	"fmt"
	"regexp"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Selector names series of a metric: all of them, or those with some labels.
type Selector struct {
	name   string
	labels map[string]string
}

// selectorForm is name or name{label="value",…}, labelForm one of its labels.
var (
	selectorForm = regexp.MustCompile(`^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?$`)
	labelForm    = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"\\]*)"\s*(?:,|$)`)
)

// ParseSelector reads name or name{label="value",…}.
func ParseSelector(text string) (Selector, error) {
	m := selectorForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Selector{}, fmt.Errorf(`metric %q: write name, or name{label="value"}`, text)
	}
	s := Selector{name: m[1], labels: map[string]string{}}
	for rest := m[2]; strings.TrimSpace(rest) != ""; {
		label := labelForm.FindStringSubmatch(rest)
		if label == nil {
			return Selector{}, fmt.Errorf(`metric %q: labels are written label="value"`, text)
		}
		s.labels[label[1]] = label[2]
		rest = rest[len(label[0]):]
	}
	return s, nil
}

// Sum adds up the series that a selector names, of a histogram or summary how often it
// was observed. there is false if there is none. Counters may be named with or without
// their ending _total, which parsers treat differently, and histograms with _count.
func (s Scrape) Sum(selector Selector) (total float64, there bool) {
	for _, name := range []string{selector.name, strings.TrimSuffix(selector.name, "_total"), selector.name + "_total", strings.TrimSuffix(selector.name, "_count")} {
		for _, m := range s[name].GetMetric() {
			if selector.matches(m) {
				total, there = total+value(m), true
			}
		}
		if there {
			return total, true
		}
	}
	return 0, false
}

func (s Selector) matches(m *dto.Metric) bool {
	found := 0
	for _, label := range m.GetLabel() {
		want, asked := s.labels[label.GetName()]
		if !asked {
			continue
		}
		if label.GetValue() != want {
			return false
		}
		found++
	}
	return found == len(s.labels)
}

// value is that of the one kind that a metric is.
func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Histogram != nil:
		return float64(m.GetHistogram().GetSampleCount())
	case m.Summary != nil:
		return float64(m.GetSummary().GetSampleCount())
	}
	return m.GetUntyped().GetValue()
}
