package jinja

import (
	"errors"
	"fmt"
)

// expression is a node with a value.
type expression interface {
	eval(f *frame) (any, error)
}

type literal struct{ value any }

func (e literal) eval(*frame) (any, error) { return e.value, nil }

type nameExpression string

func (e nameExpression) eval(f *frame) (any, error) { return f.lookup(string(e)), f.run.step() }

// captured is the text of the block whose filters are applied.
type captured struct{}

func (captured) eval(f *frame) (any, error) { return f.run.captured, nil }

type listExpression struct {
	items []expression
	tuple bool
}

func (e listExpression) eval(f *frame) (any, error) {
	if err := f.run.chargeItems(len(e.items)); err != nil {
		return nil, err
	}
	items, err := evalAll(f, e.items)
	if err != nil {
		return nil, err
	}
	if e.tuple {
		return Tuple(items), nil
	}
	return items, nil
}

func evalAll(f *frame, list []expression) ([]any, error) {
	items := make([]any, len(list))
	for i, e := range list {
		var err error
		if items[i], err = e.eval(f); err != nil {
			return nil, err
		}
	}
	return items, f.run.step()
}

type dictExpression struct{ keys, values []expression }

func (e dictExpression) eval(f *frame) (any, error) {
	keys, err := evalAll(f, e.keys)
	if err != nil {
		return nil, err
	}
	values, err := evalAll(f, e.values)
	if err != nil {
		return nil, err
	}
	d := &Dict{}
	for i, key := range keys {
		if err := d.set(key, values[i]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// conditional is "then if condition else otherwise".
type conditional struct{ then, condition, otherwise expression }

func (e *conditional) eval(f *frame) (any, error) {
	v, err := e.condition.eval(f)
	switch {
	case err != nil:
		return nil, err
	case truth(v):
		return e.then.eval(f)
	case e.otherwise == nil:
		return undefined("the inline if-expression evaluated to false and no else section was defined"), nil
	}
	return e.otherwise.eval(f)
}

type notExpression struct{ operand expression }

func (e notExpression) eval(f *frame) (any, error) {
	v, err := e.operand.eval(f)
	return !truth(v), err
}

// binary is an operator between two values; a sign is one with 0 on the left.
type binary struct {
	operator    string
	left, right expression
	line        int
}

func (e *binary) eval(f *frame) (any, error) {
	if err := f.run.step(); err != nil {
		return nil, err
	}
	left, err := e.left.eval(f)
	if err != nil {
		return nil, err
	}
	if e.operator == "and" && !truth(left) || e.operator == "or" && truth(left) {
		return left, nil
	}
	right, err := e.right.eval(f)
	if err != nil || e.operator == "and" || e.operator == "or" {
		return right, err
	}
	v, err := f.run.operate(e.operator, left, right)
	return v, at(e.line, err)
}

// comparison is a chain: first op operand op operand …
type comparison struct {
	first     expression
	operators []string
	operands  []expression
	line      int
}

func (e *comparison) eval(f *frame) (any, error) {
	if err := f.run.step(); err != nil {
		return nil, err
	}
	left, err := e.first.eval(f)
	if err != nil {
		return nil, err
	}
	for i, operator := range e.operators {
		right, err := e.operands[i].eval(f)
		if err != nil {
			return nil, err
		}
		holds, err := compare(operator, left, right)
		if err != nil {
			return nil, at(e.line, err)
		}
		if !holds {
			return false, nil
		}
		left = right
	}
	return true, nil
}

// attribute is value.name: a method or attribute, else an item.
type attribute struct {
	value expression
	name  string
	line  int
}

func (e *attribute) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(undefined); ok {
		return nil, at(e.line, errors.New(string(u)))
	}
	if got, ok := attributeOf(f.run, v, e.name); ok {
		return got, f.run.step()
	}
	if got, ok := itemOf(v, e.name); ok {
		return got, f.run.step()
	}
	return undefined(fmt.Sprintf("'%s' has no attribute '%s'", typeName(v), e.name)), f.run.step()
}

// item is value[index]: an item, else an attribute.
type item struct {
	value, index expression
	line         int
}

func (e *item) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	index, err := e.index.eval(f)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(undefined); ok {
		return nil, at(e.line, errors.New(string(u)))
	}
	if got, ok := itemOf(v, index); ok {
		return got, f.run.step()
	}
	if name, ok := index.(string); ok {
		if got, ok := attributeOf(f.run, v, name); ok {
			return got, f.run.step()
		}
		return undefined(fmt.Sprintf("'%s' has no attribute '%s'", typeName(v), name)), f.run.step()
	}
	return undefined(fmt.Sprintf("%s has no element %s", typeName(v), repr(index))), f.run.step()
}

// slice is value[start:stop:step].
type slice struct {
	value  expression
	bounds [3]expression
	line   int
}

func (e *slice) eval(f *frame) (any, error) {
	v, err := e.value.eval(f)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int
	for i, b := range e.bounds {
		if b == nil {
			continue
		}
		bound, err := b.eval(f)
		if err != nil {
			return nil, err
		}
		if bound == nil {
			continue
		}
		n, ok := integer(bound)
		if !ok {
			return nil, at(e.line, fmt.Errorf("a slice by %s", repr(bound)))
		}
		bounds[i] = &n
	}
	got, err := f.run.slice(v, bounds)
	return got, at(e.line, err)
}

// Function is what a template can call.
type Function func(c Call) (any, error)

// Call are the arguments of a call. For a filter or test, the value is the
// first argument.
type Call struct {
	Arguments []any
	Named     map[string]any

	run    *run
	order  []string // names of Named, as they were written
	caller any      // of a call block
}

// argument returns argument i, or the one of that name, or the default.
func (c Call) argument(i int, name string, preset any) any {
	if i < len(c.Arguments) {
		return c.Arguments[i]
	}
	if v, ok := c.Named[name]; ok {
		return v
	}
	return preset
}

// callExpression calls a function, or applies a filter or test to first.
type callExpression struct {
	function  expression
	first     expression
	arguments []expression
	names     []string
	named     []expression
	caller    *macro
	line      int
}

func (e *callExpression) eval(f *frame) (any, error) {
	v, err := e.function.eval(f)
	if err != nil {
		return nil, err
	}
	function, ok := v.(Function)
	if !ok {
		if loop, isLoop := v.(*loopState); isLoop && loop.recurse != nil {
			function = func(c Call) (any, error) { return loop.recurse(c.argument(0, "", nil)) }
		} else if u, isUndefined := v.(undefined); isUndefined {
			return nil, at(e.line, errors.New(string(u)))
		} else {
			return nil, at(e.line, fmt.Errorf("'%s' cannot be called", typeName(v)))
		}
	}
	c := Call{run: f.run}
	if e.first != nil {
		first, err := e.first.eval(f)
		if err != nil {
			return nil, err
		}
		c.Arguments = append(c.Arguments, first)
	}
	arguments, err := evalAll(f, e.arguments)
	if err != nil {
		return nil, err
	}
	c.Arguments = append(c.Arguments, arguments...)
	named, err := evalAll(f, e.named)
	if err != nil {
		return nil, err
	}
	if len(named) > 0 {
		c.Named, c.order = make(map[string]any, len(named)), e.names
		for i, name := range e.names {
			c.Named[name] = named[i]
		}
	}
	if e.caller != nil {
		c.caller = e.caller.function(f)
	}
	got, err := function(c)
	return got, at(e.line, err)
}
