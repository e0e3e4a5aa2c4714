// Package calibrate measures the load client's own error against a server of known
// truth (package truthserver) in another process of this machine: how much later
// than the server wrote does the client say that it read, and does it get every
// token, outcome and finish reason right.
package calibrate

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"siglab/bench/arrival"
	"siglab/bench/truthserver"
	"siglab/internal/monotime"
)

// Config says what to measure. Cells are run one after the other.
type Config struct {
	Streams  []int         // closed loops with so many streams, small bodies
	Bodies   []int         // bytes of a request, with BodyStreams streams
	Rates    []float64     // open Poisson loops, per second
	Forms    bool          // the forms that streams come in (coalesced, an early role, …), half the time each
	Faults   bool          // everything that goes wrong
	CellTime time.Duration // about how long a cell with streams takes
	Arrivals int           // requests at each rate; at most CellTime's worth if 0
	Script   truthserver.Script
	Seed     uint64
}

// Bounds of a configuration.
const (
	mostStreams  = 10_000
	mostBody     = 64 << 20
	mostRate     = 100_000
	mostCellTime = 10 * time.Minute
	mostRequests = 200_000 // in a cell

	bodyStreams = 10 // streams of the cells with large bodies
)

// Default is the whole sweep: about 22 seconds.
func Default() Config {
	return Config{
		Streams: []int{1, 10, 50, 100, 200}, Bodies: []int{64 << 10, 512 << 10}, Rates: []float64{10, 200, 1000},
		Forms: true, Faults: true, CellTime: 1500 * time.Millisecond,
		Script: truthserver.Script{TTFT: 50 * time.Millisecond, ITL: 10 * time.Millisecond, Jitter: 0.2, Tokens: 32},
	}
}

// Quick is what a run can afford before it measures: about three seconds, streams
// and bodies as of the load that is to come.
func Quick(streams, body int) Config {
	return Config{
		Streams: []int{streams}, Bodies: []int{body}, CellTime: time.Second,
		Script: truthserver.Script{TTFT: 30 * time.Millisecond, ITL: 5 * time.Millisecond, Jitter: 0.2, Tokens: 16},
	}
}

// Check refuses what would run for ever or cannot run.
func (c Config) Check() error {
	outside := func(n, most int) bool { return n < 1 || n > most }
	switch {
	case slices.ContainsFunc(c.Streams, func(n int) bool { return outside(n, mostStreams) }):
		return fmt.Errorf("streams %v: each is 1 to %d", c.Streams, mostStreams)
	case slices.ContainsFunc(c.Bodies, func(n int) bool { return outside(n, mostBody) }):
		return fmt.Errorf("body sizes %v: each is 1 to %d bytes", c.Bodies, mostBody)
	case slices.ContainsFunc(c.Rates, func(r float64) bool { return !(r > 0 && r <= mostRate) }):
		return fmt.Errorf("rates %v: each is above 0 and at most %d per second", c.Rates, mostRate)
	case c.CellTime <= 0 || c.CellTime > mostCellTime:
		return fmt.Errorf("cell time %v: it is above 0 and at most %v", c.CellTime, mostCellTime)
	case c.Arrivals < 0 || c.Arrivals > mostRequests:
		return fmt.Errorf("%d arrivals: it is 0 to %d", c.Arrivals, mostRequests)
	}
	return c.Script.Check()
}

// Result is what was found. Times are milliseconds.
type Result struct {
	Clock    string        `json:"clock"` // that both processes stamped with
	Streams  []Cell        `json:"streams"`
	Bodies   []Cell        `json:"bodies,omitempty"`
	Forms    []Cell        `json:"forms,omitempty"`
	Arrivals []ArrivalCell `json:"arrivals,omitempty"`
	Faults   []FaultCell   `json:"faults,omitempty"`
	// Mismatches are requests of which the client said something else than the
	// server did: at most a hundred of them, and how many there were.
	Mismatches    []Mismatch `json:"mismatches,omitempty"`
	MismatchCount int        `json:"mismatch_count"`
}

