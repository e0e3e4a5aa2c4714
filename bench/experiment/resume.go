package experiment

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"siglab/bench/record"
	"siglab/bench/runlog"
)

// Why blocks of a run that ended early are void.
const (
	voidKilled   = "killed while it was measured"
	voidHalfPair = "its pair was not completed before the run ended"
)

// resumeGap separates what was seen before from what comes, where the wall clock
// says less: it may have been set back meanwhile.
const resumeGap = time.Second

// Resume goes on with a run that ended early: pairs that it completed are kept, all
// others are measured again. The plan must be that of the earlier run, which is what
// the run directory holds; the caller has compared the workloads.
//
// Offsets go on counting from the start of the run, by the wall clock over the time
// in between. Nothing is compared across it: a pair is measured by one process.
func Resume(ctx context.Context, plan Plan, earlier record.Run, log *runlog.Writer, progress func(Event)) (record.Manifest, error) {
	now := time.Now()
	r := newRunner(plan, log, progress, now)
	r.manifest = earlier.Manifest
	elapsed := max(now.Sub(earlier.Manifest.Started), lastSeen(earlier)+resumeGap)
	r.origin = now.Add(-elapsed)
	r.manifest.Resumed = append(r.manifest.Resumed, now.UTC())
	r.manifest.Stopped, r.manifest.Finished = stoppedRunning, time.Time{}
	r.takeOver(earlier)
	if changed := earlier.Manifest.Environment.ChangedTo(plan.Environment); len(changed) > 0 {
		r.note(Arm{}, record.NoteMachine, "the run went on where the machine was another: %s. Within each pair it was the same.", strings.Join(changed, ", "))
	}
	return r.run(ctx)
}

// lastSeen is the offset of the last thing that was recorded.
func lastSeen(run record.Run) time.Duration {
	last := time.Duration(0)
	for _, b := range run.Manifest.Blocks {
		last = max(last, b.End)
	}
	for _, o := range run.Observations {
		last = max(last, o.End, o.LastToken, o.Sent)
	}
	return last
}

// takeOver sorts the blocks of the earlier run into pairs that are complete and
// blocks that do not count, among them one that it did not come to list.
func (r *runner) takeOver(earlier record.Run) {
	variants := map[int]string{} // of blocks that have observations
	for _, o := range earlier.Observations {
		variants[o.Block] = o.Variant
	}
	r.done = CompletePairs(earlier)
	for i := range r.manifest.Blocks {
		b := &r.manifest.Blocks[i]
		if b.Void == "" && !r.done[b.Pair] {
			b.Void = voidHalfPair
		}
		delete(variants, b.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(variants)) {
		r.manifest.Blocks = append(r.manifest.Blocks, record.Block{
			ID: id, Pair: r.firstOpen(), Variant: variants[id], Attempt: 1, Slice: r.firstOpen(),
			SliceHash: r.plan.Workload.SliceHash(r.firstOpen()), Requests: r.plan.Experiment.NumPrompts, Void: voidKilled,
		})
	}
}

// CompletePairs are the pairs of a run in which every variant has a block that counts,
// with all of its observations. Resume keeps them.
func CompletePairs(run record.Run) map[int]bool {
	observed := map[int]int{} // by block
	for _, o := range run.Observations {
		observed[o.Block]++
	}
	variants := map[int]map[string]bool{} // by pair
	complete := map[int]bool{}
	for _, b := range run.Manifest.Blocks {
		if b.Void != "" || observed[b.ID] != b.Requests {
			continue
		}
		if variants[b.Pair] == nil {
			variants[b.Pair] = map[string]bool{}
		}
		variants[b.Pair][b.Variant] = true
		if len(variants[b.Pair]) == len(run.Manifest.Variants) {
			complete[b.Pair] = true
		}
	}
	return complete
}

// firstOpen is the first pair that is not complete.
func (r *runner) firstOpen() int {
	for pair := range r.plan.Experiment.Pairs {
		if !r.done[pair] {
			return pair
		}
	}
	return r.plan.Experiment.Pairs - 1
}
