// Package accuracy measures how far the conventions of position-table resampling
// are apart on a given table.
//
// Two changes hide in a switch such as "bicubic to bilinear": that of the kernel and
// that of the alignment, where an output position lies in the table. [Compare] has
// the distance of every two conventions, and what they differ in, so that the two
// can be told apart.
package accuracy

import (
	"encoding/json"
	"fmt"
	"math"

	"siglab/posembed"
)

// Distance is how far a result b is from a result a, over all values together.
type Distance struct {
	Cosine    Number `json:"cosine"`     // ⟨a,b⟩ / (|a|·|b|)
	RelL2     Number `json:"rel_l2"`     // |b − a| / |a|
	MaxAbs    Number `json:"max_abs"`    // largest |b − a|
	NormRatio Number `json:"norm_ratio"` // |b| / |a|
}

// Number is a float64 that is null in JSON where it is not finite.
type Number float64

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// Between measures b against a, which have the same length, in float64. Results
// with a NaN or an infinity have distances that are NaN; so has a zero result.
func Between(a, b []float32) Distance {
	var ab, aa, bb, dd, largest float64
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		d := y - x
		ab += x * y
		aa += x * x
		bb += y * y
		dd += d * d
		largest = max(largest, math.Abs(d))
	}
	return Distance{
		Cosine:    Number(ab / math.Sqrt(aa*bb)),
		RelL2:     Number(math.Sqrt(dd / aa)),
		MaxAbs:    Number(largest),
		NormRatio: Number(math.Sqrt(bb / aa)),
	}
}

// Row is the distance of two conventions on one grid.
type Row struct {
	A         string  `json:"a"`
	B         string  `json:"b"`
	From      string  `json:"from"`
	To        string  `json:"to"`
	DiffersIn Aspects `json:"differs_in"`
	Distance
}

// Aspects are what two conventions differ in.
type Aspects struct {
	Kernel    bool `json:"kernel"`    // cubic or linear
	Alignment bool `json:"alignment"` // half-pixel, scale offset or corners
	Antialias bool `json:"antialias"` // widened where it shrinks, or not
}

// String names the aspects, such as "kernel, alignment".
func (a Aspects) String() string {
	text := ""
	for _, part := range []struct {
		differs bool
		name    string
	}{{a.Kernel, "kernel"}, {a.Alignment, "alignment"}, {a.Antialias, "antialias"}} {
		if part.differs {
			if text != "" {
				text += ", "
			}
			text += part.name
		}
	}
	return text
}

// differences of two conventions.
func differences(a, b posembed.Convention) Aspects {
	return Aspects{Kernel: cubic(a) != cubic(b), Alignment: alignment(a) != alignment(b), Antialias: antialias(a) != antialias(b)}
}

func cubic(c posembed.Convention) bool {
	return c == posembed.Bicubic || c == posembed.BicubicOffset || c == posembed.BicubicAlignCorners || c == posembed.BicubicAntialias
}

func antialias(c posembed.Convention) bool {
	return c == posembed.BicubicAntialias || c == posembed.BilinearAntialias
}

func alignment(c posembed.Convention) string {
	switch c {
	case posembed.BicubicAlignCorners, posembed.BilinearAlignCorners:
		return "corners"
	case posembed.BicubicOffset:
		return "offset"
	default:
		return "half-pixel"
	}
}

// Compare resamples a table [from.Rows, from.Cols, dim] to a grid by every
// convention and gives the distance of every two, the earlier of
// posembed.Conventions as a.
func Compare(table []float32, from, to posembed.Grid, dim int) ([]Row, error) {
	conventions := posembed.Conventions()
	results := make([][]float32, len(conventions))
	for i, c := range conventions {
		plan, err := posembed.NewPlan(from, to, c)
		if err == nil {
			results[i] = make([]float32, to.Len()*dim)
			err = plan.Apply(results[i], table, dim)
		}
		if err != nil {
			return nil, fmt.Errorf("compare conventions: %w", err)
		}
	}
	var rows []Row
	for i, a := range conventions {
		for j := i + 1; j < len(conventions); j++ {
			b := conventions[j]
			rows = append(rows, Row{A: a.String(), B: b.String(), From: from.String(), To: to.String(),
				DiffersIn: differences(a, b), Distance: Between(results[i], results[j])})
		}
	}
	return rows, nil
}

// Find is the row of two conventions on a grid, in whichever order they stand.
func Find(rows []Row, a, b posembed.Convention, to posembed.Grid) (Row, bool) {
	for _, r := range rows {
		if r.To == to.String() && (r.A == a.String() && r.B == b.String() || r.A == b.String() && r.B == a.String()) {
			return r, true
		}
	}
	return Row{}, false
}
