package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// text is Python's str().
func (r *run) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case undefined:
		return "", nil
	}
	if err := r.charge(sizeOf(v, r.value)); err != nil {
		return "", err
	}
	w := reprWriter{limit: 8 * r.value}
	w.write(v)
	return w.String(), nil
}

// repr is Python's repr(), cut to what a message can hold.
func repr(v any) string {
	w := reprWriter{limit: 80}
	w.write(v)
	return w.String()
}

// reprWriter writes values as Python does, and stops past its limit.
type reprWriter struct {
	strings.Builder
	limit int
}

func (b *reprWriter) write(v any) {
	if b.Len() > b.limit {
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case undefined:
		b.WriteString("Undefined")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(floatText(v))
	case string:
		b.quote(v)
	case []any:
		b.items("[", v, "]")
	case Tuple:
		end := ")"
		if len(v) == 1 {
			end = ",)"
		}
		b.items("(", v, end)
	case *Dict:
		b.WriteByte('{')
		for i, key := range v.keys {
			if b.Len() > b.limit {
				break
			}
			if i > 0 {
				b.WriteString(", ")
			}
			b.write(key)
			b.WriteString(": ")
			b.write(v.values[i])
		}
		b.WriteByte('}')
	default:
		b.WriteString("<" + typeName(v) + ">")
	}
}

func (b *reprWriter) items(open string, items []any, end string) {
	b.WriteString(open)
	for i, item := range items {
		if b.Len() > b.limit {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.write(item)
	}
	b.WriteString(end)
}

// quote quotes a string as Python does: with ' unless only that occurs.
func (b *reprWriter) quote(s string) {
	if len(s) > b.limit {
		s = strings.ToValidUTF8(s[:b.limit], "")
	}
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xad:
			fmt.Fprintf(b, `\x%02x`, r)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
}

// floatText is Python's repr of a float.
func floatText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	if a := math.Abs(v); v != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
