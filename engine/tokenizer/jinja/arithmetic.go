package jinja

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

var errOverflow = errors.New("an integer exceeds 64 bits")

// operate applies an arithmetic operator.
func (r *run) operate(operator string, a, b any) (any, error) {
	if operator == "~" {
		return r.concatenate(a, b)
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			return nil, errors.New(string(u))
		}
	}
	x, xInt := integer(a)
	y, yInt := integer(b)
	if xInt && yInt && operator != "/" && (operator != "**" || y >= 0) {
		return integers(operator, x, y)
	}
	p, pOK := float(a)
	q, qOK := float(b)
	if pOK && qOK {
		return floats(operator, p, q)
	}
	switch operator {
	case "+":
		return r.add(a, b)
	case "*":
		if xInt {
			return r.repeat(b, x)
		}
		if yInt {
			return r.repeat(a, y)
		}
	case "%":
		if format, ok := a.(string); ok {
			return r.format(format, b)
		}
	}
	return nil, fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", operator, typeName(a), typeName(b))
}

// concatenate is ~: the texts of both.
func (r *run) concatenate(a, b any) (any, error) {
	x, err := r.text(a)
	if err != nil {
		return nil, err
	}
	y, err := r.text(b)
	if err != nil {
		return nil, err
	}
	return x + y, r.charge(len(x) + len(y))
}

// add joins strings or lists.
func (r *run) add(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if err := r.charge(len(x) + len(y)); err != nil {
				return nil, err
			}
			return x + y, nil
		}
		return nil, fmt.Errorf("can only concatenate str (not %q) to str", typeName(b))
	case []any:
		if y, ok := b.([]any); ok {
			return slices.Concat(x, y), r.chargeItems(len(x) + len(y))
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return slices.Concat(x, y), r.chargeItems(len(x) + len(y))
		}
	}
	return nil, fmt.Errorf("unsupported operand type(s) for +: '%s' and '%s'", typeName(a), typeName(b))
}

// repeat is a string or list n times.
func (r *run) repeat(v any, n int) (any, error) {
	n = max(n, 0)
	size, err := length(v)
	size *= 16 // of an item
	if s, ok := v.(string); ok {
		size = len(s)
	}
	if err != nil {
		return nil, fmt.Errorf("can't multiply '%s'", typeName(v))
	}
	if size > 0 && n > r.value/size {
		return nil, r.charge(r.value + 1)
	}
	if err := r.charge(n * size); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return strings.Repeat(v, n), nil
	case []any:
		return slices.Repeat(v, n), nil
	case Tuple:
		return slices.Repeat(v, n), nil
	}
	return nil, fmt.Errorf("can't multiply '%s'", typeName(v))
}

func integers(operator string, x, y int) (any, error) {
	switch operator {
	case "+":
		if sum := x + y; (sum > x) == (y > 0) {
			return sum, nil
		}
		return nil, errOverflow
	case "-":
		if difference := x - y; (difference < x) == (y > 0) {
			return difference, nil
		}
		return nil, errOverflow
	case "*":
		return multiply(x, y)
	case "**":
		return power(x, y)
	}
	if y == 0 {
		return nil, errors.New("integer modulo by zero")
	}
	if x == math.MinInt && y == -1 {
		return nil, errOverflow
	}
	quotient, rest := x/y, x%y
	if rest != 0 && (rest < 0) != (y < 0) { // Python rounds down
		quotient, rest = quotient-1, rest+y
	}
	if operator == "//" {
		return quotient, nil
	}
	return rest, nil
}

func multiply(x, y int) (any, error) {
	high, low := bits.Mul64(uint64(abs(x)), uint64(abs(y)))
	if high != 0 || low > math.MaxInt64 {
		return nil, errOverflow
	}
	return x * y, nil
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

func power(x, y int) (any, error) {
	if y > 64 && abs(x) > 1 {
		return nil, errOverflow
	}
	if y > 64 { // of 0, 1 or -1
		y = 2 + y%2
	}
	result := 1
	for range y {
		next, err := multiply(result, x)
		if err != nil {
			return nil, err
		}
		result, _ = next.(int)
	}
	return result, nil
}

func floats(operator string, x, y float64) (any, error) {
	switch operator {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return math.Pow(x, y), nil
	}
	if y == 0 {
		return nil, errors.New("division by zero")
	}
	switch operator {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	rest := math.Mod(x, y)
	if rest != 0 && (rest < 0) != (y < 0) {
		rest += y
	}
	return rest, nil
}

// format is "…%s…" % values, for the conversions s, r, d and %.
func (r *run) format(format string, values any) (any, error) {
	list := []any{values}
	if t, ok := values.(Tuple); ok {
		list = t
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		if i < len(format) && format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if i == len(format) || strings.IndexByte("srd", format[i]) < 0 {
			return nil, fmt.Errorf("the format %q has a conversion other than %%s, %%r, %%d", format)
		}
		if len(list) == 0 {
			return nil, errors.New("not enough arguments for format string")
		}
		value := list[0]
		if _, ok := value.(string); ok && format[i] == 'r' {
			value = []any{value}
		}
		text, err := r.text(value)
		if _, ok := list[0].(string); ok && format[i] == 'r' {
			text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
		}
		if err := errors.Join(err, r.charge(b.Len()+len(text))); err != nil {
			return nil, err
		}
		b.WriteString(text)
		list = list[1:]
	}
	if len(list) > 0 {
		return nil, errors.New("not all arguments converted during string formatting")
	}
	return b.String(), nil
}
