package jinja

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// jsonStyle is how Python's json.dumps lays a value out.
type jsonStyle struct {
	item, key string // separators
	indent    string
	lines     bool
	ascii     bool
	sort      bool
}

// toJSON is json.dumps(x, ensure_ascii=False), with the arguments indent,
// separators, sort_keys and ensure_ascii.
func toJSON(c Call) (any, error) {
	style := jsonStyle{item: ", ", key: ": "}
	style.ascii = truth(c.argument(1, "ensure_ascii", false))
	style.sort = truth(c.argument(4, "sort_keys", false))
	switch indent := c.argument(2, "indent", nil).(type) {
	case string:
		style.indent, style.lines = indent, true
	case int:
		style.indent, style.lines = strings.Repeat(" ", min(max(indent, 0), 64)), true
	}
	if style.lines {
		style.item = ","
	}
	if separators, ok := sequence(c.argument(3, "separators", nil)); ok && len(separators) == 2 {
		style.item, style.key = fmt.Sprint(separators[0]), fmt.Sprint(separators[1])
	}
	w := &jsonWriter{style: style, run: c.run}
	if err := w.write(c.Arguments[0], 0); err != nil {
		return nil, fmt.Errorf("tojson: %w", err)
	}
	return c.run.made(w.String())
}

type jsonWriter struct {
	strings.Builder
	style jsonStyle
	run   *run
}

func (w *jsonWriter) write(v any, depth int) error {
	if err := w.run.step(); err != nil {
		return err
	}
	if depth > maxDepth || w.Len() > w.run.value {
		return errors.New("the value is too large")
	}
	switch v := v.(type) {
	case nil:
		w.WriteString("null")
	case bool:
		w.WriteString(map[bool]string{true: "true", false: "false"}[v])
	case int, float64:
		w.WriteString(repr(v)) // never cut: a number is short
	case string:
		w.quote(v)
	case []any:
		return w.items('[', ']', len(v), depth, func(i int) error { return w.write(v[i], depth+1) })
	case Tuple:
		return w.write([]any(v), depth)
	case *Dict:
		return w.dict(v, depth)
	default:
		return fmt.Errorf("object of type %s is not JSON serializable", typeName(v))
	}
	return nil
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	list := pairs(d)
	if w.style.sort {
		slices.SortStableFunc(list, func(a, b any) int {
			x, _ := itemOf(a, 0)
			y, _ := itemOf(b, 0)
			return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
		})
	}
	return w.items('{', '}', len(list), depth, func(i int) error {
		key, _ := itemOf(list[i], 0)
		value, _ := itemOf(list[i], 1)
		switch key := key.(type) {
		case string:
			w.quote(key)
		default:
			w.WriteByte('"')
			if err := w.write(key, depth+1); err != nil {
				return err
			}
			w.WriteByte('"')
		}
		w.WriteString(w.style.key)
		return w.write(value, depth+1)
	})
}

func (w *jsonWriter) items(open, end byte, n, depth int, item func(i int) error) error {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteString(w.style.item)
		}
		if w.style.lines {
			w.WriteString("\n" + strings.Repeat(w.style.indent, depth+1))
		}
		if err := item(i); err != nil {
			return err
		}
	}
	if w.style.lines && n > 0 {
		w.WriteString("\n" + strings.Repeat(w.style.indent, depth))
	}
	w.WriteByte(end)
	return nil
}

var jsonEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

func (w *jsonWriter) quote(text string) {
	w.WriteByte('"')
	for _, r := range text {
		escape, ok := jsonEscapes[r]
		switch {
		case ok:
			w.WriteString(escape)
		case r < ' ' || w.style.ascii && r > '~' && r < 0x10000:
			fmt.Fprintf(w, `\u%04x`, r)
		case w.style.ascii && r >= 0x10000:
			fmt.Fprintf(w, `\u%04x\u%04x`, 0xd800+((r-0x10000)>>10), 0xdc00+((r-0x10000)&0x3ff))
		default:
			w.WriteRune(r)
		}
	}
	w.WriteByte('"')
}
