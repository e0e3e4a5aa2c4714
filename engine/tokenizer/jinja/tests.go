package jinja

import "fmt"

// tests are jinja2's tests, by name. The value is the first argument.
var tests = map[string]Function{
	// These names are for select and its kin: no "is" can spell them.
	"==": comparing("=="), "!=": comparing("!="), "<": comparing("<"), "<=": comparing("<="), ">": comparing(">"), ">=": comparing(">="),

	"boolean":     is(func(v any) bool { _, ok := v.(bool); return ok }),
	"callable":    is(func(v any) bool { _, ok := v.(Function); return ok }),
	"defined":     is(func(v any) bool { _, missing := v.(undefined); return !missing }),
	"divisibleby": divisible,
	"eq":          comparing("=="), "equalto": comparing("=="),
	"even":  parity(0),
	"false": is(func(v any) bool { return v == false }),
	"float": is(func(v any) bool { _, ok := v.(float64); return ok }),
	"ge":    comparing(">="), "gt": comparing(">"), "greaterthan": comparing(">"),
	"in":       func(c Call) (any, error) { return contains(c.argument(1, "", nil), c.Arguments[0]) },
	"integer":  is(func(v any) bool { _, ok := v.(int); return ok }),
	"iterable": is(iterable),
	"le":       comparing("<="), "lt": comparing("<"), "lessthan": comparing("<"),
	"lower":   func(c Call) (any, error) { return stringMethods["islower"](c.run, plain(c), Call{}) },
	"mapping": is(func(v any) bool { _, ok := v.(*Dict); return ok }),
	"ne":      comparing("!="),
	"none":    is(func(v any) bool { return v == nil }),
	"number":  is(func(v any) bool { _, ok := float(v); return ok }),
	"odd":     parity(1),
	"sameas":  func(c Call) (any, error) { return sameAs(c.Arguments[0], c.argument(1, "other", nil)), nil },
	"sequence": is(func(v any) bool {
		_, err := length(v)
		return err == nil
	}),
	"string":    is(func(v any) bool { _, ok := v.(string); return ok }),
	"true":      is(func(v any) bool { return v == true }),
	"undefined": is(func(v any) bool { _, missing := v.(undefined); return missing }),
	"upper":     func(c Call) (any, error) { return stringMethods["isupper"](c.run, plain(c), Call{}) },
}

// plain is the value as a string, "" for others, which have no case.
func plain(c Call) string {
	s, _ := c.Arguments[0].(string)
	return s
}

func is(f func(any) bool) Function {
	return func(c Call) (any, error) { return f(c.Arguments[0]), nil }
}

func comparing(operator string) Function {
	return func(c Call) (any, error) {
		if len(c.Arguments) != 2 {
			return nil, fmt.Errorf("a comparison with %d values", len(c.Arguments)-1)
		}
		return compare(operator, c.Arguments[0], c.Arguments[1])
	}
}

func parity(rest int) Function {
	return func(c Call) (any, error) {
		n, ok := integer(c.Arguments[0])
		if !ok {
			return nil, fmt.Errorf("odd or even of a '%s'", typeName(c.Arguments[0]))
		}
		return n&1 == rest, nil
	}
}

func divisible(c Call) (any, error) {
	n, ok := integer(c.Arguments[0])
	by, byOK := integer(c.argument(1, "num", nil))
	if !ok || !byOK || by == 0 {
		return nil, fmt.Errorf("divisibleby of %s", repr(c.Arguments[0]))
	}
	return n%by == 0, nil
}

func iterable(v any) bool {
	switch v.(type) {
	case undefined, string, []any, Tuple, *Dict:
		return true
	}
	return false
}

// sameAs is Python's "is" as far as values without identity have it.
func sameAs(a, b any) bool {
	switch a.(type) {
	case nil, bool, int, string:
		return typeName(a) == typeName(b) && equal(a, b)
	case *Dict, *namespace:
		return a == b
	}
	return false
}
