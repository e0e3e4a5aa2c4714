package sweep

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/vllmbench"
)

// known reports whether a number can be given.
func known(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// label is a metric's name as vLLM prints it.
func label(key string) string {
	if m, ok := vllmbench.Describe(key); ok {
		return m.Label
	}
	return key
}

// capital begins a sentence.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// number prints a value with about four digits.
func number(v float64) string {
	switch size := math.Abs(v); {
	case !known(v):
		return "-"
	case size >= 100:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// interval prints a change in percent: "-3.1 % [-4.0, -2.2]".
func interval(i compare.Interval) string {
	switch {
	case !known(i.Value):
		return "-"
	case !known(i.Low) || !known(i.High):
		return fmt.Sprintf("%+.1f %%", i.Value)
	}
	return fmt.Sprintf("%+.1f %% [%+.1f, %+.1f]", i.Value, i.Low, i.High)
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
