package posembedtest

import (
	_ "embed"
	"math"
	"path"
	"strings"
	"testing"

	"siglab/posembed"
)

// goldenFile holds source tables, "table/NAME" where NAME ends in the grid, and
// results, "CONVENTION/TABLE/GRID/TYPE": f32 and bf16 by torch 2.13 on a CPU (bf16
// of the table rounded to it), f64 by an independent float64 implementation of the
// formulas.
//
//go:embed testdata/goldens.safetensors
var goldenFile string

// testGoldens compares with the golden results of the implementation's type. There
// are none in float16.
func (impl Implementation[T]) testGoldens(t *testing.T) {
	dtype, tolerance := goldenTolerance[T]()
	if dtype == "" {
		t.Skip("no golden values in this type")
	}
	tensors, err := readTensors(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, result := range tensors {
		part := strings.Split(name, "/")
		if len(part) != 4 || part[0] != impl.Convention.String() || part[3] != dtype {
			continue
		}
		table := tensors[path.Join("table", part[1])]
		from := posembed.Grid{Rows: table.shape[0], Cols: table.shape[1]}
		to := posembed.Grid{Rows: result.shape[0], Cols: result.shape[1]}
		dim := result.shape[2]
		src := make([]T, len(table.values))
		for i, v := range table.values {
			src[i] = fromFloat64[T](v)
		}
		checkWithin(t, impl.resample(t, src, from, to, dim), result.values, from, to, dim, func(i int) float64 {
			return tolerance(result.values[i])
		})
		compared++
	}
	if compared == 0 {
		t.Errorf("no golden values for %v in %s", impl.Convention, dtype)
	}
}

// goldenTolerance is the type's name among the golden values and how far from them
// a result may be. torch's float32 is up to 1.1e-5 from the truth, since its
// coordinates are; its bfloat16 kernels round more than once.
func goldenTolerance[T Element]() (dtype string, tolerance func(want float64) float64) {
	var v T
	switch any(v).(type) {
	case float64:
		return "f64", func(float64) float64 { return 1e-12 }
	case float32:
		return "f32", func(float64) float64 { return 3e-5 }
	case posembed.BFloat16:
		return "bf16", func(want float64) float64 { return 0x1p-6 * max(1, math.Abs(want)) }
	default:
		return "", nil
	}
}
