// Package nvml reads what NVIDIA's management library tells about the GPUs of this
// machine: how busy they are, their memory, clocks, power, temperature, what holds
// their clocks back, and the processes on them.
//
// The library, libnvidia-ml.so.1, comes with the driver and is opened when it is
// needed, without cgo. Where it is missing, [Open] returns an error that says so and
// what to do. GPUs are known by their UUIDs, since their order differs between
// programs; where a GPU is split (MIG), its instances stand for it.
//
// Everything is read, nothing is set. A [Library] may be used by several goroutines.
package nvml
