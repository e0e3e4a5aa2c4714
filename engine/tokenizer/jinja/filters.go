package jinja

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// filters are jinja2's filters, by name. The value is the first argument.
// tojson is transformers': it does not escape HTML.
var filters = map[string]Function{
	"abs": absolute,
	"attr": func(c Call) (any, error) {
		return attributeNamed(c.run, c.argument(0, "", nil), c.argument(1, "name", nil)), nil
	},
	"capitalize": onText(capitalize),
	"count":      func(c Call) (any, error) { return length(c.Arguments[0]) },
	"d":          preset,
	"default":    preset,
	"dictsort":   dictsort,
	"e":          onText(escapeHTML),
	"escape":     onText(escapeHTML),
	"first":      func(c Call) (any, error) { return edge(c, false) },
	"float":      toFloat,
	"indent":     indent,
	"int":        toInt,
	"items":      func(c Call) (any, error) { return itemsOf(c.Arguments[0]) },
	"join":       joinFilter,
	"last":       func(c Call) (any, error) { return edge(c, true) },
	"length":     func(c Call) (any, error) { return length(c.Arguments[0]) },
	"list":       list,
	"lower":      onText(strings.ToLower),
	"map":        mapFilter,
	"max":        func(c Call) (any, error) { return extreme(c, 1) },
	"min":        func(c Call) (any, error) { return extreme(c, -1) },
	"reject":     func(c Call) (any, error) { return choose(c, false, false) },
	"rejectattr": func(c Call) (any, error) { return choose(c, true, false) },
	"replace":    replaceFilter,
	"reverse":    reverse,
	"round":      round,
	"safe":       onText(func(s string) string { return s }),
	"select":     func(c Call) (any, error) { return choose(c, false, true) },
	"selectattr": func(c Call) (any, error) { return choose(c, true, true) },
	"sort":       sortFilter,
	"string":     onText(func(s string) string { return s }),
	"sum":        sum,
	"title":      onText(title),
	"tojson":     toJSON,
	"trim":       trim,
	"unique":     unique,
	"upper":      onText(strings.ToUpper),
	"wordcount":  func(c Call) (any, error) { s, err := c.run.text(c.Arguments[0]); return len(strings.Fields(s)), err },
}

// onText is a filter of the value's text.
func onText(f func(string) string) Function {
	return func(c Call) (any, error) {
		s, err := c.run.text(c.Arguments[0])
		if err != nil {
			return nil, err
		}
		return c.run.made(f(s))
	}
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;").Replace(s)
}

func absolute(c Call) (any, error) {
	if n, ok := integer(c.Arguments[0]); ok && n != math.MinInt {
		return abs(n), nil
	}
	if f, ok := c.Arguments[0].(float64); ok {
		return math.Abs(f), nil
	}
	return nil, fmt.Errorf("bad operand type for abs(): '%s'", typeName(c.Arguments[0]))
}

// attributeNamed is v.a.b for "a.b"; integers are items.
func attributeNamed(r *run, v, name any) any {
	path, ok := name.(string)
	if !ok {
		if got, ok := itemOf(v, name); ok {
			return got
		}
		return undefined("there is no such item")
	}
	for part := range strings.SplitSeq(path, ".") {
		var key any = part
		if n, err := strconv.Atoi(part); err == nil {
			key = n
		}
		got, ok := itemOf(v, key)
		if !ok {
			if got, ok = attributeOf(r, v, part); !ok {
				return undefined(fmt.Sprintf("'%s' has no attribute '%s'", typeName(v), part))
			}
		}
		v = got
	}
	return v
}

func preset(c Call) (any, error) {
	_, missing := c.Arguments[0].(undefined)
	if missing || truth(c.argument(2, "boolean", false)) && !truth(c.Arguments[0]) {
		return c.argument(1, "default_value", ""), nil
	}
	return c.Arguments[0], nil
}

func dictsort(c Call) (any, error) {
	d, ok := c.Arguments[0].(*Dict)
	if !ok {
		return nil, fmt.Errorf("dictsort of a '%s'", typeName(c.Arguments[0]))
	}
	return sorted(c.run, pairs(d), func(v any) any { key, _ := itemOf(v, 0); return foldCase(key) }, false)
}

