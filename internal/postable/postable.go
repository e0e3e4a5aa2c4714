// Package postable gets position tables: out of checkpoints, where it finds them by
// name, or made up.
package postable

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"siglab/internal/safetensors"
	"siglab/posembed"
)

// Table is a position table.
type Table struct {
	Name   string // of the tensor, or how it was made
	Grid   posembed.Grid
	Dim    int               // channels
	DType  safetensors.DType // that it was stored in
	Values []float32         // [Grid.Rows, Grid.Cols, Dim]
}

// Load reads a table from a safetensors file or from a folder of them, a model's.
//
// tensor is its name; if it is empty, the only tensor of a file, or the one that is
// called as vision towers call theirs, is taken. grid is its grid; if it is zero,
// the tensor's own or a square one is taken. The tensor's last side is the channels,
// the product of the others the positions.
func Load(path, tensor string, grid posembed.Grid) (*Table, error) {
	files, err := checkpointFiles(path)
	if err != nil {
		return nil, err
	}
	var candidates, others []string // "FILE: TENSOR"
	var found *Table
	for _, file := range files {
		err := func() error {
			f, err := safetensors.Open(file)
			if err != nil {
				return err
			}
			defer f.Close() //nolint:errcheck // a mapping that was only read
			names := f.Names()
			for _, name := range names {
				if tensor != "" && name != tensor {
					others = append(others, name)
					continue
				}
				if tensor == "" && !isTableName(name) && (len(files) > 1 || len(names) > 1) {
					others = append(others, name)
					continue
				}
				t, err := f.Tensor(name)
				if err != nil {
					return err
				}
				candidates = append(candidates, name)
				if found, err = newTable(t, grid); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
			return nil
		}()
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(candidates) == 1:
		return found, nil
	case len(candidates) > 1:
		return nil, fmt.Errorf("%s has more than one position table: name one of %s", path, strings.Join(candidates, ", "))
	case tensor != "":
		return nil, fmt.Errorf("%s has no tensor %q: it has %s", path, tensor, some(others))
	default:
		return nil, fmt.Errorf("%s has no tensor that is called as a position table: name one of %s", path, some(others))
	}
}

// checkpointFiles are the safetensors files of a model folder, or the file itself.
func checkpointFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find a position table: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(escape(path), "*.safetensors"))
	if err == nil && len(files) == 0 {
		err = errors.New("the folder has no *.safetensors file")
	}
	if err != nil {
		return nil, fmt.Errorf("find a position table in %s: %w", path, err)
	}
	return files, nil
}

// escape keeps the special characters of a path out of a pattern.
func escape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// some is a list of names, cut short.
func some(names []string) string {
	const most = 10
	slices.Sort(names)
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// isTableName reports whether vision towers call their position table so:
// Hugging Face's and vLLM's SigLIP position_embedding.weight, others pos_embed.
// Text models have tables of the same name, which have no grid.
func isTableName(name string) bool {
	if strings.Contains(name, "text_model") || strings.Contains(name, "language_model") {
		return false
	}
	for _, suffix := range []string{"position_embedding.weight", "position_embedding", "position_embeddings", "pos_embed.weight", "pos_embed"} {
		if name == suffix || strings.HasSuffix(name, "."+suffix) {
			return true
		}
	}
	return false
}

// newTable takes a tensor as a table on a grid.
func newTable(t safetensors.Tensor, grid posembed.Grid) (*Table, error) {
	if len(t.Shape) < 2 {
		return nil, fmt.Errorf("tensor %q has shape %v: want [positions, channels]", t.Name, t.Shape)
	}
	sides, dim := t.Shape[:len(t.Shape)-1], t.Shape[len(t.Shape)-1]
	positions := 1
	for _, n := range sides {
		positions *= n // the file has as many bytes, so it does not overflow
	}
	if positions < 1 || dim < 1 {
		return nil, fmt.Errorf("tensor %q has shape %v: want at least one position and one channel", t.Name, t.Shape)
	}
	if grid == (posembed.Grid{}) {
		if grid = gridOf(sides, positions); grid.Len() != positions {
			return nil, fmt.Errorf("tensor %q has %d positions, which make no square: give its grid, such as --from %dx%d",
				t.Name, positions, cmp.Or(positions/2, 1), 2)
		}
	}
	if grid.Len() != positions {
		return nil, fmt.Errorf("tensor %q has %d positions (shape %v): a grid of %v has %d", t.Name, positions, t.Shape, grid, grid.Len())
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	return &Table{Name: t.Name, Grid: grid, Dim: dim, DType: t.DType, Values: values}, nil
}

// gridOf is the grid that the sides of a tensor say, or else the square one.
func gridOf(sides []int, positions int) posembed.Grid {
	if n := len(sides); n >= 2 && sides[n-1]*sides[n-2] == positions && sides[n-2] > 1 {
		return posembed.Grid{Rows: sides[n-2], Cols: sides[n-1]}
	}
	side := int(math.Round(math.Sqrt(float64(positions))))
	return posembed.Grid{Rows: side, Cols: side}
}

// Kinds are the names of the tables that Make makes.
func Kinds() []string { return []string{"white", "smooth"} }

// Make makes a table up: "white", independent standard normal values, the worst case
// of every resampling, or "smooth", in every channel a sum of cosines of up to three
// half-waves across the grid. A trained table lies between the two.
func Make(kind string, grid posembed.Grid, dim int, seed uint64) (*Table, error) {
	if dim < 1 || dim > math.MaxInt32/max(1, grid.Len()) {
		return nil, fmt.Errorf("a table of %v positions with %d channels: want at least 1 channel and fewer than 2³¹ values", grid, dim)
	}
	rng := rand.New(rand.NewPCG(seed, 0x706f73))
	t := &Table{Name: kind, Grid: grid, Dim: dim, DType: safetensors.F32, Values: make([]float32, grid.Len()*dim)}
	switch kind {
	case "white":
		for i := range t.Values {
			t.Values[i] = float32(rng.NormFloat64())
		}
	case "smooth":
		t.addWaves(rng)
	default:
		return nil, fmt.Errorf("unknown kind of table %q: want one of %s", kind, strings.Join(Kinds(), ", "))
	}
	return t, nil
}

// addWaves adds cosines of 0 to 3 half-waves down and across, the longer ones the
// larger, with random amplitudes in every channel.
func (t *Table) addWaves(rng *rand.Rand) {
	const most = 3
	wave := func(k, i, n int) float64 { return math.Cos(math.Pi * float64(k) * (float64(i) + 0.5) / float64(n)) }
	for ky := range most + 1 {
		for kx := range most + 1 {
			for c := range t.Dim {
				amplitude := rng.NormFloat64() / float64(1+ky+kx)
				for row := range t.Grid.Rows {
					for col := range t.Grid.Cols {
						t.Values[(row*t.Grid.Cols+col)*t.Dim+c] += float32(amplitude * wave(ky, row, t.Grid.Rows) * wave(kx, col, t.Grid.Cols))
					}
				}
			}
		}
	}
}
