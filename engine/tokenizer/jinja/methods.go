package jinja

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// attributeOf is v.name: a method, or a variable of a namespace or loop.
func attributeOf(r *run, v any, name string) (any, bool) {
	switch v := v.(type) {
	case *namespace:
		got, ok := v.vars[name]
		return got, ok
	case *loopState:
		return v.attribute(name)
	case string:
		if m, ok := stringMethods[name]; ok {
			return Function(func(c Call) (any, error) { return m(r, v, c) }), true
		}
	case *Dict:
		if m, ok := dictMethods[name]; ok {
			return Function(func(c Call) (any, error) { return m(r, v, c) }), true
		}
	case []any, Tuple:
		items, _ := sequence(v)
		switch name {
		case "index":
			return Function(func(c Call) (any, error) {
				i := slices.IndexFunc(items, func(x any) bool { return equal(x, c.argument(0, "", nil)) })
				if i < 0 {
					return nil, errors.New("the list does not hold the value")
				}
				return i, nil
			}), true
		case "count":
			return Function(func(c Call) (any, error) {
				n := 0
				for _, x := range items {
					if equal(x, c.argument(0, "", nil)) {
						n++
					}
				}
				return n, nil
			}), true
		}
	}
	return nil, false
}

var dictMethods = map[string]func(*run, *Dict, Call) (any, error){
	"get": func(_ *run, d *Dict, c Call) (any, error) {
		if v, ok := d.get(c.argument(0, "key", nil)); ok {
			return v, nil
		}
		return c.argument(1, "default", nil), nil
	},
	"keys":   func(_ *run, d *Dict, _ Call) (any, error) { return slices.Clone(d.keys), nil },
	"values": func(_ *run, d *Dict, _ Call) (any, error) { return slices.Clone(d.values), nil },
	"items":  func(r *run, d *Dict, _ Call) (any, error) { return pairs(d), r.chargeItems(3 * len(d.keys)) },
	"copy":   func(_ *run, d *Dict, _ Call) (any, error) { return d, nil }, // nothing can change it
}

// pairs are the items of a dict.
func pairs(d *Dict) []any {
	list := make([]any, len(d.keys))
	for i, key := range d.keys {
		list[i] = Tuple{key, d.values[i]}
	}
	return list
}

// stringMethods are the methods of str that templates use.
var stringMethods = map[string]func(*run, string, Call) (any, error){
	"upper":      func(r *run, s string, _ Call) (any, error) { return r.made(strings.ToUpper(s)) },
	"lower":      func(r *run, s string, _ Call) (any, error) { return r.made(strings.ToLower(s)) },
	"title":      func(r *run, s string, _ Call) (any, error) { return r.made(title(s)) },
	"capitalize": func(r *run, s string, _ Call) (any, error) { return r.made(capitalize(s)) },
	"strip":      func(_ *run, s string, c Call) (any, error) { return strip(s, c, true, true) },
	"lstrip":     func(_ *run, s string, c Call) (any, error) { return strip(s, c, true, false) },
	"rstrip":     func(_ *run, s string, c Call) (any, error) { return strip(s, c, false, true) },
	"split":      split,
	"rsplit":     rsplit,
	"splitlines": splitlines,
	"startswith": func(_ *run, s string, c Call) (any, error) { return affix(s, c, strings.HasPrefix) },
	"endswith":   func(_ *run, s string, c Call) (any, error) { return affix(s, c, strings.HasSuffix) },
	"removeprefix": func(_ *run, s string, c Call) (any, error) {
		prefix, err := c.text(0, "prefix")
		return strings.TrimPrefix(s, prefix), err
	},
	"removesuffix": func(_ *run, s string, c Call) (any, error) {
		suffix, err := c.text(0, "suffix")
		return strings.TrimSuffix(s, suffix), err
	},
	"replace": func(r *run, s string, c Call) (any, error) { return replace(r, s, c, 0) },
	"find": func(_ *run, s string, c Call) (any, error) {
		sub, err := c.text(0, "")
		return runeIndex(s, strings.Index(s, sub)), err
	},
	"rfind": func(_ *run, s string, c Call) (any, error) {
		sub, err := c.text(0, "")
		return runeIndex(s, strings.LastIndex(s, sub)), err
	},
	"index": func(_ *run, s string, c Call) (any, error) {
		sub, err := c.text(0, "")
		if i := strings.Index(s, sub); i >= 0 || err != nil {
			return runeIndex(s, i), err
		}
		return nil, errors.New("substring not found")
	},
	"count": func(_ *run, s string, c Call) (any, error) {
		sub, err := c.text(0, "")
		return strings.Count(s, sub), err
	},
	"join":    joinMethod,
	"isdigit": func(_ *run, s string, _ Call) (any, error) { return every(s, unicode.IsDigit), nil },
	"isalpha": func(_ *run, s string, _ Call) (any, error) { return every(s, unicode.IsLetter), nil },
	"isalnum": func(_ *run, s string, _ Call) (any, error) {
		return every(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }), nil
	},
	"isspace": func(_ *run, s string, _ Call) (any, error) { return every(s, isSpace), nil },
	"isupper": func(_ *run, s string, _ Call) (any, error) {
		return strings.ToUpper(s) == s && strings.ToLower(s) != s, nil
	},
	"islower": func(_ *run, s string, _ Call) (any, error) {
		return strings.ToLower(s) == s && strings.ToUpper(s) != s, nil
	},
}

