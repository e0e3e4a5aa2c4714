package experiment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"siglab/bench/chatclient"
	"siglab/bench/record"
)

// Bounds of the gap probes: enough for every divergence of a variant that is
// meant to agree, a sample of one that is not.
const (
	probeTime = 10 * time.Second
	probeMost = 200
)

// probeDivergences asks the baseline again, after the measurement, how close the
// call was wherever a variant's greedy answer left the baseline's: the gap
// between its two best logits at the first differing token. A flip at a gap of
// rounding size is arithmetic; a flip at a large one is a different answer.
//
// Variants with few divergences come first, since theirs need explaining most.
// What does not fit into the bounds is listed with the reason instead of a gap.
func (r *runner) probeDivergences(ctx context.Context) ([]record.GapProbe, error) {
	e := r.plan.Experiment
	if len(r.plan.Arms) < 2 || e.Temperature > 0 || e.Backend == record.BackendCompletions {
		return nil, nil
	}
	seen, err := r.log.ReadBack(r.manifest.Blocks)
	if err != nil {
		return nil, err
	}
	probes := r.divergences(seen)
	if len(probes) == 0 {
		return nil, nil
	}
	r.report(Event{Phase: PhaseProbe, Detail: fmt.Sprintf("asking how close %d diverging answers were", len(probes))})
	fail := func(from int, err error) ([]record.GapProbe, error) {
		for i := from; i < len(probes); i++ {
			probes[i].Err = err.Error()
		}
		return probes, nil
	}
	baseline := r.plan.Arms[0]
	url, err := baseline.Server.Start(ctx) // which bounds itself
	if err != nil {
		return fail(0, err)
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		_ = baseline.Server.Stop(stopCtx) // the measurement is over; a slow end changes nothing
	}()
	client := r.client(url, probeTime)
	defer client.Close()
	if err := r.waitHealthy(ctx, client, baseline); err != nil {
		return fail(0, err)
	}
	for i := range probes {
		if i == probeMost || ctx.Err() != nil {
			return fail(i, fmt.Errorf("not asked: only the first %d within %v are", probeMost, probeTime))
		}
		r.probe(ctx, client, &probes[i])
	}
	return probes, nil
}

// probe fills in the gap of one divergence.
func (r *runner) probe(ctx context.Context, client *chatclient.Client, p *record.GapProbe) {
	item, ok := r.plan.Workload.Item(p.Item)
	if !ok {
		p.Err = "its request is not in the workload"
		return
	}
	tokens, err := client.TopLogprobs(ctx, item.Body, p.Token+1)
	switch {
	case err != nil:
		p.Err = err.Error()
	case len(tokens) <= p.Token || len(tokens[p.Token].TopLogprobs) < 2:
		p.Err = "the server gave no second best"
	case tokens[p.Token].Token != p.Baseline:
		p.Err = fmt.Sprintf("asked again, the baseline said %q there", tokens[p.Token].Token)
	default:
		// A log-softmax shifts both by the same amount, so this is the logits' gap.
		top := tokens[p.Token].TopLogprobs
		p.Gap = top[0].Logprob - top[1].Logprob
	}
}

// divergences pairs each candidate's answers with the baseline's of the same
// request and lists where they part.
func (r *runner) divergences(seen []record.Observation) []record.GapProbe {
	baseline := map[string]*record.Observation{}
	for i := range seen {
		if o := &seen[i]; o.Variant == r.plan.Arms[0].Name && o.OK() {
			baseline[o.Item] = o
		}
	}
	var probes []record.GapProbe
	perVariant := map[string]int{}
	for i := range seen {
		o := &seen[i]
		b := baseline[o.Item]
		if o.Variant == r.plan.Arms[0].Name || b == nil || !o.OK() {
			continue
		}
		token, saidB, saidO, ok := record.FirstDivergence(b, o)
		if !ok {
			continue
		}
		perVariant[o.Variant]++
		probes = append(probes, record.GapProbe{Variant: o.Variant, Item: o.Item, Token: token, Baseline: saidB, Other: saidO})
	}
	slices.SortStableFunc(probes, func(a, b record.GapProbe) int {
		return cmp.Or(cmp.Compare(perVariant[a.Variant], perVariant[b.Variant]), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Item, b.Item))
	})
	return probes
}
