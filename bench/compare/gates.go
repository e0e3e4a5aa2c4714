package compare

import (
	"fmt"
	"strings"
)

// gate is a Gate before it has its name.
type gate struct {
	name  string
	check func(*study) finding
}

// finding is the outcome of one gate's check.
type finding struct {
	state  state
	detail string
}

type state int8

const (
	passed state = iota
	failed
	notChecked
)

// gates are all conditions, in the order in which they are shown.
func gates() []gate {
	return []gate{
		{"send_lag_p99", checkLag},
		{"send_lag_balance", checkLagBalance},
		{"sent_span", checkSpan},
		{"no_dropped_sends", checkDropped},
		{"same_workload", checkWorkload},
		{"same_inputs", checkInputs},
		{"equal_output_tokens", checkOutputTokens},
		{"error_rate", checkErrors},
		{"trigger", checkTrigger},
		{"code_loaded", checkCode},
		{"environment", checkEnvironment},
		{"client_server_gap", checkServerGap},
		{"complete", checkComplete},
	}
}

// gates checks every condition. The run is valid if none of those that could be
// checked failed.
func (s *study) gates() (checked []Gate, valid bool) {
	valid = true
	for _, g := range gates() {
		f := g.check(s)
		checked = append(checked, Gate{Name: g.name, OK: f.state == passed, Checked: f.state != notChecked, Detail: f.detail})
		valid = valid && f.state != failed
	}
	return checked, valid
}

// outcome is ok unless there is a problem; then the problems are the detail.
func outcome(problems []string, fine string) finding {
	if len(problems) == 0 {
		return finding{passed, fine}
	}
	return finding{failed, listed(problems)}
}

// unchecked says why a gate could not be checked.
func unchecked(format string, args ...any) finding {
	return finding{notChecked, fmt.Sprintf(format, args...)}
}

const (
	noPairs    = "no pair is complete"
	oneVariant = "there is one variant, so nothing to compare it with"
)

// comparable returns why arms cannot be compared with each other, if so.
func (s *study) comparable() (reason string, can bool) {
	switch {
	case len(s.arms) < 2:
		return oneVariant, false
	case len(s.pairs) == 0:
		return noPairs, false
	}
	return "", true
}

// mostListed bounds how much of the same a detail repeats.
const mostListed = 4

// listed joins sentences, the first few of many.
func listed(items []string) string {
	if extra := len(items) - mostListed; extra > 0 {
		items = append(items[:mostListed:mostListed], fmt.Sprintf("and %d more", extra))
	}
	return strings.Join(items, "; ")
}