// made charges for a string.
func (r *run) made(s string) (any, error) { return s, r.charge(len(s)) }

// text returns argument i, which must be a string.
func (c Call) text(i int, name string) (string, error) {
	v := c.argument(i, name, nil)
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("an argument is %s, not a str", typeName(v))
	}
	return s, nil
}

func every(s string, is func(rune) bool) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !is(r) }) < 0
}

// runeIndex turns an index in bytes into one in characters.
func runeIndex(s string, i int) int {
	if i < 0 {
		return -1
	}
	return utf8.RuneCountInString(s[:i])
}

func capitalize(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:size]) + strings.ToLower(s[size:])
}

// title capitalises each run of letters.
func title(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		was := inside
		inside = unicode.IsLetter(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func strip(s string, c Call, left, right bool) (any, error) {
	cut := isSpace
	if chars := c.argument(0, "chars", nil); chars != nil {
		set, err := c.text(0, "chars")
		if err != nil {
			return nil, err
		}
		cut = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	if left {
		s = strings.TrimLeftFunc(s, cut)
	}
	if right {
		s = strings.TrimRightFunc(s, cut)
	}
	return s, nil
}

// affix tests for a prefix or suffix, or any of a tuple of them.
func affix(s string, c Call, has func(s, affix string) bool) (any, error) {
	if list, ok := c.argument(0, "", nil).(Tuple); ok {
		return slices.ContainsFunc(list, func(v any) bool { a, ok := v.(string); return ok && has(s, a) }), nil
	}
	a, err := c.text(0, "")
	return err == nil && has(s, a), err
}

// list makes a list of strings.
func (r *run) list(parts []string) (any, error) {
	total := 16 * len(parts)
	items := make([]any, len(parts))
	for i, part := range parts {
		items[i] = part
	}
	return items, r.charge(total)
}

// separator returns the arguments of split: none splits at white space, and no
// more than limit times, if that is not negative.
func separator(c Call) (sep string, none bool, limit int, err error) {
	limit, ok := integer(c.argument(1, "maxsplit", -1))
	if !ok {
		return "", false, 0, errors.New("maxsplit is not an integer")
	}
	if c.argument(0, "sep", nil) == nil {
		return "", true, limit, nil
	}
	if sep, err = c.text(0, "sep"); err == nil && sep == "" {
		err = errors.New("empty separator")
	}
	return sep, false, limit, err
}

func split(r *run, s string, c Call) (any, error) {
	sep, none, limit, err := separator(c)
	if err != nil {
		return nil, err
	}
	if !none {
		n := -1
		if limit >= 0 {
			n = limit + 1
		}
		return r.list(strings.SplitN(s, sep, n))
	}
	var parts []string
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 || limit >= 0 && len(parts) == limit {
			return r.list(append(parts, s))
		}
		parts = append(parts, s[:end])
		s = s[end:]
	}
	return r.list(parts)
}

func rsplit(r *run, s string, c Call) (any, error) {
	sep, none, limit, err := separator(c)
	if err != nil {
		return nil, err
	}
	if limit < 0 {
		return split(r, s, c)
	}
	var parts []string
	for len(parts) < limit {
		if none {
			s = strings.TrimRightFunc(s, isSpace)
		}
		i, size := strings.LastIndex(s, sep), len(sep)
		if none {
			i = strings.LastIndexFunc(s, isSpace)
			if i >= 0 {
				_, size = utf8.DecodeRuneInString(s[i:])
			}
		}
		if i < 0 {
			break
		}
		parts = append(parts, s[i+size:])
		s = s[:i]
	}
	if none {
		s = strings.TrimRightFunc(s, isSpace)
	}
	if !none || s != "" {
		parts = append(parts, s)
	}
	slices.Reverse(parts)
	return r.list(parts)
}

func splitlines(r *run, s string, _ Call) (any, error) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	if s == "" {
		return r.list(nil)
	}
	return r.list(strings.Split(strings.TrimSuffix(s, "\n"), "\n"))
}

// replace is s.replace(old, new, count); the arguments begin at number i.
func replace(r *run, s string, c Call, i int) (any, error) {
	from, err := c.text(i, "old")
	if err != nil {
		return nil, err
	}
	to, err := c.text(i+1, "new")
	if err != nil {
		return nil, err
	}
	count := -1
	if v := c.argument(i+2, "count", nil); v != nil {
		n, ok := integer(v)
		if !ok {
			return nil, errors.New("count is not an integer")
		}
		count = n
	}
	times := strings.Count(s, from)
	if count >= 0 {
		times = min(times, count)
	}
	if grown := len(to) - len(from); grown > 0 && times > r.value/grown {
		return nil, r.charge(r.value + 1)
	} else if err := r.charge(len(s) + max(grown*times, 0)); err != nil {
		return nil, err
	}
	return strings.Replace(s, from, to, count), nil
}

// joinMethod is s.join(list), whose items must be strings.
func joinMethod(r *run, s string, c Call) (any, error) {
	items, err := r.iterate(c.argument(0, "", nil))
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		if _, ok := item.(string); !ok {
			return nil, fmt.Errorf("sequence item %d: expected str instance, %s found", i, typeName(item))
		}
	}
	return join(r, items, s)
}

// join joins the texts of a list.
func join(r *run, v any, sep string) (any, error) {
	items, err := r.iterate(v)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, item := range items {
		text, err := r.text(item)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(text)
		if b.Len() > r.value {
			return nil, r.charge(b.Len())
		}
	}
	return r.made(b.String())
}
