package jinja

import (
	"errors"
	"fmt"
)

// maxRange bounds range().
const maxRange = 100_000

// builtins are the variables of every template.
func builtins() map[string]any {
	return map[string]any{
		"range":     Function(rangeOf),
		"dict":      Function(dictOf),
		"namespace": Function(namespaceOf),
		"joiner":    Function(joiner),
	}
}

func rangeOf(c Call) (any, error) {
	var bounds []int
	for _, a := range c.Arguments {
		n, ok := integer(a)
		if !ok {
			return nil, fmt.Errorf("range of %s", repr(a))
		}
		bounds = append(bounds, n)
	}
	start, stop, step := 0, 0, 1
	switch len(bounds) {
	case 1:
		stop = bounds[0]
	case 2:
		start, stop = bounds[0], bounds[1]
	case 3:
		start, stop, step = bounds[0], bounds[1], bounds[2]
	default:
		return nil, fmt.Errorf("range of %d arguments", len(bounds))
	}
	if step == 0 {
		return nil, errors.New("range with step 0")
	}
	list := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(list) == maxRange {
			return nil, fmt.Errorf("range is longer than %d", maxRange)
		}
		list = append(list, i)
	}
	return list, c.run.chargeItems(len(list))
}

func dictOf(c Call) (any, error) {
	d := &Dict{}
	if len(c.Arguments) > 0 {
		from, ok := c.Arguments[0].(*Dict)
		if !ok {
			return nil, fmt.Errorf("dict of a '%s'", typeName(c.Arguments[0]))
		}
		for i, key := range from.keys {
			if err := d.set(key, from.values[i]); err != nil {
				return nil, err
			}
		}
	}
	return d, addNamed(c, func(name string, v any) error { return d.set(name, v) })
}

func namespaceOf(c Call) (any, error) {
	ns := &namespace{vars: map[string]any{}}
	if d, ok := c.argument(0, "", nil).(*Dict); ok {
		for i, key := range d.keys {
			if name, ok := key.(string); ok {
				ns.vars[name] = d.values[i]
			}
		}
	}
	return ns, addNamed(c, func(name string, v any) error { ns.vars[name] = v; return nil })
}

// addNamed adds named arguments in the order in which they were written.
func addNamed(c Call, add func(name string, v any) error) error {
	for _, name := range c.order {
		if err := add(name, c.Named[name]); err != nil {
			return err
		}
	}
	return nil
}

// joiner returns a function that returns a separator from its second call on.
func joiner(c Call) (any, error) {
	sep, used := c.argument(0, "sep", ", "), false
	return Function(func(Call) (any, error) {
		if !used {
			used = true
			return "", nil
		}
		return sep, nil
	}), nil
}
