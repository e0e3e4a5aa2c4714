package posembed

import (
	"fmt"
	"slices"
	"strings"
)

// Convention says where an output position lies in the source table and which
// kernel weighs the positions around it. The package documentation has the
// formulas. The zero value is Bicubic.
type Convention uint8

// The conventions in use, each with who uses it.
const (
	// Bicubic: Hugging Face's SigLIP and most vision transformers. The reference.
	Bicubic Convention = iota
	// BicubicOffset: vLLM's SigLIP before 2026, which passed torch the scale
	// factor (n+0.1)/G. The only one that is not the identity on equal grids.
	BicubicOffset
	// BicubicAlignCorners separates the effect of the alignment from that of the kernel.
	BicubicAlignCorners
	// BicubicAntialias: torch's bicubic with antialias=True.
	BicubicAntialias
	// Bilinear: torch's default bilinear.
	Bilinear
	// BilinearAlignCorners: Qwen3-VL's fast_pos_embed_interpolate.
	BilinearAlignCorners
	// BilinearAntialias: SigLIP2 with native aspect ratios (NaFlex).
	BilinearAntialias
)

// conventionNames are the names by convention.
func conventionNames() []string {
	return []string{
		Bicubic:              "bicubic",
		BicubicOffset:        "bicubic-offset",
		BicubicAlignCorners:  "bicubic-align-corners",
		BicubicAntialias:     "bicubic-antialias",
		Bilinear:             "bilinear",
		BilinearAlignCorners: "bilinear-align-corners",
		BilinearAntialias:    "bilinear-antialias",
	}
}

// Conventions lists all conventions.
func Conventions() []Convention {
	all := make([]Convention, len(conventionNames()))
	for i := range all {
		all[i] = Convention(i)
	}
	return all
}

// ParseConvention reads the name that String writes.
func ParseConvention(name string) (Convention, error) {
	i, err := parseName("convention", name, conventionNames())
	return Convention(i), err
}

// String is the convention's name, such as "bicubic-align-corners".
func (c Convention) String() string { return nameOf("Convention", int(c), conventionNames()) }

// check reports whether the convention is one of Conventions.
func (c Convention) check() error {
	if int(c) >= len(conventionNames()) {
		return fmt.Errorf("unknown convention %v", c)
	}
	return nil
}

// copies reports whether resampling to the same grid is the identity.
func (c Convention) copies() bool { return c != BicubicOffset }

// parseName finds a name's index; the error lists the valid ones.
func parseName(kind, name string, valid []string) (int, error) {
	i := slices.Index(valid, name)
	if i < 0 {
		return 0, fmt.Errorf("unknown %s %q: want one of %s", kind, name, strings.Join(valid, ", "))
	}
	return i, nil
}

// nameOf is the name at an index, or Kind(index) if there is none.
func nameOf(kind string, i int, names []string) string {
	if i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}
