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
		for item := range items {
			l.notSent(job{item: item, scheduled: l.start.Sub(l.Origin)}, err)
		}
		return
	}
	next, stop := iter.Pull(items)
	defer stop()
	var mu sync.Mutex
	take := func() (job, bool) {
		mu.Lock()
		defer mu.Unlock()
		item, ok := next()
		j := job{item: item, scheduled: l.now()}
		j.dequeued = j.scheduled
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
