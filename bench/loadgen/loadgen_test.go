package loadgen

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"siglab/bench/record"
)

// items are n requests with equal gaps.
func items(n int, gap time.Duration) []record.Item {
	slice := make([]record.Item, n)
	for i := range slice {
		slice[i] = record.Item{ID: fmt.Sprint("item-", i), Index: i, Offset: time.Duration(i+1) * gap}
	}
	return slice
}

// collect runs a load and returns what was seen, one observation per item in their
// order.
func collect(ctx context.Context, items []record.Item, start time.Time, send Send, o Options) ([]record.Observation, error) {
	var mu sync.Mutex
	var seen []record.Observation
	err := Run(ctx, slices.Values(items), start, send, func(one record.Observation) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, one)
	}, o)
	slices.SortStableFunc(seen, func(a, b record.Observation) int { return cmp.Compare(a.Index, b.Index) })
	return seen, err
}

func TestRun(t *testing.T) {
	origin := time.Now()
	send := func(_ context.Context, item record.Item) record.Observation {
		sent := time.Since(origin)
		time.Sleep(time.Duration(item.Index%3) * 4 * time.Millisecond) // answers overtake each other
		return record.Observation{Item: item.ID, Index: item.Index, Sent: sent}
	}
	start := origin.Add(10 * time.Millisecond)
	got, err := collect(t.Context(), items(12, 2*time.Millisecond), start, send, Options{Origin: origin})
	if err != nil || len(got) != 12 {
		t.Fatalf("%d observations, error %v", len(got), err)
	}
	for i, o := range got {
		if o.Index != i || o.Scheduled != 10*time.Millisecond+time.Duration(i+1)*2*time.Millisecond {
			t.Errorf("observation %d: %+v", i, o)
		}
		if o.Dequeued < o.Scheduled || o.Sent < o.Dequeued {
			t.Errorf("observation %d was sent before its time: %+v", i, o)
		}
	}
}

// TestRunIsOpenLoop: a server that never answers does not hold up the schedule.
func TestRunIsOpenLoop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	send := func(ctx context.Context, item record.Item) record.Observation {
		if sent.Add(1) == 8 {
			cancel()
		}
		<-ctx.Done()
		return record.Observation{Item: item.ID, Error: "cancelled"}
	}
	got, err := collect(ctx, items(8, time.Millisecond), time.Now(), send, Options{Origin: time.Now()})
	if err == nil || sent.Load() != 8 || len(got) != 8 {
		t.Errorf("%d sent, %d observations, error %v", sent.Load(), len(got), err)
	}
}

func TestRunCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		send := func(_ context.Context, item record.Item) record.Observation {
			cancel()
			return record.Observation{Item: item.ID}
		}
		origin := time.Now()
		got, err := collect(ctx, items(5, 20*time.Millisecond), origin, send, Options{Origin: origin, wait: sleepUntil})
		if err == nil {
			t.Error("no error")
		}
		if got[0].Error != "" {
			t.Errorf("the first was sent, but says %q", got[0].Error)
		}
		for i, o := range got[1:] {
			if o.Item != fmt.Sprint("item-", i+1) || !strings.HasPrefix(o.Error, "not sent") || o.Failure != record.FailedNotSent || o.Scheduled == 0 {
				t.Errorf("observation %d: %+v", i+1, o)
			}
		}
	})
}

func TestRunNothing(t *testing.T) {
	if got, err := collect(t.Context(), nil, time.Now(), nil, Options{}); err != nil || len(got) != 0 {
		t.Errorf("no items: %v, error %v", got, err)
	}
}
