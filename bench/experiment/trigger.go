package experiment

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"siglab/bench/record"
	"siglab/bench/telemetry"
)

// trigger counts what a variant's trigger asks for, over a block.
type trigger struct {
	log     *regexp.Regexp // nil: not asked for
	metric  *telemetry.Selector
	path    string // of the log
	from    int64  // where the block begins in it
	refused string // why the log cannot be read
}

// CheckTrigger reports what keeps a trigger from being one.
func CheckTrigger(t record.Trigger) error {
	if t.Log+t.Metric == "" {
		return errors.New("it has a log expression or a metric")
	}
	if t.AtLeast < 0 {
		return fmt.Errorf("at_least %v: it is above 0", t.AtLeast)
	}
	if t.None && t.AtLeast > 0 {
		return errors.New("none and at_least exclude each other")
	}
	if _, err := regexp.Compile(t.Log); err != nil {
		return fmt.Errorf("log expression: %w", err)
	}
	if t.Metric != "" {
		if _, err := telemetry.ParseSelector(t.Metric); err != nil {
			return err
		}
	}
	return nil
}

// armTrigger prepares to count over the block that begins now. A trigger that is none counts
// nothing: the plan has checked it.
func armTrigger(arm Arm) *trigger {
	if arm.Trigger == nil {
		return nil
	}
	t := &trigger{path: arm.Log}
	if arm.Trigger.Log != "" {
		if log, err := regexp.Compile(arm.Trigger.Log); err == nil {
			t.log = log
		}
		info, err := os.Stat(arm.Log)
		if err != nil {
			t.refused = fmt.Sprintf("its log was not read: %v", err)
		} else {
			t.from = info.Size()
		}
	}
	if arm.Trigger.Metric != "" {
		if s, err := telemetry.ParseSelector(arm.Trigger.Metric); err == nil {
			t.metric = &s
		}
	}
	return t
}

// count is how far it moved, by the scrapes before and after the block; they are nil if
// the server's metrics were not read.
func (t *trigger) count(before, after telemetry.Scrape) *record.TriggerCount {
	if t == nil {
		return nil
	}
	var out record.TriggerCount
	if t.log != nil {
		n, err := t.lines()
		switch {
		case t.refused != "":
			out.Detail = t.refused
		case err != nil:
			out.Detail = fmt.Sprintf("its log was not read: %v", err)
		default:
			out.Log = &n
		}
	}
	switch {
	case t.metric == nil:
	case before == nil || after == nil:
		out.Detail = "its metrics were not read"
	default:
		was, _ := before.Sum(*t.metric) // a series appears when it first moves
		is, there := after.Sum(*t.metric)
		moved := is - was
		out.Metric = &moved
		if !there {
			out.Detail = "it has no such metric"
		}
	}
	return &out
}

// mostLine bounds a line of a log that is looked at; longer ones count by parts.
const mostLine = 64 << 10

// lines counts the lines of the block that the expression matches.
func (t *trigger) lines() (n float64, err error) {
	f, err := os.Open(t.path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	if _, err := f.Seek(t.from, io.SeekStart); err != nil {
		return 0, err
	}
	lines := bufio.NewReaderSize(f, mostLine)
	for {
		line, _, err := lines.ReadLine()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if t.log.Match(line) {
			n++
		}
	}
}
