package jinja

import (
	"fmt"
	"slices"
)

// Bounds of how deep statements and expressions nest, and of how many operators
// follow each other: each is a level when it is evaluated.
const (
	maxDepth = 150
	maxChain = 1000
)

// parser reads tokens into nodes (jinja2 3.1, parser.py).
type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) current() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

// skip takes the next token if it is this one.
func (p *parser) skip(text string) bool {
	if p.current().is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.skip(text) {
		return p.unexpected("'" + text + "'")
	}
	return nil
}

func (p *parser) name() (string, error) {
	if p.current().kind != tokenName {
		return "", p.unexpected("a name")
	}
	return p.next().text, nil
}

func (p *parser) unexpected(wanted string) error {
	t := p.current()
	return fmt.Errorf("line %d: unexpected %v, wanted %s", t.line, t, wanted)
}

// enter counts a level of nesting; the caller leaves it by p.depth--.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return fmt.Errorf("line %d: the template is nested more than %d deep", p.current().line, maxDepth)
	}
	return nil
}

// link checks the length of a chain of operators.
func (p *parser) link(n int) error {
	if n > maxChain {
		return fmt.Errorf("line %d: more than %d operators follow each other, which is nested too deep", p.current().line, maxChain)
	}
	return nil
}

// body reads statements up to one of the tags in ends, whose name it takes.
// Without ends it reads to the end of the template.
func (p *parser) body(ends ...string) ([]statement, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer func() { p.depth-- }()
	var body []statement
	for {
		t := p.next()
		switch {
		case t.kind == tokenEnd:
			if len(ends) > 0 {
				return nil, "", fmt.Errorf("line %d: the template ends, wanted {%% %s %%}", t.line, ends[0])
			}
			return body, "", nil
		case t.kind == tokenText:
			body = append(body, textStatement(t.text))
		case t.text == "{{":
			value, err := p.tuple(true)
			if err != nil {
				return nil, "", err
			}
			if err := p.expect("}}"); err != nil {
				return nil, "", err
			}
			body = append(body, printStatement{value, t.line})
		default:
			if name := p.current(); name.kind == tokenName && slices.Contains(ends, name.text) {
				p.next()
				return body, name.text, nil
			}
			s, err := p.statement()
			if err != nil {
				return nil, "", err
			}
			body = append(body, s)
		}
	}
}

// block reads a body up to {% end %}, after the end of the tag before.
func (p *parser) block(end string) ([]statement, error) {
	if err := p.expect("%}"); err != nil {
		return nil, err
	}
	body, _, err := p.body(end)
	if err != nil {
		return nil, err
	}
	return body, p.expect("%}")
}

// statement reads a statement from its name on.
func (p *parser) statement() (statement, error) {
	line := p.current().line
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	switch name {
	case "for":
		return p.forStatement(line)
	case "if":
		return p.ifStatement(line)
	case "set":
		return p.setStatement(line)
	case "macro":
		return p.macroStatement(line)
	case "call":
		return p.callStatement(line)
	case "filter":
		return p.filterStatement(line)
	case "with":
		return p.withStatement(line)
	case "generation": // marks the assistant's words; changes nothing
		body, err := p.block("endgeneration")
		return scopeStatement{body: body, line: line}, err
	case "break":
		return loopControl{errBreak, line}, p.expect("%}")
	case "continue":
		return loopControl{errContinue, line}, p.expect("%}")
	case "include", "import", "from", "extends", "block":
		return nil, fmt.Errorf("line %d: {%% %s %%} is not supported: a chat template stands alone", line, name)
	}
	return nil, fmt.Errorf("line %d: unknown statement {%% %s %%}", line, name)
}

// target reads what is assigned to: names, or one attribute of a namespace.
func (p *parser) target() (target, error) {
	var t target
	paren := p.skip("(")
	for {
		name, err := p.name()
		if err != nil {
			return t, err
		}
		t.names = append(t.names, name)
		if len(t.names) == 1 && !paren && p.skip(".") {
			t.attribute, err = p.name()
			return t, err
		}
		if !p.skip(",") {
			break
		}
		t.tuple = true
		if p.current().kind != tokenName || p.current().is("in") {
			break
		}
	}
	if paren {
		return t, p.expect(")")
	}
	return t, nil
}

