// Package loadgen sends a slice of the workload: in an open loop, where every request
// goes out when its offset says so, however the server keeps up; in an open loop
// with a cap on the requests in flight, where those that are due wait in a queue,
// and the wait is recorded; or in a closed loop, where a fixed number of requests is
// in flight and the next is sent when one ends.
package loadgen

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"siglab/bench/record"
	"siglab/internal/pace"
)

// Loop is what decides when a request is sent.
type Loop int

// The loops.
const (
	Open   Loop = iota // its offset
	Capped             // its offset, then a free place among Concurrency
	Closed             // a free place among Concurrency; offsets mean nothing
)

// Options of a replay.
type Options struct {
	Origin      time.Time // of the run's clock
	Loop        Loop
	Concurrency int                      // requests in flight of the loops that bound them
	OnDone      func(record.Observation) // told of every request as it ends, from its goroutine; may be nil

	wait func(ctx context.Context, due time.Time, spin time.Duration) error // pace.SleepUntil; tests have another clock
}

// Send sends one request and returns what it saw of it.
type Send func(context.Context, record.Item) record.Observation

// Run sends the items, which ascend by Offset, at start+Offset each, and returns
// one observation per item, in their order, when the last answer has ended.
//
// When ctx ends, requests in flight are cancelled and those not yet sent are
// reported as such: nothing is left out.
func Run(ctx context.Context, items []record.Item, start time.Time, send Send, o Options) ([]record.Observation, error) {
	if !slices.IsSortedFunc(items, func(a, b record.Item) int { return int(a.Offset - b.Offset) }) && o.Loop != Closed {
		return nil, fmt.Errorf("the offsets of the %d items do not ascend", len(items))
	}
	observations := make([]record.Observation, len(items))
	l, err := newLoop(start, send, o)
	if err != nil {
		return nil, err
	}
	l.done = func(position int, seen record.Observation) {
		observations[position] = seen
		if o.OnDone != nil {
			o.OnDone(seen)
		}
	}
	err = l.run(ctx, slices.Values(items))
	return observations, err
}

// Stream is Run for any number of items: it keeps none of the observations, which go
// to Options.OnDone alone. Items are taken one by one when they are due, from one
// goroutine at a time, so what makes them must be quick. An item whose offset is
// before the one ahead of it ends the load with an error, once what is in flight has
// ended; it and the rest are reported as not sent.
func Stream(ctx context.Context, items iter.Seq[record.Item], start time.Time, send Send, o Options) error {
	l, err := newLoop(start, send, o)
	if err != nil {
		return err
	}
	l.done = func(_ int, seen record.Observation) {
		if o.OnDone != nil {
			o.OnDone(seen)
		}
	}
	return l.run(ctx, items)
}

// loop is the state of one replay.
type loop struct {
	Options
	start    time.Time
	send     Send
	done     func(position int, seen record.Observation)
	inFlight sync.WaitGroup
}

func newLoop(start time.Time, send Send, o Options) (*loop, error) {
	if o.Loop != Open && o.Concurrency < 1 {
		return nil, fmt.Errorf("%d requests in flight: there must be at least one", o.Concurrency)
	}
	if o.wait == nil {
		o.wait = pace.SleepUntil
	}
	return &loop{Options: o, start: start, send: send}, nil
}

// run carries out the loop and waits for the last answer.
func (l *loop) run(ctx context.Context, items iter.Seq[record.Item]) error {
	var err error
	if l.Loop == Closed {
		l.runClosed(ctx, items)
	} else {
		err = l.runOpen(ctx, items)
	}
	l.inFlight.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// job is an item with its place and times.
type job struct {
	item     record.Item
	position int
	// Offsets on the run's clock; queued is 0 where there is no queue.
	scheduled, queued, dequeued time.Duration
}

// serve sends a job, unless the run is over, and hands its observation on.
func (l *loop) serve(ctx context.Context, j job) {
	if err := ctx.Err(); err != nil {
		l.notSent(j, err)
		return
	}
	seen := l.send(ctx, j.item)
	seen.Scheduled, seen.Queued, seen.Dequeued = j.scheduled, j.queued, j.dequeued
	l.done(j.position, seen)
}

// notSent reports a job that was never handed to send.
func (l *loop) notSent(j job, reason error) {
	l.done(j.position, record.Observation{
		Index: j.item.Index, Item: j.item.ID, Scheduled: j.scheduled, Queued: j.queued,
		Error: "not sent: " + reason.Error(), Failure: record.FailedNotSent,
	})
}

// now is the offset on the run's clock.
func (l *loop) now() time.Duration { return time.Since(l.Origin) }
