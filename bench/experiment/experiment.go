// Package experiment runs the paired comparison: for each pair, each variant in
// its turn is started, warmed up, driven with the pair's slice of the frozen
// workload, drained and stopped. What was seen goes to the run directory after
// every block, so an end at any moment loses at most the block that was running.
//
// The package measures and records; it draws no conclusions.
package experiment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/telemetry"
	"siglab/bench/workload"
)

// Server starts and stops one variant.
type Server interface {
	Start(ctx context.Context) (baseURL string, err error)
	Stop(ctx context.Context) error
	PID() int                // to sample; 0 if unknown
	Exited() <-chan struct{} // closed when the running server ends by itself
	Cause() error            // why it ended, once Exited is closed
}

// Arm is a variant and how to run it.
type Arm struct {
	record.Variant
	Server Server
	Log    string // file that the server's output goes to; "" if it is not ours

	// Loaded says which code the running server has loaded, Fingerprint what it runs
	// with. Both are asked before any request is sent; nil: nobody knows.
	Loaded      func(ctx context.Context) record.Code
	Fingerprint func(ctx context.Context) record.Fingerprint
}

// Plan is everything that is fixed before the first request.
type Plan struct {
	Experiment  record.Experiment
	Arms        []Arm // the first is the baseline
	Workload    *workload.Workload
	Environment record.Environment
	Siglab      string
	Command     []string
	Header      http.Header // of every request; only the names are recorded

	// Notes are what is known of the variants before the run.
	Notes []record.Note

	// Instruments read the machine and are closed after the run; nil: what there is.
	Instruments *telemetry.Instruments

	// Calibration is the client's own error, if it was measured.
	Calibration *record.Calibration

	// Begun is when the command was given, Startup where the time went since; zero and
	// nil where nobody wants to know.
	Begun   time.Time
	Startup *record.Startup

	// Hook, if set, is called at the moments that package record names. An error ends
	// the run.
	Hook func(ctx context.Context, at Moment) error

	// Enough, if set, is shown the run after every pair and says whether further
	// pairs would change nothing.
	Enough func(record.Run) bool
}

// Moment is when a hook is called, and about what.
type Moment struct {
	Hook    string // record.HookBeforeRun, …
	Pair    int    // from 1; 0 before and after the run
	Block   int    // ID; 0 where it is not about one
	Variant string // "" where it is not about one
}

// Values of Manifest.Stopped; a variant that died is named after StoppedDied.
const (
	StoppedComplete    = "complete"
	StoppedDecided     = "decided"      // Plan.Enough said so
	StoppedBudget      = "max duration" // one more pair would have taken too long
	StoppedInterrupted = "interrupted"
	StoppedDied        = "variant died: "

	stoppedRunning = "running"
)

// errDied marks a block that its server did not survive.
var errDied = errors.New("variant died")

// Run carries out the plan and returns the manifest that it last wrote. The error
// is for what keeps a run from being recorded (a full disk); a variant that dies
// and an interruption are outcomes, told by Manifest.Stopped.
func Run(ctx context.Context, plan Plan, log *runlog.Writer, progress func(Event)) (record.Manifest, error) {
	r := newRunner(plan, log, progress, time.Now())
	r.manifest = r.newManifest()
	if err := r.log.Workload(plan.Workload.Items()); err != nil {
		return r.manifest, err
	}
	if err := r.log.Thumbnails(plan.Workload.Thumbnails()); err != nil {
		return r.manifest, err
	}
	return r.run(ctx)
}

// run measures what is not there yet and ends the manifest.
func (r *runner) run(ctx context.Context) (record.Manifest, error) {
	// The client allocates little; a collection in the middle of a block would
	// only delay a send.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if r.instruments = r.plan.Instruments; r.instruments == nil {
		r.instruments = telemetry.Open()
	}
	r.manifest.Instruments = r.instruments.Describe()
	if err := r.log.Manifest(r.manifest); err != nil {
		return r.manifest, errors.Join(err, r.instruments.Close())
	}
	err := r.hooked(ctx, Moment{}, record.HookBeforeRun, record.HookAfterRun, r.rounds)
	switch {
	case err == nil:
		if r.manifest.Stopped == stoppedRunning {
			r.manifest.Stopped = StoppedComplete
		}
		r.manifest.Divergences, err = r.probeDivergences(ctx)
	case ctx.Err() != nil:
		r.manifest.Stopped = StoppedInterrupted
		err = nil
	case errors.Is(err, errDied):
		r.manifest.Stopped = StoppedDied + r.manifest.Blocks[len(r.manifest.Blocks)-1].Void
		err = nil
	case errors.Is(err, errWrongCode):
		r.manifest.Stopped = StoppedWrongCode + r.manifest.Blocks[len(r.manifest.Blocks)-1].Void
		err = nil
	default:
		r.manifest.Stopped = "failed: " + err.Error()
	}
	r.manifest.Finished = time.Now().UTC()
	return r.manifest, errors.Join(err, r.instruments.Close(), r.log.Manifest(r.manifest))
}

// runner is the state of one run.
type runner struct {
	plan        Plan
	log         *runlog.Writer
	progress    func(Event)
	origin      time.Time // of the run's clock
	fleet       fleet
	begun       time.Time     // when this process began
	longest     time.Duration // that a pair took
	manifest    record.Manifest
	instruments *telemetry.Instruments
	hooking     time.Duration // that hooks took
	done        map[int]bool  // pairs that an earlier process completed
	measured    bool          // a block, so that the next waits for the machine to cool down
}

func newRunner(plan Plan, log *runlog.Writer, progress func(Event), now time.Time) *runner {
	return &runner{plan: plan, log: log, progress: progress, origin: now, begun: now, fleet: fleet{arms: plan.Arms, restart: plan.Experiment.Restart}}
}

