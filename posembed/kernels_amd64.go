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
	channels: 16,
	f32:      passes[float32]{blendF32ToF32AVX2, blendF32ToF32AVX2},
	bf16:     passes[BFloat16]{blendBF16ToF32AVX2, blendF32ToBF16AVX2},
	f16:      passes[Float16]{blendF16ToF32AVX2, blendF32ToF16AVX2},
}

var avx512Kernels = kernels{
	channels: 32,
	f32:      passes[float32]{blendF32ToF32AVX512, blendF32ToF32AVX512},
	bf16:     passes[BFloat16]{blendBF16ToF32AVX512, blendF32ToBF16AVX512},
	f16:      passes[Float16]{blendF16ToF32AVX512, blendF32ToF16AVX512},
	narrower: &avx2Kernels,
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
