package weights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"siglab/internal/safetensors"
)

// TestFinite finds the one value that is not finite, wherever it is, in every type.
func TestFinite(t *testing.T) {
	for _, test := range []struct {
		dtype safetensors.DType
		fine  []byte // the largest finite value
		wrong [][]byte
	}{
		{safetensors.F32, []byte{0xff, 0xff, 0x7f, 0xff}, [][]byte{{0, 0, 0x80, 0x7f}, {1, 0, 0x80, 0xff}}},
		{safetensors.BF16, []byte{0x7f, 0x7f}, [][]byte{{0x80, 0x7f}, {0xc0, 0xff}}},
		{safetensors.F16, []byte{0xff, 0xfb}, [][]byte{{0, 0x7c}, {1, 0xfe}}},
	} {
		for n := range 11 {
			fine := slices.Repeat(test.fine, n+1)
			if err := checkFinite(safetensors.Tensor{DType: test.dtype, Data: fine}); err != nil {
				t.Errorf("%v of %d finite values: %v", test.dtype, n+1, err)
			}
			for _, wrong := range test.wrong {
				for at := range n + 1 {
					data := slices.Clone(fine)
					copy(data[at*len(wrong):], wrong)
					err := checkFinite(safetensors.Tensor{DType: test.dtype, Data: data})
					if want := fmt.Sprintf("value %d is not finite", at); err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%v of %d values: error %v, want %q", test.dtype, n+1, err, want)
					}
				}
			}
		}
	}
}
