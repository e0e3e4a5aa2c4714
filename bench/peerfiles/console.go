package peerfiles

import (
	"bytes"
	"strings"
)

// isConsole recognises the tables that AIPerf and GenAI-Perf print.
func isConsole(text []byte) bool {
	return (bytes.Contains(text, []byte("AIPerf")) || bytes.Contains(text, []byte("GenAI-Perf"))) && bytes.Contains(text, []byte("┃"))
}

// readConsole reads those tables. A label that does not fit goes on in the next row,
// whose other cells are empty.
func readConsole(text []byte) (Result, error) {
	tool := GenAIPerf
	if bytes.Contains(text, []byte("AIPerf")) {
		tool = AIPerf
	}
	measures := map[string]measure{}
	var header, row []string
	var failed error
	flush := func() {
		if len(row) == 0 || len(header) == 0 {
			return
		}
		name, m, err := rowMeasure(header, row)
		if err != nil && failed == nil {
			failed = err
		}
		if _, ok := measures[name]; !ok && err == nil {
			measures[name] = m
		}
		row = nil
	}
	for line := range strings.Lines(string(text)) {
		switch cells := tableCells(line); {
		case strings.Contains(line, "┃"):
			flush()
			header = cells
		case len(cells) < 2:
			flush()
		case cells[1] == "" && len(row) > 0:
			row[0] += " " + cells[0]
		default:
			flush()
			row = cells
		}
	}
	flush()
	r := ofMeasures(tool, "text", func(name string) measure { return measures[name] })
	return r, failed
}

// tableCells are the trimmed cells of a row, nil for lines that are none.
func tableCells(line string) []string {
	line = strings.TrimSpace(strings.ReplaceAll(line, "┃", "│"))
	inner, ok := strings.CutPrefix(line, "│")
	if !ok {
		return nil
	}
	cells := strings.Split(strings.TrimSuffix(inner, "│"), "│")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}
