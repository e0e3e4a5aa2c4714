package jinja

import (
	"errors"
	"fmt"
)

// statement is a node that writes or assigns.
type statement interface {
	execute(f *frame) error
}

// textStatement is text between tags.
type textStatement string

func (s textStatement) execute(f *frame) error { return f.run.write(string(s)) }

// printStatement is {{ value }}.
type printStatement struct {
	value expression
	line  int
}

func (s printStatement) execute(f *frame) error {
	v, err := s.value.eval(f)
	if err != nil {
		return at(s.line, err)
	}
	text, err := f.run.text(v)
	if err != nil {
		return at(s.line, err)
	}
	return at(s.line, f.run.write(text))
}

// The errors that break and continue travel as, up to their loop.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

type loopControl struct {
	err  error
	line int
}

func (s loopControl) execute(*frame) error { return s.err }

// target is what is assigned to.
type target struct {
	names     []string
	tuple     bool
	attribute string // of the namespace of that name
}

func (t target) assign(f *frame, value any) error {
	switch {
	case t.attribute != "":
		ns, ok := f.lookup(t.names[0]).(*namespace)
		if !ok {
			return fmt.Errorf("'%s' is no namespace, so '%s' cannot be assigned", t.names[0], t.attribute)
		}
		ns.vars[t.attribute] = value
	case !t.tuple:
		f.vars[t.names[0]] = value
	default:
		items, err := f.run.iterate(value)
		if err != nil {
			return err
		}
		if len(items) != len(t.names) {
			return fmt.Errorf("%d values for %d names", len(items), len(t.names))
		}
		for i, name := range t.names {
			f.vars[name] = items[i]
		}
	}
	return nil
}

type branch struct {
	condition expression
	body      []statement
}

type ifStatement struct {
	branches  []branch
	otherwise []statement
	line      int
}

func (s *ifStatement) execute(f *frame) error {
	for _, b := range s.branches {
		v, err := b.condition.eval(f)
		if err != nil {
			return at(s.line, err)
		}
		if truth(v) {
			return f.execute(b.body)
		}
	}
	return f.execute(s.otherwise)
}

// setStatement is {% set x = value %} or {% set x %}body{% endset %}.
type setStatement struct {
	target  target
	value   expression
	filters expression // of the body
	body    []statement
	line    int
}

func (s *setStatement) execute(f *frame) error {
	if s.value != nil {
		v, err := s.value.eval(f)
		if err != nil {
			return at(s.line, err)
		}
		return at(s.line, s.target.assign(f, v))
	}
	text, err := f.inner().capture(s.body)
	if err != nil {
		return err
	}
	v, err := f.filtered(s.filters, text)
	if err != nil {
		return at(s.line, err)
	}
	return at(s.line, s.target.assign(f, v))
}

// filtered applies the filters behind a captured text.
func (f *frame) filtered(filters expression, text string) (any, error) {
	outer := f.run.captured
	f.run.captured = text
	v, err := filters.eval(f)
	f.run.captured = outer
	return v, err
}

type filterStatement struct {
	filters expression
	body    []statement
	line    int
}

func (s *filterStatement) execute(f *frame) error {
	text, err := f.inner().capture(s.body)
	if err != nil {
		return err
	}
	v, err := f.filtered(s.filters, text)
	if err != nil {
		return at(s.line, err)
	}
	if text, err = f.run.text(v); err != nil {
		return at(s.line, err)
	}
	return at(s.line, f.run.write(text))
}

// scopeStatement is a body with variables of its own.
type scopeStatement struct {
	targets []target
	values  []expression
	body    []statement
	line    int
}

func (s scopeStatement) execute(f *frame) error {
	inner := f.inner()
	for i, value := range s.values {
		v, err := value.eval(f)
		if err != nil {
			return at(s.line, err)
		}
		if err := s.targets[i].assign(inner, v); err != nil {
			return at(s.line, err)
		}
	}
	return inner.execute(s.body)
}

// forStatement is a loop.
type forStatement struct {
	target    target
	over      expression
	filter    expression
	recursive bool
	body      []statement
	otherwise []statement
	line      int
}

func (s *forStatement) execute(f *frame) error {
	v, err := s.over.eval(f)
	if err != nil {
		return at(s.line, err)
	}
	return at(s.line, s.loop(f, v, 0))
}