func edge(c Call, last bool) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return undefined("No first or last item, sequence was empty."), nil
	case last:
		return items[len(items)-1], nil
	}
	return items[0], nil
}

func toFloat(c Call) (any, error) {
	if f, ok := float(c.Arguments[0]); ok {
		return f, nil
	}
	if s, ok := c.Arguments[0].(string); ok {
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return f, nil
		}
	}
	return c.argument(1, "default", 0.0), nil
}

func toInt(c Call) (any, error) {
	if n, ok := integer(c.Arguments[0]); ok {
		return n, nil
	}
	f, ok := c.Arguments[0].(float64)
	if s, isText := c.Arguments[0].(string); isText {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
			return n, nil
		}
		var err error
		f, err = strconv.ParseFloat(strings.TrimSpace(s), 64)
		ok = err == nil
	}
	if ok && math.Abs(f) < 1<<62 {
		return int(f), nil
	}
	return c.argument(1, "default", 0), nil
}

func indent(c Call) (any, error) {
	s, err := c.run.text(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	width := c.argument(1, "width", 4)
	pad, ok := width.(string)
	if n, isInt := integer(width); isInt && n <= 1000 {
		pad, ok = strings.Repeat(" ", max(n, 0)), true
	}
	if !ok {
		return nil, fmt.Errorf("indent by %s", repr(width))
	}
	lines := strings.Split(s, "\n")
	if err := c.run.charge(len(s) + len(lines)*len(pad)); err != nil {
		return nil, err
	}
	first, blank := truth(c.argument(2, "first", false)), truth(c.argument(3, "blank", false))
	for i, line := range lines {
		if i == 0 && first || i > 0 && (blank || line != "") {
			lines[i] = pad + line
		}
	}
	return strings.Join(lines, "\n"), nil
}

func itemsOf(v any) (any, error) {
	switch v := v.(type) {
	case undefined:
		return []any{}, nil
	case *Dict:
		return pairs(v), nil
	}
	return nil, errors.New("can only get item pairs from a mapping")
}

func joinFilter(c Call) (any, error) {
	sep, err := c.run.text(c.argument(1, "d", ""))
	if err != nil {
		return nil, err
	}
	list := c.Arguments[0]
	if name := c.argument(2, "attribute", nil); name != nil {
		items, err := c.run.iterate(list)
		if err != nil {
			return nil, err
		}
		picked := make([]any, len(items))
		for i, item := range items {
			picked[i] = attributeNamed(c.run, item, name)
		}
		list = picked
	}
	return join(c.run, list, sep)
}

// mapFilter takes an attribute of each item, or applies a filter to each.
func mapFilter(c Call) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	if name, ok := c.Named["attribute"]; ok {
		for i, item := range items {
			out[i] = attributeNamed(c.run, item, name)
			if _, missing := out[i].(undefined); missing {
				if preset, ok := c.Named["default"]; ok {
					out[i] = preset
				}
			}
		}
		return out, c.run.chargeItems(len(out))
	}
	name, _ := c.argument(1, "", nil).(string)
	f, ok := c.run.filters[name] // not the variable, which depends on this function
	if !ok {
		return nil, fmt.Errorf("map by the filter %q, which is not supported", name)
	}
	for i, item := range items {
		if err := c.run.step(); err != nil {
			return nil, err
		}
		arguments := append([]any{item}, c.Arguments[2:]...)
		if out[i], err = f(Call{Arguments: arguments, Named: c.Named, run: c.run}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// choose keeps the items, or those with an attribute, that pass a test, or that
// do not.
func choose(c Call, byAttribute, keep bool) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	rest := c.Arguments[1:]
	var attribute any
	if byAttribute {
		if len(rest) == 0 {
			return nil, errors.New("selectattr without an attribute")
		}
		attribute, rest = rest[0], rest[1:]
	}
	passes := func(v any) (any, error) { return truth(v), nil }
	if len(rest) > 0 {
		name, _ := rest[0].(string)
		test, ok := tests[name]
		if !ok {
			return nil, fmt.Errorf("select by the test %q, which is not supported", name)
		}
		passes = func(v any) (any, error) {
			return test(Call{Arguments: append([]any{v}, rest[1:]...), run: c.run})
		}
	}
	kept := []any{}
	for _, item := range items {
		if err := c.run.step(); err != nil {
			return nil, err
		}
		v := item
		if byAttribute {
			v = attributeNamed(c.run, item, attribute)
		}
		passed, err := passes(v)
		if err != nil {
			return nil, err
		}
		if truth(passed) == keep {
			kept = append(kept, item)
		}
	}
	return kept, c.run.chargeItems(len(kept))
}

func replaceFilter(c Call) (any, error) {
	s, err := c.run.text(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	return replace(c.run, s, c, 1)
}

func reverse(c Call) (any, error) {
	if s, ok := c.Arguments[0].(string); ok {
		runes := []rune(s)
		slices.Reverse(runes)
		return c.run.made(string(runes))
	}
	items, err := c.run.iterate(c.Arguments[0])
	items = slices.Clone(items)
	slices.Reverse(items)
	return items, errors.Join(err, c.run.chargeItems(len(items)))
}

func round(c Call) (any, error) {
	f, ok := float(c.Arguments[0])
	digits, digitsOK := integer(c.argument(1, "precision", 0))
	if !ok || !digitsOK || abs(digits) > 300 {
		return nil, fmt.Errorf("round of %s", repr(c.Arguments[0]))
	}
	scale := math.Pow(10, float64(digits))
	switch c.argument(2, "method", "common") {
	case "ceil":
		return math.Ceil(f*scale) / scale, nil
	case "floor":
		return math.Floor(f*scale) / scale, nil
	}
	return math.RoundToEven(f*scale) / scale, nil
}

// foldCase is what sorting without case compares.
func foldCase(v any) any {
	if s, ok := v.(string); ok {
		return strings.ToLower(s)
	}
	return v
}

// sorted sorts by a key, stably.
func sorted(r *run, items []any, key func(any) any, descending bool) (any, error) {
	items = slices.Clone(items)
	var failed error
	slices.SortStableFunc(items, func(a, b any) int {
		n, err := order(key(a), key(b))
		failed = errors.Join(failed, err, r.step())
		if descending {
			return -n
		}
		return n
	})
	if failed != nil {
		return nil, failed
	}
	return items, r.chargeItems(len(items))
}

func sortFilter(c Call) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	name, cased := c.argument(3, "attribute", nil), truth(c.argument(2, "case_sensitive", false))
	return sorted(c.run, items, func(v any) any {
		if name != nil {
			v = attributeNamed(c.run, v, name)
		}
		if cased {
			return v
		}
		return foldCase(v)
	}, truth(c.argument(1, "reverse", false)))
}

func extreme(c Call, sign int) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return undefined("No aggregated item, sequence was empty."), nil
	}
	best := items[0]
	for _, item := range items[1:] {
		n, err := order(foldCase(item), foldCase(best))
		if err != nil {
			return nil, err
		}
		if n*sign > 0 {
			best = item
		}
	}
	return best, nil
}

func sum(c Call) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	total := c.argument(2, "start", 0)
	for _, item := range items {
		if name := c.argument(1, "attribute", nil); name != nil {
			item = attributeNamed(c.run, item, name)
		}
		if total, err = c.run.operate("+", total, item); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func trim(c Call) (any, error) {
	s, err := c.run.text(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	c.Arguments = c.Arguments[1:]
	return strip(s, c, true, true)
}

func unique(c Call) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err != nil {
		return nil, err
	}
	seen := &Dict{}
	kept := []any{}
	for _, item := range items {
		key := foldCase(item)
		if _, ok := seen.get(key); ok {
			continue
		}
		if err := seen.set(key, true); err != nil {
			return nil, err
		}
		kept = append(kept, item)
	}
	return kept, c.run.chargeItems(len(kept))
}

func list(c Call) (any, error) {
	items, err := c.run.iterate(c.Arguments[0])
	if err := errors.Join(err, c.run.chargeItems(len(items))); err != nil {
		return nil, err
	}
	return append([]any{}, items...), nil
}
