package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"siglab/bench/experiment"
	"siglab/bench/record"
)

// display shows how a run goes: what runs, block k of n, the time elapsed and
// left, and the live median TTFT of each variant. On a terminal it is a bar; in a
// log it is a line per block.
type display struct {
	out    io.Writer
	plan   experiment.Plan
	blocks int
	before int // of these, done by an earlier process
	begun  time.Time

	mu      sync.Mutex
	ttft    map[string][]time.Duration // of the answers so far
	block   record.Block
	phase   experiment.Phase
	started time.Time // of the block
	took    time.Duration
	counted int // blocks that took is the sum of

	progress *mpb.Progress // nil: plain lines
	bar      *mpb.Bar
}

func newDisplay(out *os.File, plan experiment.Plan, done int) *display {
	d := &display{
		out: out, plan: plan, begun: time.Now(), ttft: map[string][]time.Duration{},
		blocks: plan.Experiment.Pairs * len(plan.Arms), before: done * len(plan.Arms),
	}
	e := plan.Experiment
	if done > 0 {
		fmt.Fprintf(out, "siglab: %d of %d blocks are there already\n", d.before, d.blocks)
	}
	fmt.Fprintf(out, "siglab: %d blocks of %d requests %s, about %v\n", d.blocks-d.before, e.NumPrompts, e.Load(), d.left().Round(time.Second))
	if term.IsTerminal(int(out.Fd())) {
		d.progress = mpb.New(mpb.WithOutput(out), mpb.WithWidth(24), mpb.WithRefreshRate(200*time.Millisecond))
		d.bar = d.progress.AddBar(int64(d.blocks*e.NumPrompts),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return d.status() })),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return d.times() })))
		d.bar.SetCurrent(int64(d.before * e.NumPrompts))
	}
	return d
}

// event takes what the experiment reports.
func (d *display) event(e experiment.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case e.Startup != nil:
		d.line("%s", e.Startup)
	case e.Answer != nil:
		if e.Answer.OK() {
			d.ttft[e.Answer.Variant] = append(d.ttft[e.Answer.Variant], e.Answer.FirstToken-e.Answer.Scheduled)
		}
		if d.bar != nil {
			d.bar.Increment()
		}
		return
	case e.Phase == experiment.PhaseVoid:
		next := "and is repeated once"
		if e.Block.Attempt > 1 {
			next = "as well, so the run ends"
		}
		d.line("block %d (%s) is void %s: %s", e.Block.ID, e.Block.Variant, next, e.Detail)
		if d.bar != nil {
			d.bar.SetCurrent(int64(e.Block.Pair*len(d.plan.Arms)+e.Block.Slot) * int64(e.Block.Requests))
		}
	case e.Phase == experiment.PhaseProbe:
		d.finishBlock()
		d.line("%s", e.Detail)
	case e.Phase == experiment.PhaseStart:
		d.finishBlock()
		d.started = time.Now()
		d.block = e.Block
		if d.progress == nil {
			d.line("%s  %s", d.statusLocked(), d.timesLocked())
		}
	}
	d.phase = e.Phase
}

// finishBlock counts the time of the block that has just ended.
func (d *display) finishBlock() {
	if !d.started.IsZero() {
		d.took += time.Since(d.started)
		d.counted++
		d.started = time.Time{}
	}
}

func (d *display) status() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.statusLocked() + " "
}

func (d *display) statusLocked() string {
	number := d.block.Pair*len(d.plan.Arms) + d.block.Slot + 1
	text := fmt.Sprintf("block %d of %d, pair %d, %s", min(number, d.blocks), d.blocks, d.block.Pair+1, d.block.Variant)
	if d.progress != nil {
		text += " " + string(d.phase)
	}
	return text
}

func (d *display) times() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return " " + d.timesLocked()
}

func (d *display) timesLocked() string {
	text := fmt.Sprintf("%v elapsed, %v left", time.Since(d.begun).Round(time.Second), d.left().Round(time.Second))
	var live []string
	for _, arm := range d.plan.Arms {
		if ttft := d.ttft[arm.Name]; len(ttft) > 0 {
			live = append(live, fmt.Sprintf("%s %.1f", arm.Name, milliseconds(median(ttft))))
		}
	}
	if len(live) > 0 {
		text += "; median TTFT ms: " + strings.Join(live, ", ")
	}
	return text
}

// left estimates the time to go: the mean of the blocks so far, or before the
// first the span of its schedule and two seconds.
func (d *display) left() time.Duration {
	each := span(d.plan) + blockOverhead
	if d.counted > 0 {
		each = d.took / time.Duration(d.counted)
	}
	left := time.Duration(d.blocks-d.before-d.counted) * each
	if !d.started.IsZero() {
		left -= min(each, time.Since(d.started))
	}
	return max(0, left)
}

// line prints a line of its own, above the bar where there is one.
func (d *display) line(format string, args ...any) {
	out := d.out
	if d.progress != nil {
		out = d.progress
	}
	fmt.Fprintf(out, "siglab: "+format+"\n", args...)
}

// close ends the display, whether or not the run came to its end.
func (d *display) close() {
	if d.progress == nil {
		return
	}
	d.bar.Abort(false)
	d.progress.Wait()
}

// median sorts a copy; the numbers on the display are few.
func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Ceil(float64(len(sorted))/2))-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
