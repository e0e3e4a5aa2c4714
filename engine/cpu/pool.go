package cpu

import (
	"sync"
	"sync/atomic"
)

// task is work that falls into units, which any thread may do in any order.
type task interface {
	// unit does one of them with the memory of the thread that does it.
	unit(s *scratch, n int)
}

// pool is the threads of a device. Operations follow each other within microseconds,
// so that idle workers look for work for that long before they sleep; no longer,
// because others need the cores.
type pool struct {
	task task         // what is being done; written only while no unit is left
	left atomic.Int64 // units that nobody has taken yet; none if negative
	open atomic.Int64 // units that are not done

	waiting atomic.Bool   // the caller sleeps
	done    chan struct{} // wakes it

	workers []*worker
	scratch []scratch // of each thread, the caller's first
	running sync.WaitGroup
	closed  atomic.Bool
}

// worker is a goroutine that does units.
type worker struct {
	asleep atomic.Bool
	wake   chan struct{}
}

// spins is how many pauses a thread waits before it sleeps: three microseconds or so.
const spins = 64

func newPool(threads int) *pool {
	p := &pool{done: make(chan struct{}, 1), scratch: make([]scratch, threads)}
	for i := range p.scratch {
		p.scratch[i].init()
	}
	for i := range threads - 1 {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		p.running.Go(func() {
			for p.await(w) {
				p.help(&p.scratch[i+1])
			}
		})
	}
	return p
}

// close ends the workers and waits for them.
func (p *pool) close() {
	p.closed.Store(true)
	for _, w := range p.workers {
		w.rouse()
	}
	p.running.Wait()
}

// alone does all units of a task on the calling thread.
func (p *pool) alone(t task, units int) {
	for n := range units {
		t.unit(&p.scratch[0], n)
	}
}

// run does all units of a task and returns when they are done. One unit is done by the
// caller, without waking anyone.
func (p *pool) run(t task, units int) {
	if units <= 1 || len(p.workers) == 0 {
		p.alone(t, units)
		return
	}
	p.task = t
	p.open.Store(int64(units))
	p.left.Store(int64(units)) // from here on, workers take units
	for _, w := range p.workers[:min(len(p.workers), units-1)] {
		w.rouse()
	}
	p.help(&p.scratch[0])
	for range spins {
		if p.open.Load() == 0 {
			return
		}
		pause()
	}
	for p.open.Load() > 0 {
		p.waiting.Store(true)
		if p.open.Load() > 0 || !p.waiting.CompareAndSwap(true, false) {
			<-p.done // from whoever finished the last unit, perhaps of the task before
		}
	}
}

// help does units until none is left.
func (p *pool) help(s *scratch) {
	for {
		n := p.left.Add(-1)
		if n < 0 {
			return
		}
		p.task.unit(s, int(n))
		if p.open.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
			p.done <- struct{}{}
		}
	}
}

// await returns when there may be work, or false when the pool is closed.
func (p *pool) await(w *worker) bool {
	for range spins {
		if p.left.Load() > 0 {
			return true
		}
		pause()
	}
	w.asleep.Store(true)
	if p.left.Load() > 0 || p.closed.Load() {
		w.rouse() // unless someone else does: either way, wake is sent
	}
	<-w.wake
	return !p.closed.Load()
}

// rouse wakes a worker that sleeps.
func (w *worker) rouse() {
	if w.asleep.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}
