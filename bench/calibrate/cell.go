package calibrate

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"siglab/bench/arrival"
	"siglab/bench/chatclient"
	"siglab/bench/loadgen"
	"siglab/bench/record"
	"siglab/bench/truthserver"
	"siglab/internal/monotime"
)

const leadTime = 20 * time.Millisecond // from "ready" to a schedule's time 0

// trial is what both sides say about the requests of one cell.
type trial struct {
	origin       time.Duration // of the client's clock, on the machine's
	start        time.Duration // of the schedule, on the client's clock
	lasted       time.Duration
	cpu          float64 // cores that the client used
	observations []record.Observation
	entries      map[string][]truthserver.Entry // by request id
}

// load says how one cell is driven.
type load struct {
	items   iter.Seq[record.Item]
	loop    loadgen.Loop
	streams int
	options chatclient.Options
}

// drive sends the load and collects the server's log of it.
func (b *bench) drive(ctx context.Context, l load) (*trial, error) {
	origin := time.Now().Add(-time.Second) // no stamp is 0
	t := &trial{origin: monotime.Of(origin)}
	l.options.Origin = origin
	client := chatclient.New(b.url, l.options)
	defer client.Close()
	if err := client.Warm(ctx, l.streams); err != nil {
		return nil, fmt.Errorf("reach the truth server at %s: %w", b.url, err)
	}
	if _, err := readLog(ctx, b.url, nil, 0); err != nil { // empties it
		return nil, err
	}
	var mu sync.Mutex
	keep := func(o record.Observation) {
		mu.Lock()
		defer mu.Unlock()
		t.observations = append(t.observations, o)
	}
	before := cpuSeconds()
	start := time.Now().Add(leadTime)
	t.start = start.Sub(origin)
	err := loadgen.Run(ctx, l.items, start, client.Send, keep, loadgen.Options{Origin: origin, Loop: l.loop, Concurrency: l.streams})
	if err != nil {
		return nil, err
	}
	t.lasted = time.Since(start)
	t.cpu = (cpuSeconds() - before) / (t.lasted + leadTime).Seconds()
	t.entries, err = readLog(ctx, b.url, t.observations, logPatience)
	return t, err
}

// cpuSeconds is what this process has computed so far; 0 where it cannot be told.
func cpuSeconds() float64 {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0
	}
	times, err := self.Times()
	if err != nil {
		return 0
	}
	return times.User + times.System
}

// items yields n requests of the same body, at the offsets if there are any.
func (b *bench) items(n int, body []byte, offsets []time.Duration) iter.Seq[record.Item] {
	b.cells++
	prefix := fmt.Sprintf("cell%d-", b.cells)
	return func(yield func(record.Item) bool) {
		for i := range n {
			item := record.Item{ID: fmt.Sprintf("%s%06d", prefix, i), Index: i, Body: body}
			if offsets != nil {
				item.Offset = offsets[i]
			}
			if !yield(item) {
				return
			}
		}
	}
}

// closed runs a closed loop of cell.N streams for about the given time.
func (b *bench) closed(ctx context.Context, cell Cell, s truthserver.Script, lasting time.Duration) (Cell, error) {
	body, err := truthserver.Body(s, cell.BodyBytes)
	if err != nil {
		return cell, err
	}
	cell.BodyBytes = len(body)
	one := s.TTFT + s.ITL*time.Duration(max(0, s.Tokens-1))
	rounds := max(2, int(lasting/max(one, time.Millisecond)))
	number := min(mostRequests, cell.N*rounds)
	t, err := b.drive(ctx, load{
		items: b.items(number, body, nil), loop: loadgen.Closed, streams: cell.N,
		options: chatclient.Options{Timeout: 10*one + 30*time.Second},
	})
	if err != nil {
		return cell, err
	}
	e := t.compare()
	b.note(e.mismatches)
	cell.Requests, cell.Failed = len(t.observations), e.failed
	cell.CPU, cell.Rate = t.cpu, float64(cell.Requests)/t.lasted.Seconds()
	e.fill(&cell)
	return cell, nil
}

