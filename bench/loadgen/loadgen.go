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
	Concurrency int // requests in flight of the loops that bound them

	wait func(ctx context.Context, due time.Time, spin time.Duration) error // pace.Sleeper; tests have another clock
}

// Send sends one request and returns what it saw of it.
type Send func(context.Context, record.Item) record.Observation

// Run sends the items, which ascend by Offset, at start+Offset each, and returns when
// the last answer has ended. It keeps nothing: every item has one observation, which
// goes to done as the request ends, from the request's goroutine. Items are taken one
// by one when they are due, from one goroutine at a time, so what makes them must be
// quick.
//
// When ctx ends, requests in flight are cancelled and those not yet sent are
// reported as such: nothing is left out. An item whose offset is before the one ahead
// of it ends the load with an error, once what is in flight has ended; it and the rest
// are reported as not sent.
func Run(ctx context.Context, items iter.Seq[record.Item], start time.Time, send Send, done func(record.Observation), o Options) error {
	if o.Loop != Open && o.Concurrency < 1 {
		return fmt.Errorf("%d requests in flight: there must be at least one", o.Concurrency)
	}
	if o.wait == nil {
		o.wait = new(pace.Sleeper).Until
	}
	l := &loop{Options: o, start: start, send: send, done: done}
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

// loop is the state of one replay.
type loop struct {
	Options
	start    time.Time
	send     Send
	done     func(record.Observation)
	inFlight sync.WaitGroup
}

// job is an item with its times.
type job struct {
	item record.Item
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
	l.done(seen)
}

// notSent reports a job that was never handed to send.
func (l *loop) notSent(j job, reason error) {
	l.done(record.Observation{
		Index: j.item.Index, Item: j.item.ID, Scheduled: j.scheduled, Queued: j.queued,
		Error: "not sent: " + reason.Error(), Failure: record.FailedNotSent,
	})
}

// now is the offset on the run's clock.
func (l *loop) now() time.Duration { return time.Since(l.Origin) }
