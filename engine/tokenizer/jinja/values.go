package jinja

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// undefined is a variable, attribute or item that is not there; its text says
// which. It prints as nothing, and using it is an error.
type undefined string

// Tuple is a list that cannot change; it prints with parentheses.
type Tuple []any

// Dict is a dict in the order of insertion. The zero value is empty.
type Dict struct {
	keys   []any
	values []any
	index  map[any]int
}

// NewDict returns a dict of these keys and values, which alternate. Keys are
// strings.
func NewDict(pairs ...any) *Dict {
	d := &Dict{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := d.set(pairs[i], pairs[i+1]); err != nil {
			panic("jinja: " + err.Error())
		}
	}
	return d
}

// hashable returns what a key is found by: numbers that are equal are one key.
func hashable(key any) (any, bool) {
	switch k := key.(type) {
	case nil, string, int:
		return k, true
	case bool:
		if k {
			return 1, true
		}
		return 0, true
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int(k), true
		}
		return k, true
	}
	return nil, false
}

func (d *Dict) set(key, value any) error {
	hash, ok := hashable(key)
	if !ok {
		return fmt.Errorf("unhashable type: '%s'", typeName(key))
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	if i, ok := d.index[hash]; ok {
		d.values[i] = value
		return nil
	}
	d.index[hash] = len(d.keys)
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	return nil
}

func (d *Dict) get(key any) (any, bool) {
	hash, ok := hashable(key)
	if !ok {
		return nil, false
	}
	i, ok := d.index[hash]
	if !ok {
		return nil, false
	}
	return d.values[i], true
}

// namespace is what namespace() makes: variables that outlive loops.
type namespace struct{ vars map[string]any }

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case undefined:
		return "Undefined"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *namespace:
		return "namespace"
	case *loopState:
		return "loop"
	}
	return "function"
}

// sizeOf estimates the bytes that a value prints as. It stops past limit: a list
// that holds another twice, which holds another twice, has no end in sight.
func sizeOf(v any, limit int) int {
	n := 8
	switch v := v.(type) {
	case string:
		return 8 + len(v)
	case []any:
		for _, item := range v {
			if n > limit {
				break
			}
			n += sizeOf(item, limit-n)
		}
	case Tuple:
		return sizeOf([]any(v), limit)
	case *Dict:
		n += sizeOf(v.keys, limit-n)
		n += sizeOf(v.values, limit-n)
	}
	return n
}

// truth is Python's bool().
func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case Tuple:
		return len(v) > 0
	case *Dict:
		return len(v.keys) > 0
	}
	return true
}

// integer returns the int that v is; true is 1.
func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// float returns the number that v is.
func float(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := integer(v)
	return float64(n), ok
}

// sequence returns the items of a list or tuple.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case Tuple:
		return v, true
	}
	return nil, false
}

// iterate returns what a loop over v sees.
func (r *run) iterate(v any) ([]any, error) {
	switch v := v.(type) {
	case undefined:
		return nil, nil
	case []any:
		return v, nil
	case Tuple:
		return v, nil
	case *Dict:
		return v.keys, nil
	case string:
		if err := r.chargeItems(len(v)); err != nil {
			return nil, err
		}
		items := make([]any, 0, len(v))
		for _, c := range v {
			items = append(items, string(c))
		}
		return items, nil
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
}

// length is Python's len().
func length(v any) (int, error) {
	switch v := v.(type) {
	case undefined:
		return 0, nil
	case string:
		return utf8.RuneCountInString(v), nil
	case *Dict:
		return len(v.keys), nil
	}
	if items, ok := sequence(v); ok {
		return len(items), nil
	}
	return 0, fmt.Errorf("object of type '%s' has no len()", typeName(v))
}

// itemOf is v[index] if it is there.
func itemOf(v, index any) (any, bool) {
	if d, ok := v.(*Dict); ok {
		return d.get(index)
	}
	n, ok := integer(index)
	if !ok {
		return nil, false
	}
	if s, ok := v.(string); ok {
		return runeAt(s, n)
	}
	items, ok := sequence(v)
	if n < 0 {
		n += len(items)
	}
	if !ok || n < 0 || n >= len(items) {
		return nil, false
	}
	return items[n], true
}

func runeAt(s string, n int) (any, bool) {
	if n < 0 {
		n += utf8.RuneCountInString(s)
	}
	for _, r := range s {
		if n == 0 {
			return string(r), true
		}
		n--
	}
	return nil, false
}

// slice is v[start:stop:step].
func (r *run) slice(v any, bounds [3]*int) (any, error) {
	var items []any
	s, isText := v.(string)
	runes := []rune(nil)
	n := 0
	if isText {
		if err := r.charge(4 * len(s)); err != nil {
			return nil, err
		}
		runes = []rune(s)
		n = len(runes)
	} else {
		list, ok := sequence(v)
		if !ok {
			return nil, fmt.Errorf("'%s' object is not subscriptable by a slice", typeName(v))
		}
		items, n = list, len(list)
	}
	step := 1
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, errors.New("slice step cannot be zero")
	}
	at := sliceIndices(n, step, bounds[0], bounds[1])
	if err := r.chargeItems(len(at)); err != nil {
		return nil, err
	}
	if isText {
		out := make([]rune, len(at))
		for i, index := range at {
			out[i] = runes[index]
		}
		return string(out), nil
	}
	out := make([]any, len(at))
	for i, index := range at {
		out[i] = items[index]
	}
	if _, ok := v.(Tuple); ok {
		return Tuple(out), nil
	}
	return out, nil
}

// sliceIndices are the indices of a slice of n items, as Python has them.
func sliceIndices(n, step int, start, stop *int) []int {
	low, high := 0, n
	from, to := 0, n
	if step < 0 {
		low, high = -1, n-1
		from, to = n-1, -1
	}
	bound := func(given *int, preset int) int {
		if given == nil {
			return preset
		}
		b := *given
		if b < 0 {
			b += n
		}
		return min(max(b, low), high)
	}
	from, to = bound(start, from), bound(stop, to)
	var at []int
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		at = append(at, i)
		if step > 0 && i > to-step || step < 0 && i < to-step {
			break // the next index could overflow
		}
	}
	return at
}