func (r *runner) newManifest() record.Manifest {
	m := record.Manifest{
		Version: record.ManifestVersion, Siglab: r.plan.Siglab, Command: r.plan.Command, Started: r.origin.UTC(),
		Stopped: stoppedRunning, Experiment: r.plan.Experiment, Workload: r.plan.Workload.Stats, Environment: r.plan.Environment,
		Notes: r.plan.Notes, Calibration: r.plan.Calibration,
	}
	m.Environment.Servers = make([]string, len(r.plan.Arms))
	for _, arm := range r.plan.Arms {
		m.Variants = append(m.Variants, arm.Variant)
	}
	return m
}

// rounds runs every block in its order, until there are enough. A void block is
// repeated once.
func (r *runner) rounds(ctx context.Context) (err error) {
	defer func() { r.noteStop(r.fleet.stopAll(ctx)) }()
	for pair, order := range Order(len(r.plan.Arms), r.plan.Experiment.Pairs) {
		if r.done[pair] {
			continue
		}
		if r.overBudget() {
			r.manifest.Stopped = StoppedBudget
			return nil
		}
		begun := time.Now()
		err := r.hooked(ctx, Moment{Pair: pair + 1}, record.HookBeforePair, record.HookAfterPair, func(ctx context.Context) error {
			return r.pair(ctx, pair, order)
		})
		if err != nil {
			return err
		}
		r.longest = max(r.longest, time.Since(begun))
		if pair+1 == r.plan.Experiment.Pairs {
			break
		}
		if enough, err := r.enough(); err != nil {
			return err
		} else if enough {
			r.manifest.Stopped = StoppedDecided
			return nil
		}
	}
	return nil
}

// pair runs the blocks of one pair.
func (r *runner) pair(ctx context.Context, pair int, order []int) error {
	r.fleet.startPair(ctx)
	for slot, arm := range order {
		if r.measured {
			if err := pause(ctx, r.plan.Experiment.CoolDown); err != nil {
				return err
			}
		}
		r.measured = true
		spec := blockSpec{pair: pair, slot: slot, arm: arm}
		err := r.block(ctx, spec, 1)
		if errors.Is(err, errDied) && ctx.Err() == nil {
			err = r.block(ctx, spec, 2)
		}
		if err != nil {
			return err
		}
	}
	r.noteStop(r.fleet.endPair(ctx))
	return nil
}

// overBudget reports whether another pair that takes as long as the longest would end
// after the experiment's time. The first pair of a process always runs.
func (r *runner) overBudget() bool {
	most := r.plan.Experiment.MaxDuration
	return most > 0 && r.longest > 0 && time.Since(r.begun)+r.longest > most
}

// noteStop notes that a server which was kept beyond its block did not end in order.
func (r *runner) noteStop(err error) {
	if err != nil {
		r.note(Arm{}, record.NoteStop, "a server did not end in order: %v.", err)
	}
}

// enough asks the plan whether the blocks so far decide.
func (r *runner) enough() (bool, error) {
	if r.plan.Enough == nil {
		return false, nil
	}
	seen, err := r.log.ReadBack(r.manifest.Blocks)
	if err != nil {
		return false, err
	}
	return r.plan.Enough(record.Run{Manifest: r.manifest, Observations: seen}), nil
}

// nextID is above the ID of every block so far.
func (r *runner) nextID() int {
	id := 0
	for _, b := range r.manifest.Blocks {
		id = max(id, b.ID)
	}
	return id + 1
}

// blockSpec says which block to run.
type blockSpec struct {
	pair, slot int
	arm        int
}

// noteBegun lists a block on the disk alone, as it is if this process is killed in it.
func (r *runner) noteBegun(b record.Block) error {
	b.Void = voidKilled
	m := r.manifest
	m.Blocks = append(slices.Clip(m.Blocks), b)
	if err := r.log.Manifest(m); err != nil {
		return fmt.Errorf("record the beginning of block %d: %w", b.ID, err)
	}
	return nil
}

// block measures one block and writes it down, void or not. It returns errDied
// for a void block, ctx's error when interrupted.
func (r *runner) block(ctx context.Context, spec blockSpec, attempt int) error {
	arm := r.plan.Arms[spec.arm]
	b := record.Block{
		ID: r.nextID(), Pair: spec.pair, Slot: spec.slot, Variant: arm.Name, Attempt: attempt,
		Slice: spec.pair, SliceHash: r.plan.Workload.SliceHash(spec.pair), Requests: len(r.plan.Workload.Slices[spec.pair]),
	}
	if err := r.noteBegun(b); err != nil {
		return err
	}
	seen := sight{rows: r.log.Begin()}
	err := r.hooked(ctx, Moment{Pair: spec.pair + 1, Block: b.ID, Variant: arm.Name}, record.HookBeforeBlock, record.HookAfterBlock, func(ctx context.Context) error {
		r.measure(ctx, spec, &b, &seen)
		return nil
	})
	switch {
	case ctx.Err() != nil:
		b.Void = StoppedInterrupted
	case err != nil:
		b.Void = err.Error()
	}
	if seen.version != "" {
		r.manifest.Environment.Servers[spec.arm] = seen.version
	}
	var unwritten error
	b.ObservationsHash, unwritten = seen.rows.End()
	r.manifest.Blocks = append(r.manifest.Blocks, b)
	if err := errors.Join(unwritten, r.log.Telemetry(seen.samples), r.log.Manifest(r.manifest)); err != nil {
		return fmt.Errorf("record block %d: %w", b.ID, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if b.Void != "" {
		if seen.wrongCode {
			return errWrongCode
		}
		r.report(Event{Phase: PhaseVoid, Block: b, Detail: b.Void})
		return errDied
	}
	return nil
}
