package posembed_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/posembed"
)

func TestParseGrid(t *testing.T) {
	tests := []struct {
		in    string
		want  posembed.Grid
		error string
	}{
		{in: "27x27", want: posembed.Grid{Rows: 27, Cols: 27}},
		{in: "1x65536", want: posembed.Grid{Rows: 1, Cols: 65536}},
		{in: "", error: `grid "": want ROWSxCOLS, such as 27x27`},
		{in: "27", error: `grid "27": want ROWSxCOLS, such as 27x27`},
		{in: "27x", error: `grid "27x": want ROWSxCOLS, such as 27x27`},
		{in: "3x4x5", error: `grid "3x4x5": want ROWSxCOLS, such as 27x27`},
		{in: "-3x4", error: `grid "-3x4": want ROWSxCOLS, such as 27x27`},
		{in: "3 x 4", error: `grid "3 x 4": want ROWSxCOLS, such as 27x27`},
		{in: "99999999999999999999x1", error: `grid "99999999999999999999x1": want ROWSxCOLS, such as 27x27`},
		{in: "0x4", error: "grid 0x4: rows and columns must be between 1 and 65536"},
		{in: "65537x1", error: "grid 65537x1: rows and columns must be between 1 and 65536"},
		{in: "65536x65536", error: "grid 65536x65536: more than 1073741824 positions"},
	}
	for _, test := range tests {
		got, err := posembed.ParseGrid(test.in)
		if diff := cmp.Diff(test.error, message(err)); diff != "" {
			t.Errorf("ParseGrid(%q), error (-want +got):\n%s", test.in, diff)
		}
		if err == nil && got != test.want {
			t.Errorf("ParseGrid(%q) = %v, want %v", test.in, got, test.want)
		}
	}
}

// TestLimits has every size that must be refused before anything is allocated.
func TestLimits(t *testing.T) {
	grid := func(rows, cols int) posembed.Grid { return posembed.Grid{Rows: rows, Cols: cols} }
	tests := []struct {
		name       string
		from, to   posembed.Grid
		convention posembed.Convention
		want       string
	}{
		{"no rows", grid(0, 3), grid(3, 3), posembed.Bicubic, "plan from grid 0x3: rows and columns must be between 1 and 65536"},
		{"negative columns", grid(3, 3), grid(3, -1), posembed.Bicubic, "plan to grid 3x-1: rows and columns must be between 1 and 65536"},
		{"too many rows", grid(3, 3), grid(1<<20, 1), posembed.Bilinear, "plan to grid 1048576x1: rows and columns must be between 1 and 65536"},
		{"product beyond the limit", grid(40000, 40000), grid(1, 1), posembed.Bilinear, "plan from grid 40000x40000: more than 1073741824 positions"},
		{"largest int", grid(math.MaxInt, math.MaxInt), grid(1, 1), posembed.Bilinear, fmt.Sprintf("plan from grid %[1]dx%[1]d: rows and columns must be between 1 and 65536", math.MaxInt)},
		{"no such convention", grid(2, 2), grid(3, 3), 7, "plan from 2x2 to 3x3: unknown convention Convention(7)"},
		{"the limits themselves", grid(65536, 1), grid(1, 65536), posembed.BicubicAntialias, ""},
	}
	for _, test := range tests {
		_, err := posembed.NewPlan(test.from, test.to, test.convention)
		if diff := cmp.Diff(test.want, message(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestLengths has every call of Apply and Resample that does not fit its plan.
func TestLengths(t *testing.T) {
	from, to := posembed.Grid{Rows: 2, Cols: 3}, posembed.Grid{Rows: 4, Cols: 5}
	plan, err := posembed.NewPlan(from, to, posembed.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		dst, src, dim int
		want          string
	}{
		{"fits", 20, 6, 1, ""},
		{"short source", 20, 5, 1, "resample 2x3 to 4x5: source has 5 values: a table [2, 3, 1] has 6"},
		{"long source", 20, 7, 1, "resample 2x3 to 4x5: source has 7 values: a table [2, 3, 1] has 6"},
		{"short result", 39, 12, 2, "resample 2x3 to 4x5: destination has 39 values: a table [4, 5, 2] has 40"},
		{"empty", 0, 0, 2, "resample 2x3 to 4x5: source has 0 values: a table [2, 3, 2] has 12"},
		{"no channels", 0, 0, 0, "resample 2x3 to 4x5: source: 0 channels: want at least 1"},
		{"negative channels", 20, 6, -1, "resample 2x3 to 4x5: source: -1 channels: want at least 1"},
		{"channels that overflow", 20, 6, math.MaxInt, fmt.Sprintf("resample 2x3 to 4x5: source: a table [2, 3, %d] is larger than the address space", math.MaxInt)},
		{"channels whose product wraps around", 20, 6, math.MaxInt/3 + 2, fmt.Sprintf("resample 2x3 to 4x5: source: a table [2, 3, %d] is larger than the address space", math.MaxInt/3+2)},
	}
	for _, test := range tests {
		for dtype, err := range map[string]error{
			"f32":  plan.Apply(make([]float32, test.dst), make([]float32, test.src), test.dim),
			"f64":  plan.ApplyFloat64(make([]float64, test.dst), make([]float64, test.src), test.dim),
			"bf16": plan.ApplyBFloat16(make([]posembed.BFloat16, test.dst), make([]posembed.BFloat16, test.src), test.dim),
			"f16":  plan.ApplyFloat16(make([]posembed.Float16, test.dst), make([]posembed.Float16, test.src), test.dim),
		} {
			if diff := cmp.Diff(test.want, message(err)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", test.name, dtype, diff)
			}
		}
	}
}

// TestZeroValues: values that no constructor returned give errors, not panics.
func TestZeroValues(t *testing.T) {
	var p posembed.Plan
	if diff := cmp.Diff("resample 0x0 to 0x0: grid 0x0: rows and columns must be between 1 and 65536", message(p.Apply(nil, nil, 1))); diff != "" {
		t.Errorf("Plan{} (-want +got):\n%s", diff)
	}
	var r posembed.Resampler
	if diff := cmp.Diff("resample 0x0 to 1x1 in mode reference: destination: 0 channels: want at least 1", message(r.Resample(nil, posembed.Grid{Rows: 1, Cols: 1}))); diff != "" {
		t.Errorf("Resampler{} (-want +got):\n%s", diff)
	}
}

// message is the text of an error, "" for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzParseGrid wants accepted grids to survive being written and read again.
func FuzzParseGrid(f *testing.F) {
	for _, seed := range []string{"27x27", "1x1", "0x0", "x", "1x2x3", "007x5", "1048576x2", "２x３"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := posembed.ParseGrid(s)
		if err != nil {
			return
		}
		if again, err := posembed.ParseGrid(g.String()); err != nil || again != g {
			t.Errorf("%q reads as %v, which reads as %v, %v", s, g, again, err)
		}
	})
}
