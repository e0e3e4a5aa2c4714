package compare

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"siglab/bench/record"
)

// stoppedComplete is Manifest.Stopped of a run that did all it had planned.
const stoppedComplete = "complete"

// StoppedDecided is Manifest.Stopped of a run whose verdicts were reached early, as
// its experiment allowed.
const StoppedDecided = "decided"

// stoppedBudget is Manifest.Stopped of a run that ran out of the time it was given.
const stoppedBudget = "max duration"

// checkComplete: the run did what was planned. A run that ends when somebody has
// seen enough is biased towards what they wanted to see, unless it was analysed for
// that from the start.
func checkComplete(s *study) finding {
	planned, stopped := s.run.Manifest.Experiment.Pairs, s.run.Manifest.Stopped
	if stopped == StoppedDecided && s.run.Manifest.Experiment.EarlyStop && IsLook(len(s.pairs), len(s.arms)) {
		return finding{passed, fmt.Sprintf("decided after %d of at most %d pairs", len(s.pairs), planned)}
	}
	if stopped == stoppedBudget && s.run.Manifest.Experiment.MaxDuration > 0 && len(s.pairs) > 0 {
		return finding{passed, fmt.Sprintf("%d of at most %d pairs fit into %s", len(s.pairs), planned, s.run.Manifest.Experiment.MaxDuration)}
	}
	text := fmt.Sprintf("%d of %d planned pairs are complete; the run ended: %s", len(s.pairs), planned, stopped)
	if len(s.arms) == 1 {
		text = fmt.Sprintf("%d of %d planned blocks are complete; the run ended: %s", len(s.pairs), planned, stopped)
	}
	if stopped != stoppedComplete || len(s.pairs) != planned || planned == 0 {
		return finding{failed, text}
	}
	return finding{passed, text}
}

// checkEnvironment: one host and one program for all arms, and command lines that
// differ in what the variants declare.
func checkEnvironment(s *study) finding {
	e := s.run.Manifest.Environment
	for _, part := range []struct{ name, value string }{{"operating system", e.OS}, {"processor", e.CPU}, {"program's hash", e.BinaryHash}} {
		if part.value == "" {
			return unchecked("the manifest does not tell the %s", part.name)
		}
	}
	base := s.arms[0]
	for _, v := range s.arms {
		switch {
		case v.Kind == record.KindURL:
			return unchecked("variant %q%s may run anywhere: its host and its command line are not known", v.Name, ofKind(v))
		case v.Kind != base.Kind:
			return unchecked("variant %q is of kind %q, %q of kind %q, so their command lines do not compare", base.Name, base.Kind, v.Name, v.Kind)
		}
	}
	var problems, declared []string
	for _, v := range s.arms[1:] {
		if v.Kind == record.KindCommand { // the command is what is declared
			declared = append(declared, fmt.Sprintf("%s to %s %s", base.Name, v.Name, commands(base, v)))
			problems = append(problems, s.undeclaredBetween(base, v)...)
			continue
		}
		if a, b := undeclared(base.Argv), undeclared(v.Argv); !slices.Equal(a, b) {
			problems = append(problems, fmt.Sprintf("the command lines of variants %q and %q differ in more than they declare: %q and %q", base.Name, v.Name, a, b))
		}
		declared = append(declared, difference(base, v))
	}
	fine := fmt.Sprintf("one host (%s, %s/%s) and one program", e.CPU, e.OS, e.Arch)
	if len(declared) > 0 {
		fine += "; declared: " + strings.Join(declared, "; ")
	}
	return outcome(problems, fine)
}

// commands says in what two commands differ.
func commands(a, b record.Variant) string {
	var parts []string
	for _, part := range []struct {
		name string
		a, b []string
	}{{"command", a.Argv, b.Argv}, {"environment", a.Env, b.Env}, {"directory", []string{a.Dir}, []string{b.Dir}}, {"code", sourceOf(a), sourceOf(b)}, {"setup command", setupOf(a), setupOf(b)}} {
		if !slices.Equal(part.a, part.b) {
			parts = append(parts, fmt.Sprintf("%s %q → %q", part.name, strings.Join(part.a, " "), strings.Join(part.b, " ")))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

// sourceOf is which code a variant is made from, nothing if that is not known.
func sourceOf(v record.Variant) []string {
	if v.Source == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s at %.12s", v.Source.Ref, v.Source.Commit)}
}

func setupOf(v record.Variant) []string {
	if v.Source == nil {
		return nil
	}
	return v.Source.Setup
}

// undeclared is a command line without the flags whose values a variant declares
// and without the port, which no answer depends on.
func undeclared(argv []string) []string {
	var out []string
	for i := 0; i < len(argv); i++ {
		switch argv[i] {
		case "--pos-embed", "--inject-delay", "--port":
			i++ // its value
		default:
			out = append(out, argv[i])
		}
	}
	return out
}

// difference says what a variant declares to differ in.
func difference(a, b record.Variant) string {
	var parts []string
	if a.Mode != b.Mode {
		parts = append(parts, fmt.Sprintf("mode %s → %s", a.Mode, b.Mode))
	}
	if a.InjectDelay != b.InjectDelay {
		parts = append(parts, fmt.Sprintf("injected delay %s → %s", delay(a.InjectDelay), delay(b.InjectDelay)))
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	return fmt.Sprintf("%s to %s %s", a.Name, b.Name, strings.Join(parts, " and "))
}

func delay(d time.Duration) string {
	if d == 0 {
		return "none"
	}
	return d.String()
}
