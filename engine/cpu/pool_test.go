package cpu

import (
	"sync/atomic"
	"testing"
	"time"
)

// counting counts how often each of its units is done.
type counting struct {
	done  []atomic.Int32
	sleep time.Duration // of the first unit
}

func (c *counting) unit(_ *scratch, n int) {
	c.done[n].Add(1)
	if n == 0 {
		time.Sleep(c.sleep)
	}
}

// TestPool: every unit of every task is done once, before run returns, by threads that
// are awake, asleep, or in between.
func TestPool(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		p := newPool(threads)
		for round := range 3000 {
			c := &counting{done: make([]atomic.Int32, round%9)}
			if round%500 == 0 {
				c.sleep = time.Millisecond // the caller sleeps, and the other threads
			}
			p.run(c, len(c.done))
			for n := range c.done {
				if got := c.done[n].Load(); got != 1 {
					t.Fatalf("%d threads, task %d: unit %d was done %d times", threads, round, n, got)
				}
			}
		}
		p.close()
	}
}

// TestPoolIdle: a pool whose threads sleep can be closed.
func TestPoolIdle(_ *testing.T) {
	p := newPool(4)
	time.Sleep(5 * time.Millisecond)
	p.close()
}
