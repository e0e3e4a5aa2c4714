package cpu

import (
	"runtime"
	"sync"
)

// Device runs operations on a fixed number of threads. It is not safe for
// concurrent use: one goroutine at a time calls it.
type Device struct {
	isa        ISA
	arithmetic Arithmetic
	kernels    *kernels
	pool       *pool
	closing    sync.Once

	// The operations' arguments, kept here so that a call allocates nothing.
	packing   packTask
	product   product
	each      eachTask
	norm      normTask
	rope      ropeTask
	store     storeTask
	attention attentionTask
	whole     keyValues // of Attention
	zeros     []float32 // as many as the longest norm has values
}

// Options are a device's choices. The zero value takes all threads, float32 and the
// fastest instruction set.
type Options struct {
	Threads    int // that compute; less than 1 for as many as Go may use
	Arithmetic Arithmetic
	ISA        ISA // one that does not run here is replaced by the fastest that does
}

// New starts a device. The calling goroutine counts as one of its threads. Close ends
// the others.
func New(o Options) *Device {
	if o.Threads < 1 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	isa := o.ISA.available()
	return &Device{isa: isa, arithmetic: o.Arithmetic, kernels: newKernels(isa), pool: newPool(o.Threads)}
}

// Threads is the number of threads that operations are spread over.
func (d *Device) Threads() int { return len(d.pool.scratch) }

// ISA is the instruction set that the device computes with.
func (d *Device) ISA() ISA { return d.isa }

// Arithmetic is how the device computes matrix products with weights.
func (d *Device) Arithmetic() Arithmetic { return d.arithmetic }

// Close ends the device's goroutines and waits for them. The device must not be
// used afterwards; closing it again does nothing.
func (d *Device) Close() { d.closing.Do(d.pool.close) }

// minCost is how many multiplications a task must have before waking a thread pays:
// some ten times the few microseconds that handing over and waiting take.
const minCost = 1 << 18

// do runs a task of so many multiplications, on one thread if they are few.
func (d *Device) do(t task, units, cost int) {
	if cost < minCost {
		d.pool.alone(t, units)
		return
	}
	d.pool.run(t, units)
}

// share is how many units to make of n things that cost so many multiplications each:
// one if they are not worth sharing, otherwise some for each thread, so that one that
// is held up leaves its work to others.
func (d *Device) share(n, cost int) int {
	const each = 4 // units of a thread
	return max(1, min(n, each*d.Threads(), n*cost*d.Threads()/minCost))
}
