package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"siglab/bench/chatclient"
	"siglab/bench/record"
)

// mostWarmRounds bounds how often the warm-up requests are sent.
const mostWarmRounds = 5

// warmUp sends the warm-up requests one after another, again until they take as long
// as the time before, empties the caches that they filled, and opens connections. A
// warm-up request that fails is an error: the measured ones would fail as well.
func (r *runner) warmUp(ctx context.Context, client *chatclient.Client, arm Arm, b *record.Block) error {
	var before []time.Duration
	for b.WarmUp.Rounds < mostWarmRounds && !b.WarmUp.Stable {
		took, err := r.warmRound(ctx, client)
		if err != nil {
			return err
		}
		b.WarmUp.Rounds++
		bound := r.plan.Experiment.Stability
		if bound == 0 || len(took) == 0 {
			break
		}
		if before != nil {
			b.WarmUp.Change = medianChange(before, took)
			b.WarmUp.Stable = math.Abs(b.WarmUp.Change) <= bound
		}
		before = took
	}
	if err := r.resetCaches(ctx, client, arm); err != nil {
		return err
	}
	return client.Warm(ctx, max(warmConnections, r.plan.Experiment.MaxConcurrency))
}

// warmRound sends every warm-up request once and returns how long each took.
func (r *runner) warmRound(ctx context.Context, client *chatclient.Client) ([]time.Duration, error) {
	var took []time.Duration
	for _, item := range r.plan.Workload.Warmup {
		o := client.Send(ctx, item)
		if !o.OK() {
			return nil, fmt.Errorf("request %s: %s", item.ID, o.Error)
		}
		took = append(took, o.LastToken-o.Sent)
	}
	return took, nil
}

// medianChange is the median over the requests of the relative change of their times.
// The median, because one stall of the machine is no sign of a cold server.
func medianChange(before, after []time.Duration) float64 {
	changes := make([]float64, len(before))
	for i := range before {
		changes[i] = float64(after[i])/float64(max(before[i], 1)) - 1
	}
	slices.Sort(changes)
	n := len(changes)
	return (changes[(n-1)/2] + changes[n/2]) / 2
}
