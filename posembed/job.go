package posembed

import (
	"sync"
	"sync/atomic"
)

// stripsPerThread is into how many strips of rows a result is cut for each
// goroutine: enough that one that is interrupted does not hold up the others, few
// enough that neighbouring rows, which read the same source rows, stay together.
const stripsPerThread = 2

// job is one table being resampled by several goroutines, to one result or to
// several that lie one after another.
type job[T any] struct {
	table          *table[T]
	implementation Implementation
	plans          []*Plan
	dst, src       []T
	dim            int

	rows, strip int          // rows of all results, and of a strip
	next        atomic.Int64 // first row that nobody has taken
	wait        sync.WaitGroup
	work        func() // takes strips until there are no more; a field so that starting a goroutine allocates nothing
}

// resample writes the results of the plans, one after another, to dst.
func (t *table[T]) resample(e Execution, plans []*Plan, dst, src []T, dim int) {
	j, ok := t.jobs.Get().(*job[T])
	if !ok {
		j = &job[T]{table: t}
		j.work = func() {
			defer j.wait.Done()
			j.takeStrips()
		}
	}
	j.implementation, j.plans, j.dst, j.src, j.dim = e.Implementation, plans, dst, src, dim
	j.rows = 0
	for _, p := range plans {
		j.rows += p.to.Rows
	}
	threads := min(e.Threads, j.rows)
	j.strip = j.rows
	if threads > 1 {
		j.strip = max(1, j.rows/(threads*stripsPerThread))
	}
	j.next.Store(0)

	if threads == 1 {
		j.takeStrips()
	} else {
		// All of them are goroutines, none is the caller: one that is started last by a
		// goroutine that goes on running is left to it for some time by the scheduler.
		j.wait.Add(threads)
		for range threads {
			go j.work()
		}
		j.wait.Wait()
	}

	j.plans, j.dst, j.src = nil, nil, nil
	t.jobs.Put(j)
}

// takeStrips computes strips until all are taken.
func (j *job[T]) takeStrips() {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	for {
		end := int(j.next.Add(int64(j.strip)))
		begin := end - j.strip
		if begin >= j.rows {
			break
		}
		j.compute(w, begin, min(end, j.rows))
	}
	storeFence()
}

// compute writes rows begin to end, counted over all results.
func (j *job[T]) compute(w *workspace, begin, end int) {
	first, offset := 0, 0 // of the plan's result: its row over all results, its place in dst
	for _, p := range j.plans {
		size := p.to.Len() * j.dim
		from, to := max(begin-first, 0), min(end-first, p.to.Rows)
		if from < to {
			j.table.rows(j.implementation, p, w, j.dst[offset:offset+size], j.src, j.dim, from, to)
		}
		first, offset = first+p.to.Rows, offset+size
	}
}
