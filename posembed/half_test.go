package posembed

import (
	"math"
	"testing"
)

// halfFormat is a 16-bit type under test.
type halfFormat struct {
	name     string
	value    func(bits uint16) float64
	round    func(v float64) uint16
	infinity uint16
}

func halfFormats() []halfFormat {
	return []halfFormat{
		{"bfloat16", func(b uint16) float64 { return float64(BFloat16(b).Float32()) }, func(v float64) uint16 { return uint16(RoundToBFloat16(v)) }, 0x7f80},
		{"float16", func(b uint16) float64 { return float64(Float16(b).Float32()) }, func(v float64) uint16 { return uint16(RoundToFloat16(v)) }, 0x7c00},
	}
}

// TestHalfEveryValue rounds every value of both types, the midpoint to the next
// one, which goes to the even of the two, and the float64 values on either side of
// the midpoint, each with both signs.
func TestHalfEveryValue(t *testing.T) {
	for _, f := range halfFormats() {
		for b := uint16(0); b < f.infinity; b++ {
			low, high := f.value(b), f.value(b+1)
			if b+1 == f.infinity { // the overflow threshold: one step above the largest
				high = 2*low - f.value(b-1)
			}
			middle := low + (high-low)/2
			even := b + b&1
			for _, test := range []struct {
				v    float64
				want uint16
			}{
				{low, b},
				{math.Nextafter(middle, 0), b},
				{middle, even},
				{math.Nextafter(middle, math.Inf(1)), b + 1},
			} {
				if got := f.round(test.v); got != test.want {
					t.Fatalf("%s: %v rounds to %#04x, want %#04x", f.name, test.v, got, test.want)
				}
				if got := f.round(-test.v); test.v != 0 && got != test.want|0x8000 {
					t.Fatalf("%s: %v rounds to %#04x, want %#04x", f.name, -test.v, got, test.want|0x8000)
				}
			}
		}
	}
}

// TestHalfEdges has the values that have no neighbours.
func TestHalfEdges(t *testing.T) {
	for _, f := range halfFormats() {
		for _, test := range []struct {
			v    float64
			want uint16
		}{
			{0, 0},
			{math.Copysign(0, -1), 0x8000},
			{math.Inf(1), f.infinity},
			{math.Inf(-1), f.infinity | 0x8000},
			{math.MaxFloat64, f.infinity},
			{math.SmallestNonzeroFloat64, 0},
			{-math.SmallestNonzeroFloat64, 0x8000},
			{0x1p-1022, 0},
		} {
			if got := f.round(test.v); got != test.want {
				t.Errorf("%s: %v rounds to %#04x, want %#04x", f.name, test.v, got, test.want)
			}
		}
		for b := f.infinity + 1; b < 0x8000; b++ { // every NaN
			v := f.value(b)
			if got := f.round(v); v == v || got <= f.infinity || got >= 0x8000 {
				t.Fatalf("%s: %#04x is %v, which rounds to %#04x, want a NaN", f.name, b, v, got)
			}
		}
		negative := math.Float64frombits(math.Float64bits(math.NaN()) | 1<<63)
		if got := f.round(negative); got <= f.infinity|0x8000 {
			t.Errorf("%s: a negative NaN rounds to %#04x", f.name, got)
		}
	}
}

// TestHalfKnownValues are bit patterns from the formats' definitions.
func TestHalfKnownValues(t *testing.T) {
	for _, test := range []struct {
		v        float64
		bfloat16 BFloat16
		float16  Float16
	}{
		{1, 0x3f80, 0x3c00},
		{-2, 0xc000, 0xc000},
		{65504, 0x4780, 0x7bff},                // the largest float16
		{65520, 0x4780, 0x7c00},                // its overflow threshold
		{0x1p-14, 0x3880, 0x0400},              // the smallest normal float16
		{0x1p-24, 0x3380, 0x0001},              // the smallest subnormal one
		{0x1p-25, 0x3300, 0x0000},              // a tie between it and zero
		{0x1.8p-25, 0x3340, 0x0001},            // nearer to it
		{0x1p-133, 0x0001, 0x0000},             // the smallest subnormal bfloat16
		{math.Pi, 0x4049, 0x4248},              // neither exact nor a tie
		{1 + 0x1p-8, 0x3f80, 0x3c04},           // a tie in bfloat16, to even
		{1 + 0x1p-8 + 0x1p-50, 0x3f81, 0x3c04}, // a tie only after rounding to float32
	} {
		if got := RoundToBFloat16(test.v); got != test.bfloat16 {
			t.Errorf("RoundToBFloat16(%v) = %#04x, want %#04x", test.v, got, test.bfloat16)
		}
		if got := RoundToFloat16(test.v); got != test.float16 {
			t.Errorf("RoundToFloat16(%v) = %#04x, want %#04x", test.v, got, test.float16)
		}
	}
}