// Cell is one setting.
type Cell struct {
	Name      string `json:"name,omitempty"`
	N         int    `json:"n"` // streams
	BodyBytes int    `json:"body_bytes"`
	Requests  int    `json:"requests"`
	Failed    int    `json:"failed"`
	// TTFT is the client's, from Sent to the first token, minus the truth: from the
	// server's read of the request's last byte to its write of the first token.
	TTFT Spread `json:"ttft_error_ms"`
	// ITL is the client's gap between two events with a token minus the server's:
	// quantiles of the magnitude, the mean with its sign.
	ITL Spread `json:"itl_error_ms"`
	// Lag is from the server's write to the client's stamp, of every event.
	Lag Spread `json:"lag_ms"`
	// ServerWrite is how long the server's writes took: the truth is no sharper.
	ServerWrite Spread  `json:"server_write_ms"`
	ITLMeanPct  float64 `json:"itl_mean_error_pct"`  // of the mean over all gaps
	TPOTMeanPct float64 `json:"tpot_mean_error_pct"` // of the mean over all requests
	CPU         float64 `json:"client_cpu_cores"`
	Rate        float64 `json:"requests_per_second"`
}

// ArrivalCell is one open loop.
type ArrivalCell struct {
	QPS      float64 `json:"qps"`
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	// SendLag is Sent minus Scheduled.
	SendLag  Spread       `json:"send_lag_ms"`
	Sent     arrival.Sent `json:"sent"`     // by the client's stamps
	Received arrival.Sent `json:"received"` // by the server's
	CPU      float64      `json:"client_cpu_cores"`
}

// FaultCell is one fault.
type FaultCell struct {
	Fault    truthserver.Fault `json:"fault"`
	SeenAs   string            `json:"seen_as"` // kind of failure that the client counted; "" is none
	Requests int               `json:"requests"`
}

// Mismatch is one request of which client and server say different things.
type Mismatch struct {
	ID     string `json:"id"`
	What   string `json:"what"`
	Client string `json:"client"`
	Server string `json:"server"`
}

// Spread sums up a list of numbers.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// Run measures against the truth server at the URL, which nobody else may use. The
// error is for what kept it from measuring; what the client got wrong is in the
// result. progress is told what comes next.
func Run(ctx context.Context, url string, config Config, progress func(string)) (Result, error) {
	if err := config.Check(); err != nil {
		return Result{}, fmt.Errorf("calibrate: %w", err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as in a run
	b := &bench{url: url, config: config, progress: progress, result: Result{Clock: monotime.Source}}
	for _, step := range []func(context.Context) error{b.streams, b.bodies, b.forms, b.arrivals, b.faults} {
		if err := step(ctx); err != nil {
			return b.result, fmt.Errorf("calibrate: %w", err)
		}
	}
	return b.result, nil
}

// bench is the state of one calibration.
type bench struct {
	url      string
	config   Config
	progress func(string)
	cells    int // run so far: the cell's number is in its requests' ids
	result   Result
}

func (b *bench) streams(ctx context.Context) error {
	for _, n := range b.config.Streams {
		b.progress(fmt.Sprintf("%d streams", n))
		cell, err := b.closed(ctx, Cell{N: n}, b.config.Script, b.config.CellTime)
		if err != nil {
			return err
		}
		b.result.Streams = append(b.result.Streams, cell)
	}
	return nil
}

func (b *bench) bodies(ctx context.Context) error {
	for _, size := range b.config.Bodies {
		b.progress(fmt.Sprintf("bodies of %d bytes", size))
		cell, err := b.closed(ctx, Cell{N: bodyStreams, BodyBytes: size}, b.config.Script, b.config.CellTime)
		if err != nil {
			return err
		}
		b.result.Bodies = append(b.result.Bodies, cell)
	}
	return nil
}

// forms sends the configured script in the forms that servers give answers.
func (b *bench) forms(ctx context.Context) error {
	if !b.config.Forms {
		return nil
	}
	type script = truthserver.Script
	for _, form := range []struct {
		name   string
		change func(*script)
	}{
		{"four tokens an event", func(s *script) { s.PerEvent = 4 }},
		{"an early role", func(s *script) { s.Role, s.RoleLead = truthserver.RoleEarly, s.TTFT*3/5 }},
		{"usage with every event", func(s *script) { s.Usage, s.PerEvent = truthserver.UsageContinuous, 3 }},
		{"no usage", func(s *script) { s.Usage = truthserver.UsageNone }},
		{"reasoning first", func(s *script) { s.Reasoning = s.Tokens / 2 }},
		{"CRLF, events in pieces", func(s *script) { s.LineEnd, s.Split = "\r\n", 50 }},
	} {
		b.progress(form.name)
		s := b.config.Script
		form.change(&s)
		cell, err := b.closed(ctx, Cell{Name: form.name, N: bodyStreams}, s, b.config.CellTime/2)
		if err != nil {
			return err
		}
		b.result.Forms = append(b.result.Forms, cell)
	}
	return nil
}