// arrivals runs an open loop at each rate.
func (b *bench) arrivals(ctx context.Context) error {
	const fewest, streams = 20, 16
	for _, rate := range b.config.Rates {
		number := b.config.Arrivals
		if number == 0 {
			number = max(fewest, int(rate*b.config.CellTime.Seconds()))
		}
		b.progress(fmt.Sprintf("%d arrivals at %g per second", number, rate))
		offsets, err := arrival.Poisson(number, rate, rand.New(rand.NewPCG(b.config.Seed, uint64(rate*1000))))
		if err != nil {
			return err
		}
		body, err := truthserver.Body(truthserver.Script{TTFT: 5 * time.Millisecond, ITL: time.Millisecond, Tokens: 2}, 0)
		if err != nil {
			return err
		}
		t, err := b.drive(ctx, load{items: b.items(number, body, offsets), loop: loadgen.Open, streams: streams})
		if err != nil {
			return err
		}
		e := t.compare()
		b.note(e.mismatches)
		process := arrival.Process{Rate: rate, Burstiness: 1}
		b.result.Arrivals = append(b.result.Arrivals, ArrivalCell{
			QPS: rate, Requests: len(t.observations), Failed: e.failed, CPU: t.cpu, SendLag: t.sendLag(),
			Sent: arrival.Examine(t.sent(), process), Received: arrival.Examine(t.received(), process),
		})
	}
	return nil
}

// seenAs is what the client must count each fault as; "" is a whole answer.
func seenAs(fault truthserver.Fault) record.Failure {
	switch fault {
	case truthserver.FaultStatus:
		return record.FailedStatus
	case truthserver.FaultSilent, truthserver.FaultStall:
		return record.FailedStalled
	case truthserver.FaultHang, truthserver.FaultReset:
		return record.FailedReset
	case truthserver.FaultGarbage:
		return record.FailedProtocol
	case truthserver.FaultHalfHead, truthserver.FaultAbort, truthserver.FaultNoDone:
		return record.FailedCut
	case truthserver.FaultType:
		return record.FailedType
	case truthserver.FaultEndless:
		return record.FailedTimeout
	case truthserver.FaultLongLine, truthserver.FaultBadJSON:
		return record.FailedEvent
	case truthserver.FaultErrorEvent:
		return record.FailedServer
	case truthserver.FaultEmpty:
		return record.FailedEmpty
	}
	return ""
}

// faults plays each fault to a few streams, all faults at once.
func (b *bench) faults(ctx context.Context) error {
	if !b.config.Faults {
		return nil
	}
	b.progress("faults")
	const each = 4
	kinds := truthserver.Faults()
	var items []record.Item
	b.cells++
	for i, fault := range kinds {
		body, err := truthserver.Body(truthserver.Script{TTFT: 10 * time.Millisecond, ITL: 10 * time.Millisecond, Tokens: 10, Fault: fault, After: 5}, 0)
		if err != nil {
			return err
		}
		for k := range each {
			items = append(items, record.Item{ID: fmt.Sprintf("cell%d-fault%d-%d", b.cells, i, k), Body: body})
		}
	}
	t, err := b.drive(ctx, load{
		items: slices.Values(items),
		loop:  loadgen.Closed, streams: len(items),
		options: chatclient.Options{Timeout: 3 * time.Second, IdleTimeout: 1500 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	b.note(t.compare().mismatches)
	for i, fault := range kinds {
		prefix := fmt.Sprintf("cell%d-fault%d-", b.cells, i)
		b.result.Faults = append(b.result.Faults, FaultCell{Fault: fault, SeenAs: t.kinds(prefix), Requests: each})
	}
	return nil
}

// note keeps mismatches for the result.
func (b *bench) note(found []Mismatch) {
	const most = 100
	b.result.MismatchCount += len(found)
	room := most - len(b.result.Mismatches)
	b.result.Mismatches = append(b.result.Mismatches, found[:max(0, min(room, len(found)))]...)
}
