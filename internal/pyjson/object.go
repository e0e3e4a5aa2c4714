package pyjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Object is one JSON object whose values are looked up when they are asked for. What
// is missing or of another kind gives the zero answer; what cannot be trusted (a key
// given twice with different values, a number too large for a float64) is kept as
// the first error, which the objects inside share. The zero Object is empty.
type Object struct {
	path   string // of its keys, for errors: "metrics.request_latency."
	keys   []string
	fields map[string]json.RawMessage
	err    *error
}

// NewObject takes a valid JSON value, as Values gives it.
func NewObject(value json.RawMessage) Object { return newObject(value, "", new(error)) }

func newObject(value json.RawMessage, path string, failed *error) Object {
	o := Object{path: path, err: failed}
	if len(value) == 0 || value[0] != '{' {
		return o
	}
	o.fields = map[string]json.RawMessage{}
	for at := skipBlanks(value, 1); at < len(value) && value[at] == '"'; {
		end := stringEnd(value, at)
		var key string
		if err := json.Unmarshal(value[at:end], &key); err != nil {
			o.fail("key %s: %w", value[at:end], err)
			return o
		}
		at = skipBlanks(value, skipBlanks(value, end)+1) // behind the colon
		end = valueEnd(value, at)
		o.add(key, value[at:end])
		at = skipBlanks(value, skipBlanks(value, end)+1) // behind the comma
	}
	return o
}

func (o *Object) add(key string, value json.RawMessage) {
	if old, ok := o.fields[key]; ok {
		if !bytes.Equal(old, value) {
			o.fail("key %q is given twice, as %.40s and %.40s; keep one of them", o.path+key, old, value)
		}
		return
	}
	o.keys = append(o.keys, key)
	o.fields[key] = value
}

func (o Object) fail(format string, args ...any) {
	if o.err != nil && *o.err == nil {
		*o.err = fmt.Errorf(format, args...)
	}
}

// Err returns the first thing that could not be trusted in what was looked up, here
// and in all objects of the same value.
func (o Object) Err() error {
	if o.err == nil {
		return nil
	}
	return *o.err
}

// Keys are in the order of the file.
func (o Object) Keys() []string { return o.keys }

// Has reports whether there is such a key, whatever its value.
func (o Object) Has(key string) bool {
	_, ok := o.fields[key]
	return ok
}

// Object follows keys into nested objects; an empty Object if there is none.
func (o Object) Object(keys ...string) Object {
	for _, key := range keys {
		o = newObject(o.fields[key], o.path+key+".", o.err)
	}
	return o
}

// Number returns a number, also one in quotes, NaN if there is none. Numbers that
// stand for none (null, NaN, Infinity) are NaN.
func (o Object) Number(key string) float64 {
	text := string(o.fields[key])
	if quoted, ok := o.text(key); ok {
		text = strings.TrimSpace(quoted)
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && !math.IsInf(v, 0):
		return v
	case err != nil && math.IsInf(v, 0): // out of range, and not the word
		o.fail("key %q: the number %.40s is too large", o.path+key, text)
	}
	return math.NaN()
}

// True reports whether the value is true.
func (o Object) True(key string) bool { return string(o.fields[key]) == "true" }

// Text returns a string, "" if there is none.
func (o Object) Text(key string) string {
	text, _ := o.text(key)
	return text
}

func (o Object) text(key string) (string, bool) {
	value := o.fields[key]
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		o.fail("key %q: %w", o.path+key, err)
		return "", false
	}
	return text, true
}

// List returns the elements of an array, nil if there is none.
func (o Object) List(key string) []json.RawMessage { return Elements(o.fields[key]) }

// Elements returns the elements of a value that is an array, nil of any other.
func Elements(value json.RawMessage) []json.RawMessage {
	if len(value) == 0 || value[0] != '[' {
		return nil
	}
	var elements []json.RawMessage
	for at := skipBlanks(value, 1); at < len(value) && value[at] != ']'; {
		end := valueEnd(value, at)
		elements = append(elements, value[at:end])
		at = skipBlanks(value, skipBlanks(value, end)+1) // behind the comma
	}
	return elements
}

// Objects returns the elements of an array as objects that share this object's error;
// an element of another kind is an empty object.
func (o Object) Objects(key string) []Object {
	list := o.List(key)
	objects := make([]Object, len(list))
	for i, value := range list {
		objects[i] = newObject(value, fmt.Sprintf("%s%s[%d].", o.path, key, i), o.err)
	}
	return objects
}
