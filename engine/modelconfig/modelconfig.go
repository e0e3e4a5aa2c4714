// Package modelconfig reads the config.json of published models: typed values with
// ranges and defaults, and every complaint at once.
//
// A configuration says with hundreds of keys what a model computes. The readers of a
// model take those that matter and refuse values that they do not compute; keys that
// they never ask for are ignored.
package modelconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxBytes bounds a configuration file; published ones have some kilobytes.
const maxBytes = 16 << 20

// Object is a JSON object of a configuration. What is wrong with the values asked for
// is collected; Err of any object of the file has all of it. A zero value is returned
// in place of a wrong one, so that reading goes on.
type Object struct {
	path   string // such as "text_config.", empty for the file itself
	fields map[string]json.RawMessage
	errs   *[]error
}

// Open reads config.json in a model's directory.
func Open(dir string) (*Object, error) { return OpenFile(filepath.Join(dir, "config.json")) }

// OpenFile reads a JSON file whose value is an object.
func OpenFile(path string) (*Object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read model configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // read-only
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read model configuration: %w", err)
	case len(data) > maxBytes:
		return nil, fmt.Errorf("model configuration %s has more than %d bytes", path, maxBytes)
	}
	o, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("model configuration %s: %w", path, err)
	}
	return o, nil
}

// Parse reads a JSON object.
func Parse(data []byte) (*Object, error) {
	o := &Object{errs: new([]error)}
	if err := json.Unmarshal(data, &o.fields); err != nil {
		return nil, err
	}
	if o.fields == nil {
		return nil, errors.New("want a JSON object, not null")
	}
	return o, nil
}

// Err is everything that was wrong with the values asked for so far, nil if nothing.
func (o *Object) Err() error {
	if len(*o.errs) == 0 {
		return nil
	}
	var lines []string
	for _, err := range *o.errs {
		lines = append(lines, err.Error())
	}
	return errors.New(strings.Join(lines, "; "))
}

// Reject records that a key's value cannot be used; the reason continues "key = value: ".
func (o *Object) Reject(key, reason string, args ...any) {
	value := "not given"
	if raw, ok := o.fields[key]; ok {
		value = short(raw)
	}
	*o.errs = append(*o.errs, fmt.Errorf("%s%s = %s: %s", o.path, key, value, fmt.Sprintf(reason, args...)))
}

// short is a value as a message shows it.
func short(raw json.RawMessage) string {
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return "?"
	}
	const most = 80
	if s := compact.String(); len(s) > most {
		return s[:most] + "…"
	}
	return compact.String()
}

// Has reports whether the key is there and not null.
func (o *Object) Has(key string) bool {
	raw, ok := o.fields[key]
	return ok && string(raw) != "null"
}

// FirstOf is the first of several names of a value that is there, or else the first.
func (o *Object) FirstOf(keys ...string) string {
	if i := slices.IndexFunc(keys, o.Has); i >= 0 {
		return keys[i]
	}
	return keys[0]
}

// Object is a nested object, an empty one if the key is missing or null.
func (o *Object) Object(key string) *Object {
	nested := &Object{path: o.path + key + ".", errs: o.errs}
	if o.Has(key) {
		if err := json.Unmarshal(o.fields[key], &nested.fields); err != nil {
			o.Reject(key, "want an object")
		}
	}
	return nested
}

// Default sets a text that a missing key stands for.
func (o *Object) Default(key, value string) {
	if !o.Has(key) {
		quoted, _ := json.Marshal(value) // a string always can be
		o.fields = maps.Clone(o.fields)
		if o.fields == nil {
			o.fields = map[string]json.RawMessage{}
		}
		o.fields[key] = quoted
	}
}

// Int is a whole number from least to most; fallback stands for a missing or null key.
func (o *Object) Int(key string, fallback, least, most int) int {
	n := fallback
	if o.Has(key) {
		var f float64
		if err := json.Unmarshal(o.fields[key], &f); err != nil || f != math.Trunc(f) {
			o.Reject(key, "want a whole number")
			return 0
		}
		// Beyond these a float64 has no fractions, and is out of every range here.
		n = int(max(min(f, 1<<53), -1<<53))
	}
	if n < least || n > most {
		o.Reject(key, "want %d to %d", least, most)
		return 0
	}
	return n
}

// Require is Int for a key that has no default.
func (o *Object) Require(key string, least, most int) int {
	if !o.Has(key) {
		o.Reject(key, "want a whole number from %d to %d", least, most)
		return 0
	}
	return o.Int(key, 0, least, most)
}

// Ints is a list of whole numbers, or a single one as a list of it.
func (o *Object) Ints(key string, fallback ...int) []int {
	if !o.Has(key) {
		return fallback
	}
	var list []int
	if json.Unmarshal(o.fields[key], &list) == nil {
		return list
	}
	var one int
	if json.Unmarshal(o.fields[key], &one) != nil {
		o.Reject(key, "want a whole number or a list of them")
	}
	return []int{one}
}

// Pairs is a list of pairs of whole numbers.
func (o *Object) Pairs(key string) [][2]int {
	if !o.Has(key) {
		return nil
	}
	var lists [][]int
	if json.Unmarshal(o.fields[key], &lists) != nil || slices.ContainsFunc(lists, func(l []int) bool { return len(l) != 2 }) {
		o.Reject(key, "want a list of pairs of whole numbers")
		return nil
	}
	pairs := make([][2]int, len(lists))
	for i, l := range lists {
		pairs[i] = [2]int(l)
	}
	return pairs
}

// Strings is a list of strings, nil for a missing key.
func (o *Object) Strings(key string) []string {
	var list []string
	if o.Has(key) && json.Unmarshal(o.fields[key], &list) != nil {
		o.Reject(key, "want a list of strings")
		return nil
	}
	return list
}

// Float is a positive number.
func (o *Object) Float(key string, fallback float64) float64 {
	if !o.Has(key) {
		return fallback
	}
	var f float64
	if json.Unmarshal(o.fields[key], &f) != nil || !(f > 0) {
		o.Reject(key, "want a number larger than 0")
		return fallback
	}
	return f
}

// Bool is a truth value.
func (o *Object) Bool(key string, fallback bool) bool {
	b := fallback
	if o.Has(key) && json.Unmarshal(o.fields[key], &b) != nil {
		o.Reject(key, "want true or false")
	}
	return b
}

// String is a text.
func (o *Object) String(key, fallback string) string {
	s := fallback
	if o.Has(key) && json.Unmarshal(o.fields[key], &s) != nil {
		o.Reject(key, "want a text")
	}
	return s
}

// OneOf is a text among those that are understood.
func (o *Object) OneOf(key, fallback string, understood ...string) string {
	s := o.String(key, fallback)
	if !slices.Contains(understood, s) {
		if !o.Has(key) {
			*o.errs = append(*o.errs, fmt.Errorf("%s%s is not given, which means %q: want %s", o.path, key, fallback, list(understood)))
		} else {
			o.Reject(key, "want %s", list(understood))
		}
	}
	return s
}

// list is "a", or one of "a", "b".
func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "one of " + strings.Join(quoted, ", ")
}

// Forbid refuses every value of a key but null and the one given, such as false.
func (o *Object) Forbid(key, allowed, reason string) {
	if raw, ok := o.fields[key]; ok && string(raw) != "null" && short(raw) != allowed {
		o.Reject(key, "%s", reason)
	}
}
