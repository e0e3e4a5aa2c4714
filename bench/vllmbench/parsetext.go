package vllmbench

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseText reads the blocks of a log.
func parseText(text string) ([]Log, error) {
	// A progress bar returns to the start of its line instead of ending it.
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	starts := titles(lines)
	if len(starts) == 0 {
		return nil, errors.New("no result found; " + expected)
	}
	logs := make([]Log, len(starts))
	for i, start := range starts {
		end := len(lines)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		log, err := parseBlock(lines[start], lines[start+1:end])
		if err != nil && len(starts) > 1 {
			err = fmt.Errorf("result %d of %d: %w", i+1, len(starts), err)
		}
		if err != nil {
			return nil, err
		}
		logs[i] = log
	}
	return logs, nil
}

// parseBlock reads one block up to its rule.
func parseBlock(heading string, lines []string) (Log, error) {
	log := Log{Source: "text"}
	var ended bool
	for i, line := range lines {
		if ended = isRule(line); ended {
			lines = lines[:i]
			break
		}
		key, v, ok, err := parseLine(line)
		if err == nil && ok {
			err = log.add(key, v)
		}
		if err != nil {
			return log, err
		}
	}
	if len(log.Metrics) == 0 {
		return log, errors.New("the result block is empty, perhaps cut off; " + expected)
	}
	log.About = aboutBlock(heading, lines, ended)
	return log, nil
}

// rustWidth is the number of columns of the headings of the Rust client.
const rustWidth = 60

// aboutBlock finds out which program printed a block, and in which versions.
func aboutBlock(heading string, lines []string, ended bool) About {
	a := About{Program: VLLM, CutOff: !ended}
	text := strings.Join(lines, "\n")
	var rate bool
	for _, line := range lines {
		if key, _, ok, _ := parseLine(line); ok && key == "request_rate" {
			rate = true
		}
		if before, after, ok := strings.Cut(line, "Backend:"); ok && !strings.Contains(before, ":") {
			a.Backend = strings.TrimSpace(after)
		}
	}
	a.Endless = !rate && ended || strings.Contains(text, "Traffic request rate: ") && !rate
	switch {
	case strings.Contains(text, "(retokenized)") || strings.Contains(text, "Traffic request rate:"):
		a.Program = SGLang
		return a
	case strings.Count(heading, "=") >= rustWidth-len(title)-2:
		a.Program = RustClient
		return a
	}
	if ended {
		a.Built.feature(failedLine, strings.Contains(text, "Failed requests:"))
	}
	if strings.Contains(text, "Total Token throughput") {
		a.Built.feature(lowerCaseToken, false)
	} else if strings.Contains(text, "Total token throughput") {
		a.Built.feature(lowerCaseToken, true)
	}
	return a
}

// titles returns the indices of the lines that start a block. The rest of a
// progress bar may come before the heading.
func titles(lines []string) []int {
	var at []int
	for i, line := range lines {
		before, after, ok := strings.Cut(line, " "+title+" ")
		if ok && strings.HasSuffix(before, "=") && strings.HasPrefix(after, "=") {
			at = append(at, i)
		}
	}
	return at
}

// shortestRule is the least width of the rule that ends a block: headings of 50 and
// 60 columns are known.
const shortestRule = 20

// isRule reports whether a line ends a block.
func isRule(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= shortestRule && strings.Trim(line, "=") == ""
}

// parseLine reads one line of a block. ok is false for lines that hold no known
// number; it is an error if the label is known and the value is not a number.
func parseLine(line string) (key string, v float64, ok bool, err error) {
	colon := strings.LastIndexByte(line, ':')
	if colon < 0 {
		return "", 0, false, nil
	}
	key, ok = keyOf(line[:colon])
	if !ok {
		return "", 0, false, nil
	}
	fields := strings.Fields(line[colon+1:])
	if len(fields) == 0 || strings.EqualFold(fields[0], "none") {
		return "", 0, false, nil
	}
	v, err = strconv.ParseFloat(fields[0], 64)
	if err != nil && (key == "request_rate" || key == "max_concurrency") { // SGLang's "trace" and "not set"
		return "", 0, false, nil
	}
	if err != nil {
		return "", 0, false, fmt.Errorf("line %q: %q is not a number", strings.TrimSpace(line), fields[0])
	}
	return key, v, true, nil
}

// otherLabels are labels of other versions and of programs that print the same
// block, in lower case.
var otherLabels = [...]struct{ label, key string }{
	{"max request concurrency", "max_concurrency"}, // SGLang
	{"traffic request rate", "request_rate"},
	{"total throughput (tok/s)", "total_token_throughput"},
	{"accept length", "spec_decode_acceptance_length"},
}

// keyOf returns the key whose label ends s; before it there may be what a log
// writes at the start of its lines. Of several labels the longest is meant: "peak
// output token throughput" ends with another one.
func keyOf(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if key, ok := latencyKey(s); ok {
		return key, true
	}
	var best, key string
	consider := func(label, k string) {
		if len(label) > len(best) && endsWithWord(s, label) {
			best, key = label, k
		}
	}
	for _, m := range general {
		consider(strings.ToLower(printedLabel(m.Key)), m.Key)
	}
	for _, m := range speculative {
		consider(strings.ToLower(printedLabel(m.Key)), m.Key)
	}
	for _, o := range otherLabels {
		consider(o.label, o.key)
	}
	return key, key != ""
}

// latencyKey returns the key of "… mean ttft (ms)" and its like.
func latencyKey(s string) (string, bool) {
	s, ok := strings.CutSuffix(s, " (ms)")
	if !ok {
		return "", false
	}
	s = strings.Replace(s, "e2e latency", "e2el", 1) // SGLang
	for _, sec := range sections {
		before, ok := strings.CutSuffix(s, " "+strings.ToLower(sec.label))
		if !ok {
			continue
		}
		stat := before[strings.LastIndexAny(before, " \t")+1:]
		if _, ok := statisticLabel(stat); ok {
			return stat + "_" + sec.key + "_ms", true
		}
	}
	return "", false
}

// endsWithWord reports whether s ends with label, and label starts a word there.
func endsWithWord(s, label string) bool {
	before, ok := strings.CutSuffix(s, label)
	return ok && (before == "" || strings.HasSuffix(before, " ") || strings.HasSuffix(before, "\t"))
}
