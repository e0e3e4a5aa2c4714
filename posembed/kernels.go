package posembed

// kernels are the vector kernels of an Implementation.
type kernels struct {
	lanes int // channels in a register: the unit of width below
	f32   passes[float32]
	bf16  passes[BFloat16]
	f16   passes[Float16]
}

// passes are the two passes of a separable resampling, for tables of T. Both sum
// in float32 with fused multiplications, in the order of the taps.
type passes[T any] struct {
	rows rowsKernel[T]
	cols colsKernel[T]
}

// rowsKernel blends source rows into one, over a block of channels:
//
//	dst[col·width + i] = Σₖ weight[k] · src[col·step + index[k]·pitch + i]
//
// for col < cols, i < width and k < taps. Steps and pitches count values; width is
// a multiple of the kernels' lanes.
type rowsKernel[T any] func(dst *float32, src *T, cols, step int, index *int32, weight *float32, taps, pitch, width int)

// colsKernel resamples along that row, and rounds to nearest even:
//
//	dst[col·step + i] = round(Σₖ weight[k] · src[index[k]·width + i])
//
// for col < cols, i < width and k from end[col−1] (0 for the first) to end[col].
// With stream, results that are aligned to 64 bytes go past the cache: storeFence
// must follow before anyone else reads them.
type colsKernel[T any] func(dst *T, src *float32, cols, step int, index *int32, weight *float32, end *int32, width int, stream bool)
