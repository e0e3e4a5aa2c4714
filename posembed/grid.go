package posembed

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limits of a grid. They bound what a plan allocates (12 bytes per tap, per axis at
// most five taps for each position of the longer side: 8 MB in all) and keep the
// number of positions within an int on every platform. 65536 patches of 14 pixels
// make an image of 917504 pixels a side.
const (
	maxSide = 1 << 16
	maxLen  = 1 << 30
)

// Grid is the shape of a table of positions: patches down and across.
type Grid struct{ Rows, Cols int }

// ParseGrid reads the form ROWSxCOLS that String writes, such as "27x27".
func ParseGrid(s string) (Grid, error) {
	rows, cols, found := strings.Cut(s, "x")
	r, errRows := strconv.ParseUint(rows, 10, 31)
	c, errCols := strconv.ParseUint(cols, 10, 31)
	if !found || errRows != nil || errCols != nil {
		return Grid{}, fmt.Errorf("grid %q: want ROWSxCOLS, such as 27x27", s)
	}
	g := Grid{Rows: int(r), Cols: int(c)}
	return g, g.check()
}

// String writes the grid as ROWSxCOLS.
func (g Grid) String() string { return fmt.Sprintf("%dx%d", g.Rows, g.Cols) }

// Len is the number of positions, Rows·Cols.
func (g Grid) Len() int { return g.Rows * g.Cols }

// check reports whether a table on the grid can be resampled.
func (g Grid) check() error {
	if g.Rows < 1 || g.Cols < 1 || g.Rows > maxSide || g.Cols > maxSide {
		return fmt.Errorf("grid %v: rows and columns must be between 1 and %d", g, maxSide)
	}
	if int64(g.Rows)*int64(g.Cols) > maxLen {
		return fmt.Errorf("grid %v: more than %d positions", g, maxLen)
	}
	return nil
}

// checkTable reports whether a slice of the given length is a table
// [g.Rows, g.Cols, dim] on a grid that passes check; name is what the error calls it.
func (g Grid) checkTable(name string, length, dim int) error {
	if err := g.check(); err != nil {
		return err
	}
	if dim < 1 {
		return fmt.Errorf("%s: %d channels: want at least 1", name, dim)
	}
	if dim > math.MaxInt/g.Len() {
		return fmt.Errorf("%s: a table [%d, %d, %d] is larger than the address space", name, g.Rows, g.Cols, dim)
	}
	if want := g.Len() * dim; length != want {
		return fmt.Errorf("%s has %d values: a table [%d, %d, %d] has %d", name, length, g.Rows, g.Cols, dim, want)
	}
	return nil
}
