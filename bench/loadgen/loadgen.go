// Package loadgen replays a slice of the workload in an open loop: every request is
// sent when its offset says so, however the server keeps up.
package loadgen

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"siglab/bench/record"
	"siglab/internal/pace"
)

// Options of a replay.
type Options struct {
	Origin time.Time                // of the run's clock
	OnDone func(record.Observation) // told of every request as it ends, from its goroutine; may be nil
}

// Send sends one request and returns what it saw of it.
type Send func(context.Context, record.Item) record.Observation

// The pacing goroutine sleeps in the operating system and spins over the last
// stretch. That is longer than the time for which a busy machine keeps a woken thread
// waiting: 3 ms here, the scheduler's slice, which without the spin would be the
// send's lag. Where gaps are short the spin is bounded by a share of them, so that
// a high rate does not burn the core that the server needs.
const (
	longestSpin = 4 * time.Millisecond
	spinShare   = 20 // of a mean gap: 5 % of a core
)

// Run sends the items, which ascend by Offset, at start+Offset each, and returns
// one observation per item, in their order, when the last answer has ended. One
// goroutine paces, one more per request in flight sends.
//
// When ctx ends, requests in flight are cancelled and those not yet sent are
// reported as such: nothing is left out.
func Run(ctx context.Context, items []record.Item, start time.Time, send Send, o Options) ([]record.Observation, error) {
	if !slices.IsSortedFunc(items, func(a, b record.Item) int { return int(a.Offset - b.Offset) }) {
		return nil, fmt.Errorf("the offsets of the %d items do not ascend", len(items))
	}
	observations := make([]record.Observation, len(items))
	if len(items) == 0 {
		return observations, ctx.Err()
	}
	var inFlight sync.WaitGroup
	spin := spinFor(items)
	for i, item := range items {
		due := start.Add(item.Offset)
		err := pace.SleepUntil(ctx, due, spin)
		scheduled, dequeued := due.Sub(o.Origin), time.Since(o.Origin)
		if err != nil {
			observations[i] = record.Observation{Index: item.Index, Item: item.ID, Scheduled: scheduled, Error: "not sent: " + err.Error()}
			continue
		}
		inFlight.Go(func() {
			seen := send(ctx, item)
			seen.Scheduled, seen.Dequeued = scheduled, dequeued
			observations[i] = seen
			if o.OnDone != nil {
				o.OnDone(seen)
			}
		})
	}
	inFlight.Wait()
	return observations, ctx.Err()
}

// spinFor is how long to spin before each send of these items.
func spinFor(items []record.Item) time.Duration {
	gap := items[len(items)-1].Offset / time.Duration(len(items))
	return min(longestSpin, gap/spinShare)
}
