package posembedcuda

import (
	"fmt"
	"testing"

	"siglab/internal/cudart"
)

// variants are all compilations of resample.cu.
func variants() []variant {
	var all []variant
	for element, size := range []int{4, 2, 2} {
		for _, vec := range []int{1, 16 / size} {
			for _, taps := range []int{4, 2, 0} {
				all = append(all, variant{element, vec, taps, min(2, max(1, taps)), vec / 8})
			}
		}
	}
	return all
}

// TestKernelsCompile needs NVRTC, but no GPU.
func TestKernelsCompile(t *testing.T) {
	compiler, err := cudart.OpenCompiler()
	if err != nil {
		t.Skip("no run-time compiler: ", err)
	}
	for _, arch := range []string{"sm_80", "sm_90"} {
		for _, v := range variants() {
			_, log, err := compiler.Compile(source, "resample.cu", arch, v.options())
			if err != nil || log != "" {
				t.Errorf("%s, %+v: %v\n%s", arch, v, err, log)
			}
		}
	}
	if _, _, err := compiler.Compile(source, "resample.cu", "sm_90", []string{"-DELEMENT=0"}); err == nil {
		t.Error("without VEC and TAPS it compiles too: ", fmt.Sprint(variants()))
	}
}
