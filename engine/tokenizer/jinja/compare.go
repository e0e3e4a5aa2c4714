package jinja

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxComparisons bounds the items that == looks at.
const maxComparisons = 1 << 20

// equal is Python's ==; values that are too large to compare are not equal.
func equal(a, b any) bool {
	left := maxComparisons
	return equalWithin(a, b, &left)
}

// equalWithin counts left down, and gives up below 0.
func equalWithin(a, b any, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	if x, ok := float(a); ok {
		y, ok := float(b)
		return ok && x == y
	}
	if x, ok := a.(*Dict); ok {
		y, ok := b.(*Dict)
		if !ok || len(x.keys) != len(y.keys) {
			return false
		}
		for i, key := range x.keys {
			if v, ok := y.get(key); !ok || !equalWithin(x.values[i], v, left) {
				return false
			}
		}
		return true
	}
	if x, ok := sequence(a); ok {
		y, ok := sequence(b)
		_, xt := a.(Tuple)
		_, yt := b.(Tuple)
		return ok && xt == yt && slices.EqualFunc(x, y, func(a, b any) bool { return equalWithin(a, b, left) })
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case string:
		y, ok := b.(string)
		return ok && x == y
	case *namespace, *loopState:
		return a == b
	}
	return false
}

// order compares two values as Python's < does.
func order(a, b any) (int, error) {
	if x, ok := float(a); ok {
		if y, ok := float(b); ok {
			return cmp.Compare(x, y), nil
		}
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), nil
		}
	}
	x, xOK := sequence(a)
	y, yOK := sequence(b)
	if xOK && yOK {
		for i := range min(len(x), len(y)) {
			if !equal(x[i], y[i]) {
				return order(x[i], y[i])
			}
		}
		return cmp.Compare(len(x), len(y)), nil
	}
	return 0, fmt.Errorf("'%s' and '%s' cannot be ordered", typeName(a), typeName(b))
}

// compare applies a comparison.
func compare(operator string, a, b any) (bool, error) {
	switch operator {
	case "==", "!=":
		left := maxComparisons
		same := equalWithin(a, b, &left)
		if left < 0 {
			return false, errors.New("the values are too large to compare")
		}
		return same == (operator == "=="), nil
	case "in":
		return contains(b, a)
	case "not in":
		in, err := contains(b, a)
		return !in, err
	}
	n, err := order(a, b)
	switch operator {
	case "<":
		return n < 0, err
	case "<=":
		return n <= 0, err
	case ">":
		return n > 0, err
	}
	return n >= 0, err
}

// contains is Python's in.
func contains(container, item any) (bool, error) {
	switch c := container.(type) {
	case undefined:
		return false, nil
	case string:
		s, ok := item.(string)
		if !ok {
			return false, fmt.Errorf("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(c, s), nil
	case *Dict:
		_, ok := c.get(item)
		return ok, nil
	}
	items, ok := sequence(container)
	if !ok {
		return false, fmt.Errorf("argument of type '%s' is not iterable", typeName(container))
	}
	return slices.ContainsFunc(items, func(v any) bool { return equal(v, item) }), nil
}
