package loadgen

import (
	"context"
	"iter"
	"sync"

	"siglab/bench/record"
)

// runClosed lets each place take the next item when it is free. An item is scheduled
// when it is taken: in a closed loop the server decides.
func (l *loop) runClosed(ctx context.Context, items iter.Seq[record.Item]) {
	if err := l.wait(ctx, l.start, 0); err != nil {
		position := 0
		for item := range items {
			l.notSent(job{item: item, position: position, scheduled: l.start.Sub(l.Origin)}, err)
			position++
		}
		return
	}
	next, stop := iter.Pull(items)
	defer stop()
	var mu sync.Mutex
	position := 0
	take := func() (job, bool) {
		mu.Lock()
		defer mu.Unlock()
		item, ok := next()
		j := job{item: item, position: position, scheduled: l.now()}
		j.dequeued = j.scheduled
		position++
		return j, ok
	}
	for range l.Concurrency {
		l.inFlight.Go(func() {
			for j, ok := take(); ok; j, ok = take() {
				l.serve(ctx, j)
			}
		})
	}
	l.inFlight.Wait() // before stop
}
