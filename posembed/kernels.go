package posembed

// kernels are the vector kernels of an Implementation.
type kernels struct {
	channels int // that they handle at a time
	f32      passes[float32]
	bf16     passes[BFloat16]
	f16      passes[Float16]
	narrower *kernels // for tables with fewer channels than that, or nil
}

// passes are the two passes of a separable resampling, for tables of T. Between
// them channels are float32, in an order that only the two know of.
type passes[T any] struct {
	rows blendKernel[float32, T] // blends rows of the table
	cols blendKernel[T, float32] // blends columns of a blended row
}

// blendKernel writes the weighted sum of stretches of src:
//
//	dst[i] = round(Σₖ weight[k] · src[index[k]·pitch + i])
//
// for i < width and k < taps, which is at least 1. It sums in float32 with fused
// multiplications, in the order of the taps, and rounds to nearest even. pitch
// counts values; width is a multiple of the kernels' channels. With stream, results
// of two or four taps that are aligned to 64 bytes go past the cache: storeFence must
// follow before anyone else reads them.
type blendKernel[D, S any] func(dst *D, src *S, index *int32, weight *float32, taps, pitch, width int, stream bool)
