package posembedcuda

import (
	"context"
	"errors"
	"slices"
	"time"

	"siglab/internal/cudart"
)

// Time is the device's time for one launch of every work, each captured as often in a
// CUDA graph, so that what launching costs the processor is not in it. The works take
// turns in rounds, so that a change of clocks meets all; the result has the median
// of the rounds by work. Works of one graph write the same memory in order.
func Time(ctx context.Context, gpu *GPU, works []*Work, launches, rounds int) ([]time.Duration, error) {
	s, err := gpu.NewStream()
	if err != nil {
		return nil, err
	}
	start, err1 := gpu.NewEvent()
	end, err2 := gpu.NewEvent()
	t := timer{stream: s, start: start, end: end}
	err = errors.Join(err1, err2)
	var times []time.Duration
	if err == nil {
		times, err = t.run(ctx, works, launches, rounds)
	}
	for _, g := range t.graphs {
		err = errors.Join(err, g.Close())
	}
	if start != nil {
		err = errors.Join(err, start.Close())
	}
	if end != nil {
		err = errors.Join(err, end.Close())
	}
	return times, errors.Join(err, s.Close())
}

// timer is what Time needs on the device.
type timer struct {
	stream     *cudart.Stream
	start, end *cudart.Event
	graphs     []*cudart.Graph
}

// run captures every work and launches the graphs in rounds.
func (t *timer) run(ctx context.Context, works []*Work, launches, rounds int) ([]time.Duration, error) {
	for _, w := range works {
		g, err := t.stream.Capture(func() error {
			for range launches {
				if err := w.Launch(t.stream); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		t.graphs = append(t.graphs, g)
	}
	taken := make([][]time.Duration, len(works))
	for round := range rounds + 1 { // the first warms up
		for i, g := range t.graphs {
			if err := errors.Join(t.start.Record(t.stream), g.Launch(t.stream), t.end.Record(t.stream), t.end.Synchronize(ctx)); err != nil {
				return nil, err
			}
			took, err := cudart.Elapsed(t.start, t.end)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				taken[i] = append(taken[i], took/time.Duration(launches))
			}
		}
	}
	times := make([]time.Duration, len(works))
	for i := range times {
		times[i] = median(taken[i])
	}
	return times, nil
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
