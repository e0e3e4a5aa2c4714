package pace

import (
	"context"
	"time"
)

const (
	shortestSpin = 150 * time.Microsecond // above what a sleep is late by on an idle machine
	lateMargin   = 2                      // times what was seen of late
	forget       = 128                    // sleeps, about, until a late one is forgotten
)

// Sleeper is SleepUntil that spins for as long as this machine makes it necessary: where
// sleeps end late, because others keep the processors busy, longer, up to a scheduler's
// slice; on an idle machine hardly at all, so that the spinning does not take a
// processor from what is measured. It is for one goroutine.
type Sleeper struct {
	late time.Duration // how late sleeps have ended, the worst of the last ones
}

// Until returns at the deadline, or with the context's error as soon as it sees its end,
// which takes at most 10 ms. It spins for the longest time at most.
func (s *Sleeper) Until(ctx context.Context, deadline time.Time, longest time.Duration) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		begun := time.Now()
		planned := min(deadline.Sub(begun)-s.spin(longest), longestNap)
		if planned <= 0 {
			return spinUntil(ctx, deadline)
		}
		nap(planned)
		s.saw(time.Since(begun) - planned)
	}
}

func (s *Sleeper) spin(longest time.Duration) time.Duration {
	return min(longest, max(shortestSpin, lateMargin*s.late))
}

// saw takes in how late a sleep ended.
func (s *Sleeper) saw(late time.Duration) {
	s.late = max(late, s.late-s.late/forget)
}