// loop runs the body for each item that the filter lets through.
func (s *forStatement) loop(f *frame, over any, depth int) error {
	if err := f.run.enter(); err != nil {
		return err
	}
	defer func() { f.run.frames-- }()
	items, err := f.run.iterate(over)
	if err != nil {
		return err
	}
	if s.filter != nil {
		if items, err = s.filtered(f, items); err != nil {
			return err
		}
	}
	state := &loopState{items: items, depth: depth}
	if s.recursive {
		state.recurse = func(over any) (string, error) {
			outer := f.run.out
			defer func() { f.run.out = outer }()
			text, err := f.capture([]statement{recursion{s, over, depth + 1}})
			return text, err
		}
	}
	for i, item := range items {
		if err := f.run.step(); err != nil {
			return err
		}
		state.index = i
		inner := f.inner()
		inner.vars["loop"] = state
		if err := s.target.assign(inner, item); err != nil {
			return err
		}
		if err := inner.execute(s.body); errors.Is(err, errBreak) {
			return nil
		} else if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
	if len(items) == 0 {
		return f.inner().execute(s.otherwise)
	}
	return nil
}

func (s *forStatement) filtered(f *frame, items []any) ([]any, error) {
	var kept []any
	for _, item := range items {
		inner := f.inner()
		if err := s.target.assign(inner, item); err != nil {
			return nil, err
		}
		v, err := s.filter.eval(inner)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// recursion is loop(items) inside a recursive loop.
type recursion struct {
	of    *forStatement
	over  any
	depth int
}

func (r recursion) execute(f *frame) error { return r.of.loop(f, r.over, r.depth) }

// loopState is the variable loop.
type loopState struct {
	items   []any
	index   int
	depth   int
	recurse func(over any) (string, error)
	changed any // arguments of the last loop.changed
}

func (l *loopState) attribute(name string) (any, bool) {
	switch name {
	case "index":
		return l.index + 1, true
	case "index0":
		return l.index, true
	case "revindex":
		return len(l.items) - l.index, true
	case "revindex0":
		return len(l.items) - l.index - 1, true
	case "first":
		return l.index == 0, true
	case "last":
		return l.index == len(l.items)-1, true
	case "length":
		return len(l.items), true
	case "depth":
		return l.depth + 1, true
	case "depth0":
		return l.depth, true
	case "previtem":
		if l.index > 0 {
			return l.items[l.index-1], true
		}
		return undefined("there is no previous item"), true
	case "nextitem":
		if l.index+1 < len(l.items) {
			return l.items[l.index+1], true
		}
		return undefined("there is no next item"), true
	case "cycle":
		return Function(func(c Call) (any, error) {
			if len(c.Arguments) == 0 {
				return nil, errors.New("loop.cycle of nothing")
			}
			return c.Arguments[l.index%len(c.Arguments)], nil
		}), true
	case "changed":
		return Function(func(c Call) (any, error) {
			now := any(c.Arguments)
			same := l.changed != nil && equal(l.changed, now)
			l.changed = now
			return !same, nil
		}), true
	}
	return nil, false
}

// parameter is a parameter of a macro.
type parameter struct {
	name   string
	preset expression
}

type macro struct {
	name       string
	parameters []parameter
	body       []statement
	line       int
}

type macroStatement struct{ macro *macro }

func (s macroStatement) execute(f *frame) error {
	f.vars[s.macro.name] = s.macro.function(f)
	return nil
}

// function makes a macro callable; its body sees the scope f.
func (m *macro) function(f *frame) Function {
	return func(c Call) (any, error) {
		if err := f.run.enter(); err != nil {
			return nil, at(m.line, err)
		}
		defer func() { f.run.frames-- }()
		if len(c.Arguments) > len(m.parameters) {
			return nil, fmt.Errorf("macro '%s' takes %d arguments, not %d", m.name, len(m.parameters), len(c.Arguments))
		}
		inner := f.inner()
		if c.caller != nil {
			inner.vars["caller"] = c.caller
		}
		for i, p := range m.parameters {
			named, isNamed := c.Named[p.name]
			switch {
			case i < len(c.Arguments):
				inner.vars[p.name] = c.Arguments[i]
			case isNamed:
				inner.vars[p.name] = named
			case p.preset != nil:
				v, err := p.preset.eval(inner)
				if err != nil {
					return nil, at(m.line, err)
				}
				inner.vars[p.name] = v
			default:
				inner.vars[p.name] = undefined(fmt.Sprintf("parameter '%s' was not provided", p.name))
			}
		}
		return inner.capture(m.body)
	}
}
