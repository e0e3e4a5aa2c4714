//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

//go:generate go -C _asm run -tags purego . -out ../kernels_amd64.s -stubs ../kernels_stubs_amd64.go -pkg cpu

// vectorISAs are those that the processor runs.
func vectorISAs() []ISA {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || !cpu.X86.HasF16C {
		return nil
	}
	all := []ISA{AVX2}
	if cpu.X86.HasAVX512F {
		switch {
		case cpu.X86.HasAVX512BF16 && cpu.X86.HasAMXBF16:
			// These processors multiply pairs in their matrix unit; in registers it
			// takes them longer than float32 does.
			all = append(all, AVX512BF16, AVX512)
		case cpu.X86.HasAVX512BF16:
			all = append(all, AVX512, AVX512BF16)
		default:
			all = append(all, AVX512)
		}
	}
	return all
}

// newKernels are an instruction set's.
func newKernels(i ISA) *kernels {
	switch i {
	case AVX2:
		return avx2Kernels()
	case AVX512:
		return avx512Kernels()
	case AVX512BF16:
		k := avx512Kernels()
		k.packBF16 = packBF16AVX512
		return k
	default:
		return genericKernels()
	}
}

func avx2Kernels() *kernels {
	return &kernels{
		lanes: 8, columns: 16, heights: []int{1, 2, 4, 6},
		tiles: [weightTypes][]tileKernel{
			tileF32:  {tileF32x1AVX2, tileF32x2AVX2, tileF32x4AVX2, tileF32x6AVX2},
			tileBF16: {tileBF16x1AVX2, tileBF16x2AVX2, tileBF16x4AVX2, tileBF16x6AVX2},
			tileF16:  {tileF16x1AVX2, tileF16x2AVX2, tileF16x4AVX2, tileF16x6AVX2},
		},
		narrow:   []tileKernel{narrowF32x1AVX2, narrowF32x2AVX2, narrowF32x4AVX2, narrowF32x6AVX2},
		geluTanh: geluTanhAVX2, gelu: geluAVX2, siluMul: siluMulAVX2, geluTanhMul: geluTanhMulAVX2,
		add: addAVX2, roundBF16: roundBF16AVX2, rotate: rotateAVX2, scale: scaleAVX2,
		normalise: normaliseAVX2, sum: sumAVX2, deviations: deviationsAVX2,
		largest: largestAVX2, expSum: expSumAVX2, transpose: transposeAVX2, peak: peakAVX2,
	}
}

func avx512Kernels() *kernels {
	return &kernels{
		lanes: 16, columns: 32, heights: []int{1, 2, 4, 8, 14},
		tiles: [weightTypes][]tileKernel{
			tileF32:     {tileF32x1AVX512, tileF32x2AVX512, tileF32x4AVX512, tileF32x8AVX512, tileF32x14AVX512},
			tileBF16:    {tileBF16x1AVX512, tileBF16x2AVX512, tileBF16x4AVX512, tileBF16x8AVX512, tileBF16x14AVX512},
			tileF16:     {tileF16x1AVX512, tileF16x2AVX512, tileF16x4AVX512, tileF16x8AVX512, tileF16x14AVX512},
			tileBF16Dot: {tileBF16Dotx1AVX512, tileBF16Dotx2AVX512, tileBF16Dotx4AVX512, tileBF16Dotx8AVX512, tileBF16Dotx14AVX512},
		},
		narrow:   []tileKernel{narrowF32x1AVX512, narrowF32x2AVX512, narrowF32x4AVX512, narrowF32x8AVX512, narrowF32x14AVX512},
		geluTanh: geluTanhAVX512, gelu: geluAVX512, siluMul: siluMulAVX512, geluTanhMul: geluTanhMulAVX512,
		add: addAVX512, roundBF16: roundBF16AVX512, rotate: rotateAVX512, scale: scaleAVX512,
		normalise: normaliseAVX512, sum: sumAVX512, deviations: deviationsAVX512,
		largest: largestAVX512, expSum: expSumAVX512, transpose: transposeAVX2, peak: peakAVX512,
	}
}
