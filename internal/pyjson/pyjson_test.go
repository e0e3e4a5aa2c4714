package pyjson

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	for _, in := range []string{"\ufeffä{}", "\xff\xfe\xe4\x00{\x00}\x00", "\xfe\xff\x00\xe4\x00{\x00}", "ä{}", "\xff\xfe\xe4\x00{\x00}\x00x"} {
		if got := string(Text([]byte(in))); got != "ä{}" {
			t.Errorf("%q is read as %q", in, got)
		}
	}
}

func TestValues(t *testing.T) {
	tests := []struct {
		why, in string
		want    []string
		err     string
	}{
		{"nothing", " \n", nil, ""},
		{"one value over lines", "{\"a\": [1,\n2]}\n", []string{"{\"a\": [1,\n2]}"}, ""},
		{"JSON Lines", "{}\n{\"a\":1}\n", []string{"{}", `{"a":1}`}, ""},
		{"brackets and escapes in strings", `{"a":"}\"]"}{}`, []string{`{"a":"}\"]"}`, "{}"}, ""},
		{"Python's words for no number", `{"a": NaN, "b": [-Infinity], "c": "NaN"}`, []string{`{"a": "" , "b": [""       ], "c": "NaN"}`}, ""},
		{"a file that was cut off", `{"a": [1, 2`, nil, "unexpected end of JSON input; is the file complete?"},
		{"cut off in its second value", `{} {"a"`, []string{"{}"}, "value 2"},
		{"brackets that do not match", `{"a": [1}`, nil, "is the file complete?"},
		{"a bracket too many", `{}}`, []string{"{}"}, "value 2"},
		{"nesting without end", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), nil, "depth"},
		{"words", "hello world", nil, "value 1"},
	}
	for _, tt := range tests {
		got, err := Values([]byte(tt.in))
		var texts []string
		for _, v := range got {
			texts = append(texts, string(v))
		}
		if diff := cmp.Diff(tt.want, texts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.why, diff)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want one with %q", tt.why, err, tt.err)
		}
	}
}

func TestObject(t *testing.T) {
	o := NewObject(json.RawMessage(`{"n": 1.5, "quoted": " 12 ", "none": null, "word": "inf", "text": "\u00e4", "in": {"deep": {"n": 2}}, "list": [ {"n": 3} , 4 ]}`))
	numbers := []struct{ got, want float64 }{
		{o.Number("n"), 1.5}, {o.Number("quoted"), 12}, {o.Number("none"), math.NaN()}, {o.Number("word"), math.NaN()}, {o.Number("missing"), math.NaN()},
		{o.Number("in"), math.NaN()}, {o.Object("in", "deep").Number("n"), 2}, {o.Object("no", "such").Number("n"), math.NaN()},
		{o.Objects("list")[0].Number("n"), 3}, {o.Objects("list")[1].Number("n"), math.NaN()},
	}
	for i, n := range numbers {
		if n.got != n.want && !(math.IsNaN(n.got) && math.IsNaN(n.want)) {
			t.Errorf("number %d: %v, want %v", i, n.got, n.want)
		}
	}
	if diff := cmp.Diff([]string{"n", "quoted", "none", "word", "text", "in", "list"}, o.Keys()); diff != "" {
		t.Error(diff)
	}
	if o.Text("text") != "ä" || o.Text("n") != "" || !o.Has("none") || o.Has("missing") || len(o.List("list")) != 2 || o.True("n") || o.List("n") != nil || o.Err() != nil {
		t.Errorf("text %q, error %v", o.Text("text"), o.Err())
	}
	var zero Object
	if zero.Number("n") == 0 || zero.Object("a").Has("b") || zero.Err() != nil {
		t.Error("the zero object is not empty")
	}
}

func TestObjectDistrusts(t *testing.T) {
	tests := []struct{ why, in, want string }{
		{"a key twice", `{"a": {"b": 1, "b": 2}}`, `"a.b" is given twice, as 1 and 2`},
		{"a number beyond float64", `{"a": {"b": 1e999}}`, `"a.b": the number 1e999 is too large`},
		{"the same value twice is one", `{"a": {"b": 1, "b": 1}}`, ""},
	}
	for _, tt := range tests {
		o := NewObject(json.RawMessage(tt.in))
		o.Object("a").Number("b")
		if err := o.Err(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.why, err, tt.want)
		}
	}
}

// FuzzValues: what is accepted is what encoding/json accepts, and an object has the
// fields that encoding/json finds.
func FuzzValues(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": "\"]"}], "c": NaN} {}`))
	f.Add([]byte("\xff\xfe{\x00}\x00"))
	f.Add([]byte(`{"a":"\\"}1 "x"[`))
	f.Fuzz(func(t *testing.T, in []byte) {
		values, _ := Values(Text(in))
		for _, v := range values {
			var want any
			if e := json.Unmarshal(v, &want); e != nil && !strings.Contains(e.Error(), "cannot unmarshal number") {
				t.Fatalf("%s was accepted: %v", v, e)
			}
			o := NewObject(v)
			fields, _ := want.(map[string]any)
			for key, value := range fields {
				if !o.Has(key) {
					t.Fatalf("%s: key %q is missing", v, key)
				}
				if text, ok := value.(string); ok && o.Err() == nil && o.Text(key) != text {
					t.Fatalf("%s: key %q is %q", v, key, o.Text(key))
				}
				if list, ok := value.([]any); ok && o.Err() == nil && len(o.List(key)) != len(list) {
					t.Fatalf("%s: key %q has %d elements", v, key, len(o.List(key)))
				}
			}
			if len(o.Keys()) != len(fields) && fields != nil {
				t.Fatalf("%s: keys %q", v, o.Keys())
			}
		}
	})
}
