package vllmbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseJSON reads the one object of a saved result. A file of --append-result has
// one object per run.
func parseJSON(text []byte) (Log, error) {
	log := Log{Source: "json"}
	dec := json.NewDecoder(bytes.NewReader(withoutBareNumbers(text)))
	if err := log.readObject(dec); err != nil {
		return log, err
	}
	n := 1
	for ; ; n++ {
		var next json.RawMessage
		err := dec.Decode(&next)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return log, fmt.Errorf("after the first JSON object: %w; %s", err, expected)
		}
	}
	if n > 1 {
		return log, severalResults(n)
	}
	if !log.isResult() {
		return log, errors.New("the JSON object has no metric of a benchmark; " + expected)
	}
	return log, nil
}

// readObject reads the known numbers of the next object in their order.
func (l *Log) readObject(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil { // the opening brace
		return fmt.Errorf("not JSON: %w; %s", err, expected)
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return fmt.Errorf("broken JSON: %w; is the file complete?", err)
		}
		key, _ := token.(string) // the decoder allows no other key
		var value any
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("broken JSON at key %q: %w; is the file complete?", key, err)
		}
		number, ok := value.(float64)
		if _, known := Describe(key); !ok || !known {
			continue
		}
		if err := l.add(key, number); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("broken JSON: %w; is the file complete?", err)
	}
	return nil
}

// isResult reports whether the log holds a rate or a latency, and not only counts
// and settings, which other files have too.
func (l *Log) isResult() bool {
	for _, v := range l.Metrics {
		if m, _ := Describe(v.Key); m.Better != Neither && m.Unit != "" {
			return true
		}
	}
	return false
}

// withoutBareNumbers replaces NaN and Infinity outside strings, which Python writes
// and JSON does not know, by an empty string and blanks: not a number, and no longer
// than the shortest of them, so that the text keeps its length.
func withoutBareNumbers(text []byte) []byte {
	out := bytes.Clone(text)
	inString := false
	for i := 0; i < len(out); i++ {
		switch {
		case inString && out[i] == '\\':
			i++
		case out[i] == '"':
			inString = !inString
		case !inString:
			if n := bareNumber(out[i:]); n > 0 {
				copy(out[i:], fmt.Sprintf("%-*s", n, `""`))
				i += n - 1
			}
		}
	}
	return out
}

// bareNumber returns the length of the word for no number that text starts with, 0
// if it starts with none.
func bareNumber(text []byte) int {
	for _, word := range [...]string{"-Infinity", "Infinity", "NaN"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
