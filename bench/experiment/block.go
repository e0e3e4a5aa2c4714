package experiment

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"siglab/bench/chatclient"
	"siglab/bench/launch"
	"siglab/bench/loadgen"
	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/telemetry"
)

const (
	warmConnections = 16                    // more than are ever in flight at the default load; with a cap as many as it
	healthTimeout   = 30 * time.Second      // unless the experiment says
	stopTimeout     = time.Minute           // above what the steps of a stop take together
	noticeTime      = time.Second / 2       // until the end of a server is known whose requests failed
	leadTime        = 50 * time.Millisecond // from "ready" to the schedule's time 0
)

// sight is what one block brought.
type sight struct {
	rows      *runlog.Rows // the observations, as they come
	failed    atomic.Bool  // some request was not answered in full
	samples   []record.Sample
	version   string // of the server
	lost      error  // a GPU went
	wrongCode bool   // it has loaded other code than the variant's
}

// measure runs one block from start to stop and fills in b. Whatever goes wrong
// with the server is told by b.Void; the observations made until then are kept.
func (r *runner) measure(ctx context.Context, spec blockSpec, b *record.Block, seen *sight) {
	arm := r.plan.Arms[spec.arm]
	r.report(Event{Phase: PhaseStart, Block: *b})
	begun := time.Now()
	url, err := r.fleet.start(ctx, spec.arm)
	if err != nil {
		b.Void = err.Error()
		return
	}
	defer func() {
		switch err := r.fleet.release(ctx, spec.arm, b.Void != ""); {
		case errors.Is(err, launch.ErrKilled): // after the last answer, and it is gone
			r.note(arm, record.NoteStop, "%v.", err)
		case err != nil && b.Void == "":
			b.Void = err.Error()
		}
	}()
	// Requests end with the server: a dead child must not leave us waiting.
	alive, cancel := context.WithCancel(ctx)
	defer cancel()
	exited := arm.Server.Exited()
	go func() {
		select {
		case <-exited:
			cancel()
		case <-alive.Done():
		}
	}()
	if err := r.drive(alive, url, begun, arm, b, seen); err != nil {
		b.Void, seen.wrongCode = err.Error(), errors.Is(err, errWrongCode)
	}
	if seen.lost != nil { // the cause of whatever else went wrong
		b.Void = seen.lost.Error()
	}
	if exited != nil && (b.Void != "" || seen.failed.Load()) {
		select { // a broken connection is seen before the end that broke it
		case <-exited:
		case <-ctx.Done():
		case <-time.After(noticeTime):
		}
	}
	select {
	case <-exited: // the cause says more than the errors that followed from it
		b.Void = arm.Server.Cause().Error()
	default:
	}
}

// drive warms the server up and replays the slice.
func (r *runner) drive(ctx context.Context, url string, begun time.Time, arm Arm, b *record.Block, seen *sight) error {
	client := r.client(url, r.plan.Experiment.Timeout)
	defer client.Close()
	started := time.Now()
	if err := r.waitHealthy(ctx, client, arm); err != nil {
		return fmt.Errorf("variant %q: %w", arm.Name, err)
	}
	b.Startup = time.Since(begun)
	healthy := time.Now()
	if err := r.identify(ctx, client, arm, seen); err != nil {
		return fmt.Errorf("variant %q: %w", arm.Name, err)
	}
	if err := r.examine(ctx, arm); err != nil {
		return fmt.Errorf("variant %q: %w", arm.Name, err)
	}
	r.report(Event{Phase: PhaseWarmUp, Block: *b})
	examined := time.Now()
	if err := r.warmUp(ctx, client, arm, b); err != nil {
		return fmt.Errorf("variant %q: warm-up: %w", arm.Name, err)
	}
	startup := record.Startup{Servers: r.fleet.took + healthy.Sub(started), Examine: examined.Sub(healthy), WarmUp: time.Since(examined)}
	before, scrapeErr := scrape(ctx, client)
	moved := armTrigger(arm)
	runtime.GC() // now, rather than among the measured requests
	r.noteStartup(startup, b)
	if err := r.replay(ctx, url, client, arm, b, seen); err != nil {
		return err
	}
	after, err := scrape(ctx, client)
	if scrapeErr == nil {
		scrapeErr = err
	}
	b.Trigger = moved.count(before, after)
	if scrapeErr != nil {
		b.Server = record.ServerDelta{Detail: scrapeErr.Error()}
		return nil
	}
	b.Server = telemetry.Delta(before, after)
	return nil
}

