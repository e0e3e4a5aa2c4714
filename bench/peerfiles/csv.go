package peerfiles

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

var nan = math.NaN()

// readCSV reads profile_export_aiperf.csv and profile_export_genai_perf.csv: a table
// of distributions, a table of single values, and for GPUs others that are not read.
// Their writers end every line: a last line without its end may be half a number.
func readCSV(text []byte) (Result, error) {
	whole := bytes.LastIndexByte(text, '\n') + 1
	cutOff := len(bytes.TrimSpace(text[whole:])) > 0
	text = text[:whole]
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = -1
	var header []string
	measures := map[string]measure{}
	tool := GenAIPerf
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Result{}, fmt.Errorf("not the CSV of AIPerf or GenAI-Perf: %w", err)
		}
		switch {
		case row[0] == "Metric":
			header = row
			if slices.Contains(header, "sum") || slices.Contains(header, "std") {
				tool = AIPerf
			}
		case row[0] == "Endpoint" || len(row) < 2:
			header = nil
		case header != nil:
			name, m, err := rowMeasure(header, row)
			if err != nil {
				return Result{}, err
			}
			if _, ok := measures[name]; !ok {
				measures[name] = m
			}
		}
	}
	r := ofMeasures(tool, "CSV", func(name string) measure { return measures[name] })
	if r.About.CutOff = cutOff; cutOff {
		r.note("cut-off", "", "The file ends within a line, which is left out; others may be missing.")
	}
	return r, nil
}

// rowMeasure reads "Time to First Token (ms),50.52,…" under its header.
func rowMeasure(header, row []string) (string, measure, error) {
	label, unit := row[0], ""
	if before, after, ok := strings.Cut(row[0], " ("); ok {
		label, unit = before, strings.TrimSuffix(after, ")")
	}
	stats := map[string]float64{}
	for i, cell := range row[1:] {
		if i+1 >= len(header) || cell == "" || cell == "N/A" {
			continue
		}
		v, err := strconv.ParseFloat(strings.ReplaceAll(cell, ",", ""), 64)
		if err != nil {
			return "", measure{}, fmt.Errorf("row %q: %q is not a number", row[0], cell)
		}
		stats[header[i+1]] = v
	}
	if v, ok := stats["Value"]; ok {
		stats["avg"] = v
	}
	return measureName(label), measure{unit, func(name string) float64 {
		if v, ok := stats[name]; ok {
			return v
		}
		return nan
	}}, nil
}

// measureName is the JSON's name for a label of the CSV.
func measureName(label string) string {
	name := strings.ReplaceAll(strings.ToLower(label), " ", "_")
	switch name {
	case "total_input_sequence_length":
		return "total_isl"
	case "total_output_sequence_length":
		return "total_osl"
	}
	return name
}
