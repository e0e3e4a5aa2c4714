// Package posembed resamples the learned position table of a vision
// transformer from the patch grid it was trained on to another one.
//
// A table is row-major over its grid with the channels contiguous: [rows, cols,
// dim]. A [Plan] holds the weights from one grid to another under one
// [Convention]; it is made once, does not depend on the channels, and is applied
// any number of times:
//
//	plan, err := posembed.NewPlan(from, to, posembed.Bicubic) // from 27x27 to 32x24
//	...
//	err = plan.Apply(dst, src, 1152) // src [27, 27, 1152], dst [32, 24, 1152]
//
// A [Resampler] is one table behind one [Mode]: the same arithmetic in the
// different ways in which model servers do it, slow ones included, so that they
// can be compared.
//
// # Conventions
//
// All of them are separable: out = Wy · T · Wxᵀ for every channel, with one
// banded weight matrix per axis. With i the output index, n the output size and
// G the table's size along an axis, the source coordinate s(i) is
//
//	half-pixel      (i+0.5)·G/n − 0.5
//	scale offset    (i+0.5)·G/(n+0.1) − 0.5
//	align corners   i·(G−1)/(n−1), 0 if n = 1
//
// The cubic kernel is Keys' convolution ("Cubic convolution interpolation for
// digital image processing", 1981) with parameter A, the linear one a triangle:
//
//	bicubic                 half-pixel     A = −0.75, tap indices clamped to the table
//	bicubic-offset          scale offset   as bicubic
//	bicubic-align-corners   align corners  as bicubic
//	bicubic-antialias       half-pixel     A = −0.5, widened by max(1, G/n), taps outside dropped, normalised
//	bilinear                half-pixel     s clamped to ≥ 0, upper tap clamped
//	bilinear-align-corners  align corners  upper tap clamped
//	bilinear-antialias      half-pixel     triangle, otherwise as bicubic-antialias
//
// The formulas are those of PyTorch's upsample kernels (ATen/native/UpSample.h,
// version 2.13) and, for bicubic-offset, of passing scale_factor=(n+0.1)/G to
// torch.nn.functional.interpolate.
//
// A grid resampled to itself is a copy, bit for bit, in every convention but
// bicubic-offset, which is not the identity there and is computed.
//
// # Implementations
//
// [Generic] is the oracle: it sums in float64 and rounds once, to nearest even, to
// the type of the table. Products are rounded before they are added (never fused),
// so its results have the same bits on every architecture. [AVX2] and [AVX512],
// chosen at run time, sum in float32 with fused multiplications. Before the last
// rounding their error is at most two units in the last place (2·2⁻²³) of
// Σ|weight|·|value| over the taps; constant tables come back within two units in
// the last place, and to the bit in 16-bit types. doc/numerics.md derives the
// bounds. What they cannot compute within them, plans with more than twelve taps
// along an axis, and tables with fewer than 16 channels, they leave to Generic.
//
// A result has the same bits for any number of threads, alone or in a [Batch].
//
// # Deviations from PyTorch
//
// PyTorch computes coordinates and weights of a float32 table in float32; here
// coordinates are exact fractions of integers and weights are computed in float64.
// On tables of standard normal values the two differ by up to 1.1e-5.
//
// A tap whose weight is zero is still read, as PyTorch does: a NaN or an
// infinity under it gives NaN.
//
// # Errors
//
// Grids of fewer than 1 or more than 65536 rows or columns, or of more than 2³⁰
// positions, unknown conventions, channel counts below 1 and slices of the wrong
// length are errors that name the value. Nothing panics, and no value in a table
// changes how long a call takes by more than the processor's handling of
// subnormal numbers.
package posembed
