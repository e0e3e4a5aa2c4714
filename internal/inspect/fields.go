package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// mostConfig bounds a configuration file in bytes: real ones have a few thousand.
const mostConfig = 16 << 20

// mostPixels bounds an edge, a patch and a number of patches.
const mostPixels = 1 << 20

// fields is a JSON object whose values are read as they are needed: a model that is
// not known may have any value under any key.
type fields map[string]json.RawMessage

// readFields reads the object in a file.
func readFields(path string) (fields, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	raw, err := io.ReadAll(io.LimitReader(f, mostConfig+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(raw) > mostConfig {
		return nil, fmt.Errorf("%s is too large for a configuration (%d bytes at most); name a config.json", path, mostConfig)
	}
	object, err := parseFields(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; is it complete, and a model's config.json?", path, err)
	}
	return object, nil
}

// parseFields reads one JSON object.
func parseFields(raw []byte) (fields, error) {
	var object fields
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if object == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return object, nil
}

// has reports whether a key has a value.
func (f fields) has(key string) bool {
	raw, ok := f[key]
	return ok && string(raw) != "null"
}

// object returns the object under a key, nil if there is none.
func (f fields) object(key string) (fields, error) {
	if !f.has(key) {
		return nil, nil
	}
	object, err := parseFields(f[key])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return object, nil
}

// text returns the string under a key, "" if there is none.
func (f fields) text(key string) string {
	var s string
	if err := json.Unmarshal(f[key], &s); err != nil {
		return ""
	}
	return s
}

// first returns the first string of a list, "" if there is none.
func (f fields) first(key string) string {
	var list []string
	if err := json.Unmarshal(f[key], &list); err != nil || len(list) == 0 {
		return ""
	}
	return list[0]
}

// yes reports whether the value under a key is true.
func (f fields) yes(key string) bool { return string(f[key]) == "true" }

// number returns the positive whole number under a key, otherwise if there is none.
func (f fields) number(key string, otherwise int) (int, error) {
	if !f.has(key) {
		return otherwise, nil
	}
	var v float64
	if err := json.Unmarshal(f[key], &v); err != nil {
		return 0, fmt.Errorf("%s is %s, not a number", key, short(f[key]))
	}
	if v != math.Trunc(v) || v < 1 || v > mostPixels {
		return 0, fmt.Errorf("%s is %s; want a whole number from 1 to %d", key, short(f[key]), mostPixels)
	}
	return int(v), nil
}

// edges returns the height and width under a key: one number for a square, or a
// list of two.
func (f fields) edges(key string, otherwise int) ([2]int, error) {
	var pair []json.RawMessage
	if err := json.Unmarshal(f[key], &pair); err != nil || len(pair) != 2 {
		n, err := f.number(key, otherwise)
		return [2]int{n, n}, err
	}
	var both [2]int
	for i, name := range [...]string{"height", "width"} {
		n, err := fields{name: pair[i]}.number(name, 0)
		if err != nil {
			return both, fmt.Errorf("%s: %w", key, err)
		}
		if n == 0 {
			return both, fmt.Errorf("%s is %s, without a %s", key, short(f[key]), name)
		}
		both[i] = n
	}
	return both, nil
}

// short returns a value for a message.
func short(raw json.RawMessage) string {
	const most = 40
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}
