package jinja

import (
	"fmt"
	"slices"
	"strconv"
)

// tuple reads expressions with commas between, or one without; conditional
// says whether each may be "a if b else c".
func (p *parser) tuple(conditional bool) (expression, error) {
	read := p.or
	if conditional {
		read = p.expression
	}
	first, err := read()
	if err != nil || !p.current().is(",") {
		return first, err
	}
	items := []expression{first}
	for p.skip(",") {
		if t := p.current(); t.kind == tokenClose || t.is(")") || t.is("=") || t.is("in") {
			break
		}
		item, err := read()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return listExpression{items, true}, nil
}

// expression reads a conditional expression.
func (p *parser) expression() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	value, err := p.or()
	for err == nil && p.current().is("if") {
		p.next()
		c := &conditional{then: value}
		if c.condition, err = p.or(); err != nil {
			return nil, err
		}
		if p.skip("else") {
			if c.otherwise, err = p.expression(); err != nil {
				return nil, err
			}
		}
		value = c
	}
	return value, err
}

// binary reads operands of the next level with these operators between.
func (p *parser) binary(operand func() (expression, error), operators ...string) (expression, error) {
	left, err := operand()
	for n := 0; err == nil; n++ {
		t := p.current()
		if err := p.link(n); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(operators, t.is) {
			return left, nil
		}
		p.next()
		right, rightErr := operand()
		left, err = &binary{t.text, left, right, t.line}, rightErr
	}
	return left, err
}

func (p *parser) or() (expression, error)  { return p.binary(p.and, "or") }
func (p *parser) and() (expression, error) { return p.binary(p.not, "and") }

func (p *parser) not() (expression, error) {
	if p.current().is("not") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer func() { p.depth-- }()
		p.next()
		operand, err := p.not()
		return notExpression{operand}, err
	}
	return p.compare()
}

// compare reads a chain of comparisons: a < b < c.
func (p *parser) compare() (expression, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &comparison{first: first, line: p.current().line}
	for {
		t := p.current()
		operator := t.text
		switch {
		case slices.ContainsFunc([]string{"==", "!=", "<", "<=", ">", ">=", "in"}, t.is):
		case t.is("not") && p.tokens[min(p.at+1, len(p.tokens)-1)].is("in"):
			p.next()
			operator = "not in"
		default:
			if len(c.operators) == 0 {
				return first, nil
			}
			return c, nil
		}
		p.next()
		operand, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.operators = append(c.operators, operator)
		c.operands = append(c.operands, operand)
	}
}

