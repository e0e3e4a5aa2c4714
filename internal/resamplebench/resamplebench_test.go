package resamplebench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"siglab/posembed"
)

func config() Config {
	return Config{From: posembed.Grid{Rows: 3, Cols: 4}, To: []posembed.Grid{{Rows: 5, Cols: 5}}, Dim: 40, DType: "f32", Threads: 2,
		Conventions: []posembed.Convention{posembed.Bicubic, posembed.BilinearAlignCorners}}
}

// TestRun has a row for every implementation and convention, in every type, each
// with times and an error of its type's size.
func TestRun(t *testing.T) {
	bound := map[string]float64{"f32": 2e-5, "bf16": 0.02, "f16": 0.004}
	for _, dtype := range DTypes() {
		c := config()
		c.DType = dtype
		rows, err := Run(context.Background(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := 2 * len(posembed.Implementations())
		if dtype == "f32" {
			want += 2 // the eager modes
		}
		if len(rows) != want {
			t.Errorf("%s: %d rows, want %d", dtype, len(rows), want)
		}
		for _, r := range rows {
			if r.NS <= 0 || r.FloorNS <= 0 || r.CopyNS <= 0 || r.MaxAbsErr <= 0 || r.MaxAbsErr > bound[dtype] || r.DType != dtype || r.To != "5x5" || r.Dim != 40 {
				t.Errorf("%s: %+v", dtype, r)
			}
		}
	}
}

func TestRunErrors(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ended, config(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	for change, want := range map[string]struct {
		config func(*Config)
		err    string
	}{
		"dtype":   {func(c *Config) { c.DType = "f8" }, `unknown dtype "f8"`},
		"dim":     {func(c *Config) { c.Dim = 0 }, "0 channels"},
		"grid":    {func(c *Config) { c.To[0].Rows = 0 }, "grid 0x5"},
		"threads": {func(c *Config) { c.Threads = 5000 }, "5000 threads"},
	} {
		c := config()
		want.config(&c)
		if _, err := Run(context.Background(), c, nil); err == nil || !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %v, want %q", change, err, want.err)
		}
	}
}

func TestReadTorch(t *testing.T) {
	ours := []Row{{Device: "cpu", To: "5x5", FloorNS: 10, CopyNS: 20}}
	got, err := readTorch([]byte(`{"version": "2.13.0", "name": ""}
{"convention": "bicubic", "implementation": "torch interpolate eager", "to": [5, 5], "ns": 123.5, "max_abs_err": 1e-6}
{"convention": "bicubic", "implementation": "torch interpolate compile", "to": [5, 5], "error": "no compiler"}
`), config(), "cpu", ours)
	if err != nil {
		t.Fatal(err)
	}
	want := Row{Convention: "bicubic", Implementation: "torch interpolate eager", Device: "cpu", DType: "f32", Threads: 2, From: "3x4", To: "5x5", Dim: 40,
		NS: 123.5, FloorNS: 10, CopyNS: 20, MaxAbsErr: 1e-6}
	if got.Version != "2.13.0" || !slices.Equal(got.Rows, []Row{want}) || len(got.Failed) != 1 || !strings.Contains(got.Failed[0], "no compiler") {
		t.Errorf("got %+v", got)
	}
	if _, err := readTorch([]byte("Traceback"), config(), "cpu", nil); err == nil {
		t.Error("what is no JSON: no error")
	}
}
