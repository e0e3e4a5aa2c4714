package loadgen

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"siglab/bench/record"
)

// The pacing goroutine sleeps in the operating system and spins over the last
// stretch, for as long as sleeps have lately ended too late. At most that is longer than
// the time for which a busy machine keeps a woken thread waiting: 3 ms, the scheduler's
// slice, which without the spin would be the send's lag. Where gaps are short the spin
// is bounded by a share of them, so that a high rate does not burn the core that the
// server needs.
const (
	longestSpin = 4 * time.Millisecond
	spinShare   = 20 // of a mean gap: 5 % of a core
)

// runOpen lets one goroutine pace; one more per request in flight sends.
func (l *loop) runOpen(ctx context.Context, items iter.Seq[record.Item]) error {
	places := queue{free: l.Concurrency}
	before, n := time.Duration(0), 0
	var broken, ended error // what keeps the rest from being sent
	for item := range items {
		j := job{item: item, scheduled: l.start.Add(item.Offset).Sub(l.Origin)}
		n++
		if item.Offset < before && broken == nil {
			broken = fmt.Errorf("item %s at offset %v comes after one at %v: offsets must ascend", item.ID, item.Offset, before)
		}
		if before = item.Offset; broken != nil {
			l.notSent(j, broken)
			continue
		}
		if ended == nil {
			ended = l.wait(ctx, l.start.Add(item.Offset), spinFor(item.Offset, n))
		}
		if ended != nil {
			l.notSent(j, ended)
			continue
		}
		j.dequeued = l.now()
		if l.Loop == Open {
			l.inFlight.Go(func() { l.serve(ctx, j) })
			runtime.Gosched() // it is sent from here, now, rather than when another thread has woken
			continue
		}
		j.queued = j.dequeued
		if places.enter(j) {
			l.inFlight.Go(func() { l.servePlace(ctx, &places, j) })
			runtime.Gosched()
		}
	}
	return broken
}

// servePlace serves a job, and then those that waited for its place.
func (l *loop) servePlace(ctx context.Context, places *queue, j job) {
	for ok := true; ok; {
		l.serve(ctx, j)
		if j, ok = places.leave(); ok {
			j.dequeued = l.now()
		}
	}
}

// queue holds the jobs that are due and wait for a place, the oldest first.
type queue struct {
	mu      sync.Mutex
	free    int
	waiting []job
}

// enter takes a free place for the job, or queues it and returns false.
func (q *queue) enter(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return true
	}
	q.waiting = append(q.waiting, j)
	return false
}

// leave gives a place to the job that has waited longest, or frees it.
func (q *queue) leave() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting = nil
		q.free++
		return job{}, false
	}
	j := q.waiting[0]
	q.waiting[0] = job{} // lets go of its body
	q.waiting = q.waiting[1:]
	return j, true
}

// spinFor is how long to spin before the send of the nth item, by the mean gap so
// far.
func spinFor(offset time.Duration, n int) time.Duration {
	return min(longestSpin, offset/time.Duration(n*spinShare))
}
