//go:build !purego

package posembed

import "golang.org/x/sys/cpu"

//go:generate go -C _asm run -tags purego . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg posembed

// vectorImplementations are those that the processor runs.
func vectorImplementations() []Implementation {
	var all []Implementation
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C {
		all = append(all, AVX2)
		if cpu.X86.HasAVX512F {
			all = append(all, AVX512)
		}
	}
	return all
}

var avx2Kernels = kernels{
	lanes: 8,
	f32:   passes[float32]{blendRowsF32AVX2, blendColsF32AVX2},
	bf16:  passes[BFloat16]{blendRowsBF16AVX2, blendColsBF16AVX2},
	f16:   passes[Float16]{blendRowsF16AVX2, blendColsF16AVX2},
}

var avx512Kernels = kernels{
	lanes: 16,
	f32:   passes[float32]{blendRowsF32AVX512, blendColsF32AVX512},
	bf16:  passes[BFloat16]{blendRowsBF16AVX512, blendColsBF16AVX512},
	f16:   passes[Float16]{blendRowsF16AVX512, blendColsF16AVX512},
}

// kernels of an implementation, nil if it has none.
func (i Implementation) kernels() *kernels {
	switch i {
	case AVX2:
		return &avx2Kernels
	case AVX512:
		return &avx512Kernels
	default:
		return nil
	}
}
