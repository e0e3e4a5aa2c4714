package vllmbench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"siglab/internal/pyjson"
)

// Log is one result that was read.
type Log struct {
	Source  string  // "text" or "json"; a caller may put a file name there
	Metrics []Value // in the order of the file, no key twice, at least one
	About   About
}

// Value is one number of a result.
type Value struct {
	Key   string  // as in vLLM's JSON: "mean_ttft_ms"
	Value float64 // in the unit that Describe gives, always finite
}

// Get returns the number with a key, and whether the result has it.
func (l Log) Get(key string) (float64, bool) {
	for _, v := range l.Metrics {
		if v.Key == key {
			return v.Value, true
		}
	}
	return 0, false
}

// expected is what a file without a result is told.
const expected = "expected the block under \"" + title + "\" that `vllm bench serve` prints, or the JSON that its --save-result writes"

// Parse reads one result: the text block anywhere in a log, or the saved JSON.
//
// The block may have headings of any width, "Token" or "token" in its labels, line
// ends of any system, a log prefix before its lines and progress bars between them;
// numbers that are missing, None or not finite are left out. It is an error if the
// input holds no result, or more than one.
func Parse(r io.Reader) (Log, error) {
	logs, err := ParseAll(r)
	switch {
	case err != nil:
		return Log{}, err
	case len(logs) > 1:
		return Log{}, fmt.Errorf("the input holds %d results; split it into files of one result each and name the one to read", len(logs))
	}
	return logs[0], nil
}

// ParseAll reads every result of a log or of a file of --append-result, at least
// one, in the order in which they were written.
func ParseAll(r io.Reader) ([]Log, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	text := pyjson.Text(raw)
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, errors.New("the input is empty; " + expected)
	}
	if trimmed[0] == '{' {
		logs, err := parseJSON(text)
		// A log whose first line is a JSON record may still hold a text block.
		if err == nil || !bytes.Contains(text, []byte(title)) {
			return logs, err
		}
	}
	return parseText(string(text))
}

// add appends a number unless it is not finite. The same key twice with different
// values is an error: there is no telling which one was meant.
func (l *Log) add(key string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if old, ok := l.Get(key); ok {
		if old != v {
			return fmt.Errorf("%s is given twice, as %v and %v; keep one result in the file", key, old, v)
		}
		return nil
	}
	l.Metrics = append(l.Metrics, Value{key, v})
	return nil
}
