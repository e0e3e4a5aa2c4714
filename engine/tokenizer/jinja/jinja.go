// Package jinja renders Jinja templates as chat templates use them: jinja2 3.1
// with trim_blocks, lstrip_blocks and loop controls, without autoescape.
//
// It knows the statements for, if, set, macro, call, filter, with, raw, break,
// continue and generation (which renders its body), all of jinja2's
// expressions but unpacked arguments, Python's methods of strings, lists and
// dicts that change nothing, and the filters and tests listed in filters.go
// and tests.go. What is not known is an error when the template is parsed, or
// when it is reached.
//
// Values of a template are nil, bool, int, float64, string, []any (a list),
// Tuple, *[Dict], and [Function]; they print as in Python.
//
// A rendering is bounded: in steps, in time, in the bytes that its strings and
// lists take together, and in how deep it nests. A template may come from
// anywhere: it reaches nothing but the variables that it is given.
//
// # Deviations
//
// Integers have 64 bits, and an operation that exceeds them is an error.
// A variable is looked up when it is used; jinja2 decides per scope.
package jinja

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of a template and of a rendering. The templates of published models
// have at most some 20 KB.
const (
	maxSource   = 256 << 10       // bytes of a template
	maxSteps    = 2_000_000       // nodes that a rendering visits
	maxBytes    = 256 << 20       // bytes that a rendering makes, past 64 times its variables' …
	maxValue    = 16 << 20        // … and bytes or items of one value, past twice theirs
	maxTime     = 5 * time.Second // of a rendering
	maxFrames   = 300             // macros and loops inside each other
	inputFactor = 64
	maxInput    = 1 << 30
)

// Template is a parsed template. It does not change and is safe for concurrent
// use.
type Template struct {
	body []statement
}

// Parse reads a template. An error says the line.
func Parse(source string) (*Template, error) {
	if len(source) > maxSource {
		return nil, fmt.Errorf("the template has %d bytes; at most %d are supported", len(source), maxSource)
	}
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	body, _, err := p.body()
	if err != nil {
		return nil, err
	}
	return &Template{body}, nil
}

// Render returns the text of a template with these variables. An error says
// the line of the statement or expression that failed.
func (t *Template) Render(variables map[string]any) (string, error) {
	input := 0
	for _, v := range variables {
		input += sizeOf(v, maxInput)
	}
	r := &run{filters: filters, deadline: time.Now().Add(maxTime), bytes: maxBytes + inputFactor*input, value: maxValue + 2*input}
	globals := &frame{run: r, vars: builtins()}
	for name, v := range variables {
		globals.vars[name] = v
	}
	var out strings.Builder
	r.out = &out
	top := globals.inner()
	if err := top.execute(t.body); err != nil {
		if errors.Is(err, errBreak) || errors.Is(err, errContinue) {
			return "", fmt.Errorf("{%% %w %%} outside of a loop", err)
		}
		return "", err
	}
	return out.String(), nil
}

// run is one rendering.
type run struct {
	filters  map[string]Function
	out      *strings.Builder
	captured string // what the block whose filters are applied rendered
	steps    int
	frames   int
	bytes    int // that may still be made
	value    int // bytes that one value may have
	deadline time.Time
}

// step counts a node.
func (r *run) step() error {
	r.steps++
	if r.steps > maxSteps {
		return fmt.Errorf("the template takes more than %d steps", maxSteps)
	}
	if r.steps%1024 == 0 && time.Now().After(r.deadline) {
		return fmt.Errorf("the template takes more than %v", maxTime)
	}
	return nil
}

// charge counts n bytes, or list items, that are about to be made.
func (r *run) charge(n int) error {
	if n > r.value {
		return fmt.Errorf("the template makes a value of more than %d bytes", r.value)
	}
	if r.bytes -= n; r.bytes < 0 {
		return errors.New("the template makes too much text")
	}
	return nil
}

// chargeItems counts n items of a list.
func (r *run) chargeItems(n int) error { return r.charge(16 * n) }

// write adds text to the output.
func (r *run) write(text string) error {
	if err := r.charge(r.out.Len() + len(text)); err != nil {
		return err
	}
	r.bytes += r.out.Len() // only what is added counts against the sum
	r.out.WriteString(text)
	return nil
}

// frame is a scope.
type frame struct {
	run    *run
	vars   map[string]any
	parent *frame
}

func (f *frame) inner() *frame { return &frame{run: f.run, vars: map[string]any{}, parent: f} }

// lookup finds a variable, or an undefined value.
func (f *frame) lookup(name string) any {
	for ; f != nil; f = f.parent {
		if v, ok := f.vars[name]; ok {
			return v
		}
	}
	return undefined(fmt.Sprintf("'%s' is undefined", name))
}

// capture executes a body and returns what it writes.
func (f *frame) capture(body []statement) (string, error) {
	outer := f.run.out
	var inner strings.Builder
	f.run.out = &inner
	err := f.execute(body)
	f.run.out = outer
	return inner.String(), err
}

func (f *frame) execute(body []statement) error {
	for _, s := range body {
		if err := f.run.step(); err != nil {
			return err
		}
		if err := s.execute(f); err != nil {
			return err
		}
	}
	return nil
}

// enter counts a macro or loop; the caller leaves it by frames--.
func (r *run) enter() error {
	r.frames++
	if r.frames > maxFrames {
		return fmt.Errorf("the template calls itself, or loops, more than %d deep", maxFrames)
	}
	return nil
}

// lineError is an error with the innermost line that it came through.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// at adds a line to an error that has none.
func at(line int, err error) error {
	var has *lineError
	if err == nil || errors.As(err, &has) || errors.Is(err, errBreak) || errors.Is(err, errContinue) {
		return err
	}
	return &lineError{line, err}
}
