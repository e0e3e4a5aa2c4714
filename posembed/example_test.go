package posembed_test

import (
	"fmt"

	"siglab/posembed"
)

func ExamplePlan_Apply() {
	from, to := posembed.Grid{Rows: 2, Cols: 2}, posembed.Grid{Rows: 3, Cols: 3}
	plan, err := posembed.NewPlan(from, to, posembed.BilinearAlignCorners)
	if err != nil {
		fmt.Println(err)
		return
	}
	const dim = 2 // channels: the row and ten times the column
	src := []float32{
		0, 0 /**/, 0, 10,
		1, 0 /**/, 1, 10,
	}
	dst := make([]float32, to.Len()*dim)
	if err := plan.Apply(dst, src, dim); err != nil {
		fmt.Println(err)
		return
	}
	for row := range to.Rows {
		fmt.Println(dst[row*to.Cols*dim:][:to.Cols*dim])
	}
	// Output:
	// [0 0 0 5 0 10]
	// [0.5 0 0.5 5 0.5 10]
	// [1 0 1 5 1 10]
}

func ExampleResampler() {
	mode, err := posembed.ParseMode("exact")
	if err != nil {
		fmt.Println(err)
		return
	}
	trained := posembed.Grid{Rows: 1, Cols: 4}
	r, err := posembed.NewResampler(mode, []float32{0, 1, 1, 0}, trained, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, to := range []posembed.Grid{trained, {Rows: 1, Cols: 2}} {
		dst := make([]float32, to.Len())
		if err := r.Resample(dst, to); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(to, dst, "copied:", r.Identity(to))
	}
	// Output:
	// 1x4 [0 1 1 0] copied: true
	// 1x2 [0.5 0.5] copied: false
}

func ExampleParseMode() {
	_, err := posembed.ParseMode("nearest")
	fmt.Println(err)
	// Output:
	// unknown mode "nearest": want one of reference, bilinear, bilinear-fused, exact, cached, antialias
}