func (p *parser) sum() (expression, error)     { return p.binary(p.concat, "+", "-") }
func (p *parser) concat() (expression, error)  { return p.binary(p.product, "~") }
func (p *parser) product() (expression, error) { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() (expression, error) {
	return p.binary(func() (expression, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(withFilters bool) (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.current()
	var value expression
	var err error
	switch {
	case t.is("-") || t.is("+"):
		p.next()
		operand, operandErr := p.unary(false)
		value, err = &binary{t.text, literal{0}, operand, t.line}, operandErr
	default:
		value, err = p.primary()
	}
	if err == nil {
		value, err = p.postfix(value)
	}
	if err == nil && withFilters {
		value, err = p.filters(value)
	}
	return value, err
}

var constants = map[string]any{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func (p *parser) primary() (expression, error) {
	t := p.next()
	switch {
	case t.kind == tokenName:
		if value, ok := constants[t.text]; ok {
			return literal{value}, nil
		}
		return nameExpression(t.text), nil
	case t.kind == tokenString:
		text := t.text
		for p.current().kind == tokenString {
			text += p.next().text
		}
		return literal{text}, nil
	case t.kind == tokenInteger:
		n, err := strconv.Atoi(t.text)
		if err != nil {
			return nil, fmt.Errorf("line %d: the number %.30s is too large", t.line, t.text)
		}
		return literal{n}, nil
	case t.kind == tokenFloat:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: the number %.30s is too large", t.line, t.text)
		}
		return literal{f}, nil
	case t.is("("):
		if p.skip(")") {
			return listExpression{nil, true}, nil
		}
		value, err := p.tuple(true)
		if err != nil {
			return nil, err
		}
		return value, p.expect(")")
	case t.is("["):
		items, err := p.items("]")
		return listExpression{items, false}, err
	case t.is("{"):
		return p.dict()
	}
	p.at--
	return nil, p.unexpected("a value")
}

// items reads expressions up to end.
func (p *parser) items(end string) ([]expression, error) {
	var items []expression
	for !p.skip(end) {
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.skip(end) {
				break
			}
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func (p *parser) dict() (expression, error) {
	var d dictExpression
	for !p.skip("}") {
		if len(d.keys) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.skip("}") {
				break
			}
		}
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys = append(d.keys, key)
		d.values = append(d.values, value)
	}
	return d, nil
}

// postfix reads attributes, subscripts and calls.
func (p *parser) postfix(value expression) (expression, error) {
	for n := 0; ; n++ {
		t := p.current()
		err := p.link(n)
		if err != nil {
			return nil, err
		}
		switch {
		case t.is("."):
			p.next()
			if n := p.current(); n.kind == tokenInteger {
				p.next()
				index, convErr := strconv.Atoi(n.text)
				value, err = &item{value, literal{index}, t.line}, convErr
				break
			}
			var name string
			name, err = p.name()
			value = &attribute{value, name, t.line}
		case t.is("["):
			p.next()
			value, err = p.subscript(value, t.line)
		case t.is("("):
			value, err = p.call(value)
		default:
			return value, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// subscript reads an index or a slice.
func (p *parser) subscript(value expression, line int) (expression, error) {
	var bounds [3]expression
	colons := 0
	for !p.current().is("]") {
		if p.skip(":") {
			if colons++; colons > 2 {
				return nil, fmt.Errorf("line %d: a slice has more than two colons", line)
			}
			continue
		}
		if bounds[colons] != nil {
			return nil, p.unexpected("']'")
		}
		var err error
		if bounds[colons], err = p.expression(); err != nil {
			return nil, err
		}
	}
	p.next()
	if colons > 0 {
		return &slice{value, bounds, line}, nil
	}
	if bounds[0] == nil {
		return nil, fmt.Errorf("line %d: an empty subscript", line)
	}
	return &item{value, bounds[0], line}, nil
}

// call reads the arguments of a call.
func (p *parser) call(value expression) (*callExpression, error) {
	c := &callExpression{function: value, line: p.current().line}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for n := 0; !p.skip(")"); n++ {
		if n > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.skip(")") {
				break
			}
		}
		if p.current().is("*") || p.current().is("**") {
			return nil, p.unexpected("an argument; unpacking is not supported")
		}
		named := ""
		if t := p.current(); t.kind == tokenName && p.tokens[min(p.at+1, len(p.tokens)-1)].is("=") {
			named = t.text
			p.next()
			p.next()
		}
		argument, err := p.expression()
		if err != nil {
			return nil, err
		}
		if named != "" {
			c.names = append(c.names, named)
			c.named = append(c.named, argument)
			continue
		}
		c.arguments = append(c.arguments, argument)
	}
	return c, nil
}

// filters reads filters, tests and calls behind a value.
func (p *parser) filters(value expression) (expression, error) {
	for n := 0; ; n++ {
		t := p.current()
		err := p.link(n)
		if err != nil {
			return nil, err
		}
		switch {
		case t.is("|"):
			p.next()
			value, err = p.filter(value, t.line)
		case t.is("is"):
			p.next()
			value, err = p.test(value, t.line)
		case t.is("("):
			value, err = p.call(value)
		default:
			return value, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) filter(value expression, line int) (expression, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	f, ok := filters[name]
	if !ok {
		return nil, fmt.Errorf("line %d: the filter %q is not supported", line, name)
	}
	applied := &callExpression{line: line}
	if p.current().is("(") {
		if applied, err = p.call(nil); err != nil {
			return nil, err
		}
	}
	applied.function = literal{f}
	applied.first = value
	return applied, nil
}

func (p *parser) test(value expression, line int) (expression, error) {
	negated := p.skip("not")
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	f, ok := tests[name]
	if !ok {
		return nil, fmt.Errorf("line %d: the test %q is not supported", line, name)
	}
	applied := &callExpression{line: line}
	t := p.current()
	switch {
	case t.is("("):
		if applied, err = p.call(nil); err != nil {
			return nil, err
		}
	case t.is("else") || t.is("or") || t.is("and") || t.is("if"):
	case t.kind == tokenName && !t.is("is") && !t.is("in") && !t.is("not") && !t.is("recursive"), t.kind == tokenString, t.kind == tokenInteger, t.kind == tokenFloat, t.is("["), t.is("{"):
		argument, err := p.primary()
		if err == nil {
			argument, err = p.postfix(argument)
		}
		if err != nil {
			return nil, err
		}
		applied.arguments = []expression{argument}
	}
	applied.function = literal{f}
	applied.first = value
	if negated {
		return notExpression{applied}, nil
	}
	return applied, nil
}
