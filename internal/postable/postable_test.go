package postable

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siglab/internal/safetensors"
	"siglab/posembed"
)

// save writes tensors of zeros with the given shapes.
func save(t *testing.T, path string, shapes map[string][]int) {
	t.Helper()
	var tensors []safetensors.Tensor
	for name, shape := range shapes {
		n := 2
		for _, side := range shape {
			n *= side
		}
		tensors = append(tensors, safetensors.Tensor{Name: name, DType: safetensors.BF16, Shape: shape, Data: make([]byte, n)})
	}
	if err := safetensors.Save(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	one, model, two := filepath.Join(dir, "one.safetensors"), filepath.Join(dir, "model"), filepath.Join(dir, "two.safetensors")
	save(t, one, map[string][]int{"x": {6, 8}})
	save(t, filepath.Join(dir, "4d.safetensors"), map[string][]int{"x": {1, 2, 3, 8}})
	save(t, two, map[string][]int{"a": {4, 8}, "b": {4, 8}, "flat": {3}})
	if err := os.Mkdir(model, 0o755); err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(model, "a-1.safetensors"), map[string][]int{"text_model.embeddings.position_embedding.weight": {64, 8}, "w": {3, 3}})
	save(t, filepath.Join(model, "a-2.safetensors"), map[string][]int{"vision_model.embeddings.position_embedding.weight": {9, 8}})
	tests := []struct {
		name, path, tensor string
		grid, want         posembed.Grid
		err                string
	}{
		{"the only tensor, grid given", one, "", posembed.Grid{Rows: 2, Cols: 3}, posembed.Grid{Rows: 2, Cols: 3}, ""},
		{"no square", one, "", posembed.Grid{}, posembed.Grid{}, `tensor "x" has 6 positions, which make no square`},
		{"another grid", one, "", posembed.Grid{Rows: 3, Cols: 3}, posembed.Grid{}, `tensor "x" has 6 positions (shape [6 8]): a grid of 3x3 has 9`},
		{"the shape says the grid", filepath.Join(dir, "4d.safetensors"), "", posembed.Grid{}, posembed.Grid{Rows: 2, Cols: 3}, ""},
		{"a model, not its text table", model, "", posembed.Grid{}, posembed.Grid{Rows: 3, Cols: 3}, ""},
		{"by name", two, "b", posembed.Grid{}, posembed.Grid{Rows: 2, Cols: 2}, ""},
		{"no such name", two, "c", posembed.Grid{}, posembed.Grid{}, `has no tensor "c": it has a, b, flat`},
		{"several, none named as a table", two, "", posembed.Grid{}, posembed.Grid{}, "name one of a, b, flat"},
		{"no channels", two, "flat", posembed.Grid{}, posembed.Grid{}, `tensor "flat" has shape [3]: want [positions, channels]`},
		{"no such file", filepath.Join(dir, "none"), "", posembed.Grid{}, posembed.Grid{}, "no such file"},
		{"an empty folder", t.TempDir(), "", posembed.Grid{}, posembed.Grid{}, "has no *.safetensors file"},
	}
	for _, test := range tests {
		table, err := Load(test.path, test.tensor, test.grid)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if table.Grid != test.want || table.Dim != 8 || len(table.Values) != table.Grid.Len()*8 {
			t.Errorf("%s: grid %v, %d channels, %d values, want %v and 8", test.name, table.Grid, table.Dim, len(table.Values), test.want)
		}
	}
}

// TestMake: white noise has the variance 1 and unrelated neighbours, a smooth table
// has related ones; both are the same for the same seed.
func TestMake(t *testing.T) {
	grid := posembed.Grid{Rows: 20, Cols: 20}
	for kind, related := range map[string]bool{"white": false, "smooth": true} {
		table, err := Make(kind, grid, 32, 7)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Make(kind, grid, 32, 7)
		if err != nil {
			t.Fatal(err)
		}
		var square, product float64
		for i, v := range table.Values {
			if again.Values[i] != v {
				t.Fatalf("%s: value %d differs for the same seed", kind, i)
			}
			square += float64(v) * float64(v)
			if i >= table.Dim {
				product += float64(v) * float64(table.Values[i-table.Dim])
			}
		}
		if correlation := product / square; math.Abs(correlation) > 0.1 != related {
			t.Errorf("%s: neighbours correlate by %.3f", kind, correlation)
		}
	}
	if _, err := Make("pink", grid, 1, 1); err == nil || !strings.Contains(err.Error(), `"pink": want one of white, smooth`) {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := Make("white", grid, 0, 1); err == nil {
		t.Error("no channels: no error")
	}
}
