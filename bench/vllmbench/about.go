package vllmbench

import "time"

// Programs that print the block or save the object.
const (
	VLLM       = "vllm bench serve"
	RustClient = "vllm-bench" // the Rust port
	SGLang     = "sglang.bench_serving"
)

// About is what a result says of its run besides numbers; the zero value where it
// does not.
type About struct {
	Program string
	Date    time.Time // when the run began, on the clock of its machine
	Model   string
	Backend string
	Label   string
	Prompts int  // requests asked for
	Endless bool // no request rate: all at once, or as many as max_concurrency allows
	CutOff  bool // a block without the rule at its end
	Built   Span // of vLLM's versions
}

// Span bounds the day on which a program was at a state that could have written a
// result. The zero time is no bound.
type Span struct{ From, Until time.Time }

// until moves the upper bound: a program that ran then was not newer.
func (s *Span) until(t time.Time) {
	if !t.IsZero() && (s.Until.IsZero() || t.Before(s.Until)) {
		s.Until = t
	}
}

// feature moves a bound by whether the result has what came on a day.
func (s *Span) feature(day time.Time, has bool) {
	switch {
	case !has:
		s.until(day)
	case day.After(s.From):
		s.From = day
	}
}

// Days on which the layout changed.
var (
	failedLine     = day(2025, time.October, 16)  // #26478
	lowerCaseToken = day(2025, time.December, 10) // #30403
	startTimes     = day(2026, time.January, 22)  // #32667
	queueTimes     = day(2026, time.August, 28)   // #54136
)

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// Change is one by which the numbers of `vllm bench serve` changed their meaning.
type Change struct {
	Day  time.Time
	What string // a clause: "temperature is no longer forced to 0"
}

// changes are those known, the oldest first.
var changes = [...]Change{
	{day(2025, time.October, 16), "warm-up requests can be asked for (#26943)"},
	{day(2026, time.January, 12), "the first request is no longer sent once before the run, which had warmed its caches (#30975)"},
	{day(2026, time.January, 22), "the temperature is no longer forced to 0 (#32723)"},
	{day(2026, time.April, 14), "input tokens are the server's count, image tokens included (#38654)"},
}

// ChangesBetween returns the changes that certainly lie between two results: one was
// written by a version before, the other by one after.
func ChangesBetween(a, b Span) []Change {
	var between []Change
	for _, c := range changes {
		if a.before(c.Day) && b.after(c.Day) || b.before(c.Day) && a.after(c.Day) {
			between = append(between, c)
		}
	}
	return between
}

func (s Span) before(day time.Time) bool { return !s.Until.IsZero() && !s.Until.After(day) }

func (s Span) after(day time.Time) bool { return !s.From.IsZero() && !s.From.Before(day) }
