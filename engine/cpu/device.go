package cpu

import (
	"runtime"
	"sync"
)

// Device runs operations on a fixed number of threads. It is not safe for
// concurrent use: one goroutine at a time calls it.
type Device struct {
	threads int
	work    chan func()
	workers sync.WaitGroup
	closing sync.Once
	scratch [][]float32 // one buffer for each thread
}

// Options are a device's choices. The zero value takes all threads.
type Options struct {
	Threads int // that compute; less than 1 for as many as Go may use
}

// New starts a device. The calling goroutine counts as one of its threads. Close ends
// the others.
func New(o Options) *Device {
	threads := o.Threads
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	d := &Device{threads: threads, work: make(chan func()), scratch: make([][]float32, threads)}
	for range threads - 1 {
		d.workers.Go(func() {
			for task := range d.work {
				task()
			}
		})
	}
	return d
}

// Threads is the number of threads that operations are spread over.
func (d *Device) Threads() int { return d.threads }

// Close ends the device's goroutines and waits for them. The device must not be
// used afterwards; closing it again does nothing.
func (d *Device) Close() {
	d.closing.Do(func() { close(d.work) })
	d.workers.Wait()
}

// minCost is how many multiplications a thread must get before waking it pays: some
// ten times the few microseconds that handing over and waiting take.
const minCost = 1 << 18

// split calls do for stretches [begin, end) that together are [0, n), each on a
// thread of its own, and returns when all are done. cost is the number of
// multiplications of one index. The number of stretches depends on the number of
// threads, so do must compute every index by itself.
func (d *Device) split(n, cost int, do func(thread, begin, end int)) {
	parts := min(d.threads, n, 1+n*cost/minCost)
	if parts <= 1 {
		do(0, 0, n)
		return
	}
	var done sync.WaitGroup
	done.Add(parts - 1)
	for p := 1; p < parts; p++ {
		d.work <- func() {
			defer done.Done()
			do(p, p*n/parts, (p+1)*n/parts)
		}
	}
	do(0, 0, n/parts)
	done.Wait()
}

// buffer is a thread's scratch memory of the given length, with unspecified
// contents. It is valid until the thread asks again.
func (d *Device) buffer(thread, length int) []float32 {
	if cap(d.scratch[thread]) < length {
		d.scratch[thread] = make([]float32, length)
	}
	return d.scratch[thread][:length]
}
