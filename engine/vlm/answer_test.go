package vlm_test

import (
	"math"
	"slices"
	"testing"

	"siglab/engine/vlm"
	"siglab/posembed"
)

// The questions and the number of pictures of these tests; the scales' comment has
// the numbers for photographs.
const pictures = 4

func questions() []string { return []string{"Why?", "Describe this image in detail."} }

// answers are the greedy answers of a mode to all questions about all pictures.
func answers(t *testing.T, mode posembed.Mode) [][]int {
	m := open(t, mode, 1)
	var all [][]int
	for seed := range uint64(pictures) {
		features := encode(t, m, seed)
		for _, text := range questions() {
			all = append(all, answer(t, m, text, features, 32))
		}
	}
	return all
}

// TestAnswers: random:tiny answers as a comparison of servers needs it. Pictures
// and questions matter, text varies, exact and reference agree, and bilinear
// sometimes differs.
func TestAnswers(t *testing.T) {
	reference, exact, bilinear := answers(t, posembed.Reference), answers(t, posembed.Exact), answers(t, posembed.BilinearGather)
	parted := 0
	for i, a := range reference {
		for j := range i {
			if slices.Equal(a, reference[j]) {
				t.Errorf("cases %d and %d, with another picture or question, have the same answer", j, i)
			}
		}
		if different := len(slices.Compact(slices.Sorted(slices.Values(a)))); different < 8 {
			t.Errorf("case %d: %d different tokens among %d", i, different, len(a))
		}
		if !slices.Equal(a, exact[i]) {
			t.Errorf("case %d: exact answers %v, reference %v", i, exact[i], a)
		}
		if !slices.Equal(a, bilinear[i]) {
			parted++
		}
	}
	if n := len(reference); parted < n/5 || parted == n {
		t.Errorf("bilinear differs from reference in %d of %d cases, want some", parted, n)
	}
}

// TestModes: features of exact and reference differ by rounding, those of bilinear
// by percents.
func TestModes(t *testing.T) {
	features := func(mode posembed.Mode) vlm.Features { return encode(t, open(t, mode, 1), 1) }
	reference := features(posembed.Reference)
	relative := func(other vlm.Features) float64 {
		difference, size := 0.0, 0.0
		for i, v := range reference {
			difference += math.Pow(float64(other[i]-v), 2)
			size += math.Pow(float64(v), 2)
		}
		return math.Sqrt(difference / size)
	}
	if d := relative(features(posembed.Exact)); d == 0 || d > 1e-5 {
		t.Errorf("exact differs from reference by %g of its size, want rounding", d)
	}
	if d := relative(features(posembed.BilinearGather)); d < 0.01 || d > 0.5 {
		t.Errorf("bilinear differs from reference by %g of its size, want some percents", d)
	}
}
