package report

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/vllmbench"
)

// label is a metric's name as vLLM prints it.
func label(key string) string {
	if m, ok := vllmbench.Describe(key); ok {
		return m.Label
	}
	return key
}

// known reports whether a number can be given.
func known(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// value prints a number with three or four significant digits.
func value(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case math.IsInf(v, 0):
		return "failed" // a quantile of requests of which too many failed
	case size >= 100:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// signed prints a change with its sign.
func signed(v float64) string {
	if !known(v) {
		return "-"
	}
	if text := value(v); strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-") // no "-0.000"
	}
	return sign(v) + value(math.Abs(v))
}

func sign(v float64) string {
	if v < 0 {
		return "-"
	}
	return "+"
}

// percent prints a change in percent.
func percent(v float64) string {
	if !known(v) {
		return "-"
	}
	text := fmt.Sprintf("%.1f", math.Abs(v))
	if text == "0.0" {
		return "0.0%"
	}
	return sign(v) + text + "%"
}

// percentInterval prints a change with its interval.
func percentInterval(i compare.Interval) string {
	if !known(i.Low) || !known(i.High) {
		return percent(i.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", percent(i.Value), percent(i.Low), percent(i.High))
}

// absoluteInterval prints a change in a unit with its interval.
func absoluteInterval(i compare.Interval, unit string) string {
	if !known(i.Low) || !known(i.High) {
		return strings.TrimSpace(signed(i.Value) + " " + unit)
	}
	return fmt.Sprintf("%s %s [%s, %s]", signed(i.Value), unit, signed(i.Low), signed(i.High))
}

// probability prints a p value.
func probability(p float64) string {
	switch {
	case !known(p):
		return "-"
	case p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// count prints n of something with the right number.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