// noteStartup completes the plan's record of the time until the first measured request,
// which is the lead of a block's schedule from now.
func (r *runner) noteStartup(first record.Startup, b *record.Block) {
	if r.plan.Startup == nil || len(r.manifest.Blocks) > 0 {
		return
	}
	s := *r.plan.Startup
	s.Hooks, s.Servers, s.Examine, s.WarmUp = r.hooking, first.Servers, first.Examine, first.WarmUp
	s.Total = time.Since(r.plan.Begun) + leadTime
	r.manifest.Startup = &s
	r.report(Event{Phase: PhaseWarmUp, Block: *b, Startup: &s})
}

func scrape(ctx context.Context, client *chatclient.Client) (telemetry.Scrape, error) {
	text, err := client.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return telemetry.ParseScrape(text)
}

// loop is what decides when requests are sent.
func (r *runner) loop() (loadgen.Loop, int) {
	e := r.plan.Experiment
	switch e.Loop {
	case record.LoopCapped:
		return loadgen.Capped, e.MaxConcurrency
	case record.LoopClosed:
		return loadgen.Closed, e.MaxConcurrency
	}
	return loadgen.Open, 0
}

// replay sends the slice on its schedule and waits for the last answer.
func (r *runner) replay(ctx context.Context, url string, client *chatclient.Client, arm Arm, b *record.Block, seen *sight) error {
	ctx, stop := context.WithCancel(ctx) // also ends the block if a GPU is lost
	defer stop()
	watched := r.watch(ctx, url, arm, b, seen, stop)
	start := time.Now().Add(leadTime)
	b.Start = start.Sub(r.origin)
	r.report(Event{Phase: PhaseMeasure, Block: *b})
	clientRuntime := loadgen.WatchRuntime()
	loop, places := r.loop()
	done := func(o record.Observation) {
		o.Version, o.Block, o.Variant = record.ObservationVersion, b.ID, b.Variant
		if !o.OK() {
			seen.failed.Store(true)
		}
		if err := seen.rows.Add(&o); err != nil {
			stop() // the block cannot be recorded; the end of its rows tells why
		}
		r.report(Event{Phase: PhaseMeasure, Block: *b, Answer: &o})
	}
	err := loadgen.Run(ctx, slices.Values(r.plan.Workload.Slices[b.Slice]), start, client.Send, done, loadgen.Options{Origin: r.origin, Loop: loop, Concurrency: places})
	b.End, b.Client = time.Since(r.origin), clientRuntime()
	watched()
	return err
}

// watch samples the machine until the function that it returns is called. If a GPU of
// the server goes, it calls lost. It has its own connection: those of the load are not
// to be taken from it.
func (r *runner) watch(ctx context.Context, url string, arm Arm, b *record.Block, seen *sight, lost func()) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	client := r.client(url, r.plan.Experiment.Timeout)
	sampler := telemetry.Sampler{
		Origin: r.origin, Block: b.ID, Variant: arm.Name, PID: arm.Server.PID(), Instruments: r.instruments, Metrics: client.Metrics,
		Lost: func(err error) {
			seen.lost = fmt.Errorf("variant %q: %w", arm.Name, err)
			lost()
		},
	}
	var cost record.Sampling
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		seen.samples, cost = sampler.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
		b.Sampling = cost
	}
}