func (p *parser) forStatement(line int) (statement, error) {
	s := &forStatement{line: line}
	var err error
	if s.target, err = p.target(); err != nil {
		return nil, err
	}
	if s.target.attribute != "" {
		return nil, fmt.Errorf("line %d: a loop cannot assign to an attribute", line)
	}
	if err := p.expect("in"); err != nil {
		return nil, err
	}
	if s.over, err = p.tuple(false); err != nil {
		return nil, err
	}
	if p.skip("if") {
		if s.filter, err = p.expression(); err != nil {
			return nil, err
		}
	}
	s.recursive = p.skip("recursive")
	if err := p.expect("%}"); err != nil {
		return nil, err
	}
	var end string
	if s.body, end, err = p.body("endfor", "else"); err != nil {
		return nil, err
	}
	if end == "else" {
		s.otherwise, err = p.block("endfor")
		return s, err
	}
	return s, p.expect("%}")
}

func (p *parser) ifStatement(line int) (statement, error) {
	s := &ifStatement{line: line}
	for {
		condition, err := p.tuple(false)
		if err != nil {
			return nil, err
		}
		if err := p.expect("%}"); err != nil {
			return nil, err
		}
		body, end, err := p.body("elif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.branches = append(s.branches, branch{condition, body})
		switch end {
		case "else":
			s.otherwise, err = p.block("endif")
			return s, err
		case "endif":
			return s, p.expect("%}")
		}
	}
}

func (p *parser) setStatement(line int) (statement, error) {
	s := &setStatement{line: line}
	var err error
	if s.target, err = p.target(); err != nil {
		return nil, err
	}
	if p.skip("=") {
		if s.value, err = p.tuple(true); err != nil {
			return nil, err
		}
		return s, p.expect("%}")
	}
	if s.filters, err = p.filters(captured{}); err != nil {
		return nil, err
	}
	s.body, err = p.block("endset")
	return s, err
}

// parameters reads the parameters of a macro.
func (p *parser) parameters() ([]parameter, error) {
	var list []parameter
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.skip(")") {
		if len(list) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		one := parameter{name: name}
		if p.skip("=") {
			if one.preset, err = p.expression(); err != nil {
				return nil, err
			}
		}
		list = append(list, one)
	}
	return list, nil
}

func (p *parser) macroStatement(line int) (statement, error) {
	m := &macro{line: line}
	var err error
	if m.name, err = p.name(); err != nil {
		return nil, err
	}
	if m.parameters, err = p.parameters(); err != nil {
		return nil, err
	}
	m.body, err = p.block("endmacro")
	return macroStatement{m}, err
}

func (p *parser) callStatement(line int) (statement, error) {
	caller := &macro{name: "caller", line: line}
	var err error
	if p.current().is("(") {
		if caller.parameters, err = p.parameters(); err != nil {
			return nil, err
		}
	}
	value, err := p.expression()
	if err != nil {
		return nil, err
	}
	call, ok := value.(*callExpression)
	if !ok {
		return nil, fmt.Errorf("line %d: {%% call %%} of what is not a call", line)
	}
	caller.body, err = p.block("endcall")
	call.caller = caller
	return printStatement{call, line}, err
}

func (p *parser) filterStatement(line int) (statement, error) {
	p.at-- // a filter's name follows as if after a bar
	p.tokens[p.at] = token{tokenOperator, "|", line}
	filters, err := p.filters(captured{})
	if err != nil {
		return nil, err
	}
	body, err := p.block("endfilter")
	return &filterStatement{filters, body, line}, err
}

func (p *parser) withStatement(line int) (statement, error) {
	s := scopeStatement{line: line}
	for !p.current().is("%}") {
		if len(s.values) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		to, err := p.target()
		if err != nil {
			return nil, err
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		s.targets = append(s.targets, to)
		s.values = append(s.values, value)
	}
	var err error
	s.body, err = p.block("endwith")
	return s, err
}
