// Package pace waits until an instant more exactly than the runtime's timers do.
//
// A Go timer fires up to a millisecond late, since the runtime waits in epoll with
// that resolution; an operating system sleep is late by some 60 µs. SleepUntil
// sleeps to shortly before the instant and spins over the rest.
package pace

import (
	"context"
	"time"
)

// longestNap bounds the time until a cancelled context is seen.
const longestNap = 10 * time.Millisecond

// SleepUntil returns at the deadline, or with the context's error as soon as it
// sees its end, which takes at most 10 ms. The last stretch of length spin is spent
// spinning. It blocks an operating system thread, so it is for few goroutines.
func SleepUntil(ctx context.Context, deadline time.Time, spin time.Duration) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := time.Until(deadline)
		if left <= spin {
			break
		}
		nap(min(left-spin, longestNap))
	}
	return spinUntil(ctx, deadline)
}

func spinUntil(ctx context.Context, deadline time.Time) error {
	for time.Until(deadline) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
