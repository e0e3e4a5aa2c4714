package posembed

import "fmt"

// Mode is a convention together with a way of computing it. Comparing two modes
// of one convention measures the implementation; comparing two conventions in one
// way of computing measures the convention.
type Mode uint8

// The modes, each in the words "convention: how it is computed".
const (
	// Reference: bicubic, as eager torch does it: float32 throughout, one loop
	// over output pixels that recomputes coordinates and coefficients, and inside
	// it one over channels with sixteen reads each. Nothing is kept between calls.
	Reference Mode = iota
	// BilinearGather: bilinear-align-corners, in the form of vLLM's
	// fast_pos_embed_interpolate: index and weight tensors in float32, four
	// gathers, multiplications and additions, each its own pass over memory.
	BilinearGather
	// BilinearFused: bilinear-align-corners, one pass of Plan.Apply.
	BilinearFused
	// Exact: bicubic, one pass of Plan.Apply.
	Exact
	// Cached: bicubic, Exact once per grid, then a copy of its result.
	Cached
	// Antialias: bilinear-antialias, one pass of Plan.Apply.
	Antialias
)

// modeNames are the names by mode.
func modeNames() []string {
	return []string{
		Reference:      "reference",
		BilinearGather: "bilinear",
		BilinearFused:  "bilinear-fused",
		Exact:          "exact",
		Cached:         "cached",
		Antialias:      "antialias",
	}
}

// Modes lists all modes.
func Modes() []Mode {
	all := make([]Mode, len(modeNames()))
	for i := range all {
		all[i] = Mode(i)
	}
	return all
}

// ParseMode reads the name that String writes; "bicubic" is another name of
// "reference".
func ParseMode(name string) (Mode, error) {
	if name == "bicubic" {
		return Reference, nil
	}
	i, err := parseName("mode", name, modeNames())
	return Mode(i), err
}

// String is the mode's name, such as "bilinear-fused".
func (m Mode) String() string { return nameOf("Mode", int(m), modeNames()) }

// Convention is the convention that the mode computes; that of an unknown mode is
// the zero value.
func (m Mode) Convention() Convention {
	switch m {
	case BilinearGather, BilinearFused:
		return BilinearAlignCorners
	case Antialias:
		return BilinearAntialias
	default:
		return Bicubic
	}
}

// check reports whether the mode is one of Modes.
func (m Mode) check() error {
	if int(m) >= len(modeNames()) {
		return fmt.Errorf("unknown mode %v", m)
	}
	return nil
}
