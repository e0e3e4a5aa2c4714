package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siglab/internal/pace"
)

const (
	clockTries = 50
	mostLate   = 2 * time.Millisecond // of the latest of the tries
)

// clock measures the clock's step and how late a paced send would be.
func clock(ctx context.Context) Check {
	step := time.Duration(1<<63 - 1)
	for range 1000 {
		begun := time.Now()
		var d time.Duration
		for d == 0 {
			d = time.Since(begun)
		}
		step = min(step, d)
	}
	var late []time.Duration
	for range clockTries {
		due := time.Now().Add(3 * time.Millisecond)
		if err := pace.SleepUntil(ctx, due, 300*time.Microsecond); err != nil {
			return Check{"clock", Warn, "not measured: " + err.Error(), ""}
		}
		late = append(late, time.Since(due))
	}
	slices.Sort(late)
	c := ok("clock", "step %v; a paced send is late by %v (median), %v (worst of %d)", step, late[len(late)/2], late[len(late)-1], clockTries)
	if late[len(late)-1] > mostLate {
		c.Status, c.Fix = Warn, fmt.Sprintf("sends may miss their time by more than %v: end what else is running, or use a machine with dedicated cores", mostLate)
	}
	return c
}
