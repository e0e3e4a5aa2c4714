package jinja

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fromJSON decodes a value and keeps the order of objects.
func fromJSON(t testing.TB, data []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return nextValue(t, decoder)
}

func nextValue(t testing.TB, decoder *json.Decoder) any {
	t.Helper()
	token, err := decoder.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch v := token.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case json.Delim:
		if v == '[' {
			list := []any{}
			for decoder.More() {
				list = append(list, nextValue(t, decoder))
			}
			_, _ = decoder.Token()
			return list
		}
		d := NewDict()
		for decoder.More() {
			key := nextValue(t, decoder)
			if err := d.set(key, nextValue(t, decoder)); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = decoder.Token()
		return d
	}
	return token
}

// differs says where this package fails and jinja2 does not, or the other way
// round, on purpose.
var differs = map[string]string{
	"{{ l|batch(2)|list }}":         "a filter that templates of models do not use",
	"{{ 100000000000000000000 }}":   "integers have 64 bits",
	"{{ 9223372036854775807 + 1 }}": "integers have 64 bits",
	"{% block b %}x{% endblock %}":  "inheritance is not supported",
	"{{ range(3) }}":                "a range is a list",
	"{{ self }}":                    "inheritance is not supported",
	"{{ lipsum }}":                  "there is no lipsum",
}

// TestJinja2 holds expressions and templates to what jinja2 3.1.6 renders.
func TestJinja2(t *testing.T) {
	data, err := os.ReadFile("testdata/jinja2.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Variables map[string]json.RawMessage
		Cases     []struct {
			Source string
			Want   *string
			Error  string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	variables := map[string]any{}
	for name, value := range file.Variables {
		variables[name] = fromJSON(t, value)
	}
	for _, c := range file.Cases {
		if differs[c.Source] != "" {
			continue
		}
		got, err := render(c.Source, variables)
		switch {
		case c.Want == nil && err == nil:
			t.Errorf("%q: %q, but jinja2 fails: %s", c.Source, got, c.Error)
		case c.Want != nil && err != nil:
			t.Errorf("%q: error %v, want %q", c.Source, err, *c.Want)
		case c.Want != nil:
			if diff := cmp.Diff(*c.Want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.Source, diff)
			}
		case !strings.Contains(err.Error(), "line ") && !strings.Contains(err.Error(), "{%"):
			t.Errorf("%q: error %v has no line", c.Source, err)
		}
	}
}

func render(source string, variables map[string]any) (string, error) {
	template, err := Parse(source)
	if err != nil {
		return "", err
	}
	return template.Render(variables)
}

// TestBounds: no template takes much memory or time, or the stack.
func TestBounds(t *testing.T) {
	nested := func(open, end string, n int) string { return strings.Repeat(open, n) + "1" + strings.Repeat(end, n) }
	for _, row := range []struct{ why, source, want string }{
		{"a string times a number", "{{ 'x' * 1000000000 }}", "more than"},
		{"a list times a number", "{{ [1,2,3] * 1000000000 }}", "more than"},
		{"doubling", "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "more than"},
		{"doubling by +", "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "more than"},
		{"doubling a list", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "more than"},
		{"doubling by nesting", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|length }}", ""},
		{"printing what was nested", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}", "more than"},
		{"comparing what was nested", "{% set a = namespace(s=[1]) %}{% set b = namespace(s=[1]) %}{% for i in range(60) %}{% set a.s = [a.s, a.s] %}{% set b.s = [b.s, b.s] %}{% endfor %}{{ a.s == b.s }}", "large"},
		{"writing what was nested as JSON", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}", "steps"},
		{"replace that grows", "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s|replace('x', 'xxxx') %}{% endfor %}", "more than"},
		{"join that grows", "{% set ns = namespace(s='xy') %}{% for i in range(60) %}{% set ns.s = ns.s|join(ns.s) %}{% endfor %}", "more than"},
		{"indent that grows", "{{ ('\n' * 1000000)|indent(1000, true, true) }}", "more than"},
		{"a long range", "{{ range(1000000000) }}", "longer"},
		{"loops in loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "more than"},
		{"steps without end", "{% for a in range(9999) %}{% for b in range(999) %}{{ a }}{% endfor %}{% endfor %}", "more than"},
		{"output without end", "{% for a in range(99999) %}{% for b in range(99) %}" + strings.Repeat("x", 9999) + "{% endfor %}{% endfor %}", "more than"},
		{"a macro without end", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deep"},
		{"a power", "{{ 10 ** 1000000 }}", "64 bits"},
		{"powers of powers", "{{ 2 ** 62 * 4 }}", "64 bits"},
		{"nested parentheses", "{{ " + nested("(", ")", 100000) + " }}", "nested"},
		{"nested lists", "{{ " + nested("[", "]", 100000) + " }}", "nested"},
		{"nested signs", "{{ " + strings.Repeat("-", 200000) + "1 }}", "nested"},
		{"nested nots", "{{ " + strings.Repeat("not ", 60000) + "1 }}", "nested"},
		{"nested statements", strings.Repeat("{% if 1 %}", 20000), "nested"},
		{"a large source", strings.Repeat("x", maxSource+1), "bytes"},
		{"a long chain", "{{ 1" + strings.Repeat("+1", 120000) + " }}", "nested"},
		{"a long chain of attributes", "{{ a" + strings.Repeat(".a", 120000) + " }}", "nested"},
		{"a long chain of filters", "{{ 1" + strings.Repeat("|e", 120000) + " }}", "nested"},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := render(row.source, nil)
			if row.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one that contains %q", err, row.want)
			}
		})
	}
}

// FuzzRender: no template panics or hangs.
func FuzzRender(f *testing.F) {
	data, err := os.ReadFile("testdata/jinja2.json")
	if err != nil {
		f.Fatal(err)
	}
	var file struct{ Cases []struct{ Source string } }
	if err := json.Unmarshal(data, &file); err != nil {
		f.Fatal(err)
	}
	for _, c := range file.Cases {
		f.Add(c.Source)
	}
	variables := map[string]any{
		"s": "text", "l": []any{3, 1, 2}, "n": 7, "d": NewDict("a", 1),
		"ms": []any{NewDict("role", "user", "content", "hi")},
	}
	f.Fuzz(func(_ *testing.T, source string) {
		_, _ = render(source, variables)
	})
}
