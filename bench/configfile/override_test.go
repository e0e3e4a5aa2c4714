package configfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestApply: the file says what it said, but for the overridden keys.
func TestApply(t *testing.T) {
	const file = "# a comment\nmodel: m\nvariants:\n  - {name: a, pos_embed: exact}\n  - {name: b, url: 'http://h'}\nload: {request_rate: 3, num_prompts: 5}\ndesign: {seed: 18446744073709551615}\n"
	for _, test := range []struct {
		why       string
		file      string
		overrides []Override
		flags     map[string]any // that change
		err       string
	}{
		{"nothing", file, nil, nil, ""},
		{"a number", file, []Override{{"load.request_rate", "20"}}, map[string]any{"request-rate": "20"}, ""},
		{"a word that is one", file, []Override{{"load.request_rate", "inf"}}, map[string]any{"request-rate": "+Inf"}, ""},
		{"a key in a part that the file lacks", file, []Override{{"server.threads", "2"}}, map[string]any{"server-threads": "2"}, ""},
		{"two keys", file, []Override{{"image_size", "384"}, {"load.num_prompts", "9"}}, map[string]any{"image-size": "384", "num-prompts": "9"}, ""},
		{"an element of a list", file, []Override{{"variants[0].inject_delay", "5ms"}}, map[string]any{"inject-delay": "a=5ms"}, ""},
		{"a whole element", file, []Override{{"variants[1]", "{name: c, pos_embed: cached}"}}, map[string]any{"variant": []any{"a=exact", "c=cached"}, "url": nil}, ""},
		{"a list", file, []Override{{"analysis.primary", "[p99_ttft_ms]"}}, map[string]any{"primary": []any{"p99_ttft_ms"}}, ""},
		{"a file that says nothing", "", []Override{{"load.max_tokens", "4"}}, map[string]any{"max-tokens": "4"}, ""},
		{"a key that is not", file, []Override{{"load.request_rte", "1"}}, nil, `unknown field "request_rte"`},
		{"an element that is not", file, []Override{{"variants[2].url", "x"}}, nil, "no element 2"},
		{"a key of a number", file, []Override{{"model.size", "x"}}, nil, "model has no keys"},
		{"no key", file, []Override{{"load..x", "1"}}, nil, `"" is no key`},
		{"no YAML", file, []Override{{"model", "[a"}}, nil, "no YAML"},
		{"a file that is none", "[", []Override{{"model", "a"}}, nil, "experiment file"},
	} {
		changed, err := Apply([]byte(test.file), test.overrides)
		var f File
		if err == nil {
			f, err = Read(strings.NewReader(string(changed)))
		}
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q", test.why, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		base, err := Read(strings.NewReader(test.file))
		if err != nil {
			t.Fatal(err)
		}
		want := base.Flags()
		for name, value := range test.flags {
			if want[name] = value; value == nil {
				delete(want, name)
			}
		}
		if diff := cmp.Diff(want, f.Flags()); diff != "" {
			t.Errorf("%s: flags (-want +got):\n%s", test.why, diff)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add(whole, "variants[1].inject_delay", "5ms")
	f.Add("a: [1]", "a[0].b", "{")
	f.Fuzz(func(_ *testing.T, file, key, value string) {
		if changed, err := Apply([]byte(file), []Override{{key, value}}); err == nil {
			_, _ = Read(strings.NewReader(string(changed)))
		}
	})
}
