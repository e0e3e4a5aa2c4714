package modelconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/engine/modelconfig"
)

// parse is a configuration that a test wrote.
func parse(t *testing.T, data string) *modelconfig.Object {
	t.Helper()
	o, err := modelconfig.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestValues(t *testing.T) {
	o := parse(t, `{"n": 3, "float": 4.0, "null": null, "layers": [-2, -1], "layer": -2, "act": "gelu",
		"grid": [[56, 112], [56, 56]], "eps": 1e-6, "tied": true, "text_config": {"n": 7}, "kinds": ["a"]}`)
	type values struct {
		N, Whole, Null, Missing, Nested, Empty int
		List, One, Default                     []int
		Grid                                   [][2]int
		Act                                    string
		Eps                                    float64
		Tied, Untied                           bool
		First, None                            string
		Kinds                                  []string
	}
	got := values{
		N: o.Int("n", 1, 1, 9), Whole: o.Require("float", 1, 9), Null: o.Int("null", 5, 1, 9), Missing: o.Int("m", 6, 1, 9),
		Nested: o.Object("text_config").Int("n", 1, 1, 9), Empty: o.Object("no").Int("n", 2, 1, 9),
		List: o.Ints("layers"), One: o.Ints("layer"), Default: o.Ints("no", 8), Grid: o.Pairs("grid"),
		Act: o.OneOf("act", "silu", "gelu", "silu"), Eps: o.Float("eps", 1), Tied: o.Bool("tied", false), Untied: o.Bool("no", false),
		First: o.FirstOf("m", "null", "n"), None: o.FirstOf("m", "null"), Kinds: o.Strings("kinds"),
	}
	o.Forbid("null", "false", "never")
	o.Forbid("tied", "true", "never")
	want := values{
		N: 3, Whole: 4, Null: 5, Missing: 6, Nested: 7, Empty: 2,
		List: []int{-2, -1}, One: []int{-2}, Default: []int{8}, Grid: [][2]int{{56, 112}, {56, 56}},
		Act: "gelu", Eps: 1e-6, Tied: true, First: "n", None: "m", Kinds: []string{"a"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := o.Err(); err != nil {
		t.Error(err)
	}
}

// TestErrors: every wrong value is named with its key, all in one error.
func TestErrors(t *testing.T) {
	o := parse(t, `{"text": "8", "half": 1.5, "big": 1e300, "minus": -1, "act": "relu6", "eps": 0, "flag": 1, "object": [],
		"window": 4096, "text_config": {"n": {}}, "grid": [[1]], "list": [true]}`)
	o.Int("text", 1, 1, 9)
	o.Int("half", 1, 1, 9)
	o.Int("big", 1, 1, 9)
	o.Require("minus", 0, 9)
	o.Require("missing", 0, 9)
	o.OneOf("act", "gelu", "gelu", "silu")
	o.OneOf("kind", "clip", "siglip")
	o.Float("eps", 1)
	o.Bool("flag", false)
	o.Object("object")
	o.Forbid("window", "false", "not computed")
	o.Object("text_config").Int("n", 1, 1, 9)
	o.Pairs("grid")
	o.Ints("list")
	err := o.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`text = "8": want a whole number`, "half = 1.5: want a whole number", "big = 1e300: want 1 to 9", "minus = -1: want 0 to 9",
		"missing = not given: want a whole number from 0 to 9", `act = "relu6": want one of "gelu", "silu"`,
		`kind is not given, which means "clip": want "siglip"`, "eps = 0: want a number larger than 0", "flag = 1: want true or false",
		"object = []: want an object", "window = 4096: not computed", "text_config.n = {}: want a whole number", "grid = [[1]]", "list = [true]",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

// TestOpen: what is no configuration is refused with its path.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ why, data, want string }{
		{"a truncated file", `{"a": [1`, "unexpected end"},
		{"a list", `[1]`, "cannot unmarshal array"},
		{"null", `null`, "not null"},
		{"an empty file", ``, "unexpected end"},
	} {
		path := filepath.Join(dir, "config.json")
		if err := os.WriteFile(path, []byte(test.data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := modelconfig.Open(dir); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q and the path", test.why, err, test.want)
		}
	}
	if _, err := modelconfig.Open(filepath.Join(dir, "missing")); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("a missing file: error %v", err)
	}
}
