package pace

import (
	"context"
	"time"
)

const (
	shortestSpin = 150 * time.Microsecond // above what a sleep is late by on an idle machine
	timerLate    = 3 * time.Millisecond   // above what the runtime's timers are late by
	forget       = 32                     // sleeps, about, until a late one is forgotten
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
//
// Most of the time passes in a timer of the runtime: a thread that sleeps in the
// operating system again and again keeps the runtime's monitor awake, which costs more
// than all spinning.
func (s *Sleeper) Until(ctx context.Context, deadline time.Time, longest time.Duration) error {
	if early := time.Until(deadline) - longest - timerLate; early > 0 {
		timer := time.NewTimer(early)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
	return min(longest, max(shortestSpin, s.late+s.late/4))
}

// saw takes in how late a sleep ended.
func (s *Sleeper) saw(late time.Duration) {
	s.late = max(late, s.late-s.late/forget)
}
