// Package posembedcuda resamples position tables on an NVIDIA GPU: the conventions
// and modes of package posembed, with its weights, for float32, bfloat16 and float16.
//
// A [Table] is on the device; a [Work] is everything that has to be launched for one
// result or several, prepared once and launched any number of times, also into a
// CUDA graph:
//
//	gpu, err := posembedcuda.Open(0, cacheDir)
//	...
//	table, err := posembedcuda.Upload(gpu, values, grid, dim) // values []posembed.BFloat16
//	...
//	work, err := table.Apply(plan)
//	...
//	err = work.Launch(stream)
//	... work.Result() is [to.Rows, to.Cols, dim] on the device
//
// Kernels are compiled at run time by NVRTC and kept in cacheDir. Sums are taken in
// float32, within the bounds of posembed's vector implementations. Without a driver
// or NVRTC, Open says which is missing; nothing else of the module needs them.
package posembedcuda
