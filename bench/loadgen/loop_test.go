package loadgen

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"siglab/bench/record"
)

// sleepUntil waits by the bubble's clock, where the pacing of package pace would wait
// by the machine's.
func sleepUntil(ctx context.Context, due time.Time, _ time.Duration) error {
	select {
	case <-time.After(time.Until(due)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// service answers every request after the same time, on the bubble's clock.
type service struct {
	takes  time.Duration
	origin time.Time

	mu        sync.Mutex
	now, most int // in flight
	order     []int
}

func (s *service) send(ctx context.Context, item record.Item) record.Observation {
	o := record.Observation{Index: item.Index, Item: item.ID, Sent: time.Since(s.origin)}
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.order = append(s.order, item.Index)
	s.mu.Unlock()
	if sleepUntil(ctx, time.Now().Add(s.takes), 0) != nil {
		o.Error = "cancelled"
	}
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	o.End = time.Since(s.origin)
	return o
}

// TestCapped: ten requests, one every 10 ms, of 100 ms each, on two places: those
// that are due wait in their order, and every millisecond of it is recorded.
func TestCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		origin := time.Now()
		s := &service{takes: 100 * ms, origin: origin}
		start := origin.Add(time.Second)
		got, err := collect(t.Context(), items(10, 10*ms), start, s.send, Options{Origin: origin, Loop: Capped, Concurrency: 2, wait: sleepUntil})
		if err != nil {
			t.Fatal(err)
		}
		if s.most != 2 || !slices.IsSorted(s.order) {
			t.Errorf("%d in flight at most, order %v", s.most, s.order)
		}
		for i, o := range got {
			due := time.Second + time.Duration(i+1)*10*ms
			sent := time.Second + 10*ms + time.Duration(i/2)*100*ms + time.Duration(i%2)*10*ms
			if o.Scheduled != due || o.Queued != due || o.Dequeued != sent || o.Sent != sent {
				t.Errorf("request %d: scheduled %v, queued %v, dequeued %v, sent %v; want %v, %v, %v, %v", i, o.Scheduled, o.Queued, o.Dequeued, o.Sent, due, due, sent, sent)
			}
		}
	})
}

// TestClosed: the next request goes out the moment one ends, whatever its offset.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		origin := time.Now()
		s := &service{takes: 30 * ms, origin: origin}
		slice := items(9, time.Hour)
		slices.Reverse(slice) // no schedule at all
		got, err := collect(t.Context(), slice, origin.Add(ms), s.send, Options{Origin: origin, Loop: Closed, Concurrency: 3, wait: sleepUntil})
		if err != nil || s.most != 3 {
			t.Fatalf("%d in flight at most, error %v", s.most, err)
		}
		for _, o := range got {
			taken := len(slice) - 1 - o.Index // the slice is reversed
			want := ms + time.Duration(taken/3)*30*ms
			if o.Item != slice[taken].ID || o.Scheduled != want || o.Dequeued != want || o.Sent != want || o.Queued != 0 {
				t.Errorf("request %d: %+v, want all at %v", taken, o, want)
			}
		}
	})
}

// TestBoundedLoopsCancelled: what waits for a place when the run ends is reported.
func TestBoundedLoopsCancelled(t *testing.T) {
	for _, which := range []Loop{Capped, Closed} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			origin := time.Now()
			s := &service{takes: time.Hour, origin: origin}
			got, err := collect(ctx, items(6, time.Millisecond), origin.Add(time.Millisecond), s.send, Options{Origin: origin, Loop: which, Concurrency: 2, wait: sleepUntil})
			if err == nil || len(got) != 6 {
				t.Fatalf("%d observations, error %v", len(got), err)
			}
			for i, o := range got {
				if sent := i < 2; sent != (o.Sent > 0) || sent == (o.Failure == record.FailedNotSent) || o.Error == "" || o.Index != i || o.Scheduled == 0 {
					t.Errorf("loop %d, request %d: %+v", which, i, o)
				}
			}
		})
	}
}

func TestBoundedLoopsNeedPlaces(t *testing.T) {
	for _, which := range []Loop{Capped, Closed} {
		if _, err := collect(t.Context(), items(1, 1), time.Now(), nil, Options{Loop: which}); err == nil || !strings.Contains(err.Error(), "0 requests in flight") {
			t.Errorf("error %v", err)
		}
	}
}

// stream yields n items made when they are asked for.
func stream(n int, gap time.Duration) iter.Seq[record.Item] {
	return func(yield func(record.Item) bool) {
		for i := range n {
			if !yield(record.Item{Index: i, Offset: time.Duration(i) * gap, Body: make([]byte, 1000)}) {
				return
			}
		}
	}
}

// TestRunIsFlat: what a hundred thousand requests leave behind is nothing.
func TestRunIsFlat(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, which := range []Loop{Open, Capped, Closed} {
		synctest.Test(t, func(t *testing.T) {
			origin := time.Now()
			s := &service{takes: 5 * time.Millisecond, origin: origin}
			var done atomic.Int64
			var early, late uint64
			err := Run(t.Context(), stream(100_000, time.Millisecond), origin, func(ctx context.Context, item record.Item) record.Observation {
				o := s.send(ctx, item)
				o.Text = strings.Repeat("x", 100)
				s.mu.Lock()
				s.order = s.order[:0]
				s.mu.Unlock()
				return o
			}, func(record.Observation) {
				switch done.Add(1) {
				case 5_000:
					early = heap()
				case 95_000:
					late = heap()
				}
			}, Options{Origin: origin, Loop: which, Concurrency: 10, wait: sleepUntil})
			if err != nil || done.Load() != 100_000 {
				t.Errorf("loop %d: %d done, error %v", which, done.Load(), err)
			}
			if late > early+4<<20 {
				t.Errorf("loop %d: the heap grew from %d to %d bytes", which, early, late)
			}
		})
	}
}

// TestRunBadSchedule: time that goes back ends the load, nothing is left out.
func TestRunBadSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := time.Now()
		s := &service{origin: origin}
		slice := items(4, time.Second)
		slice[2].Offset = 0
		kinds := map[record.Failure]int{}
		var mu sync.Mutex
		err := Run(t.Context(), slices.Values(slice), origin, s.send, func(o record.Observation) {
			mu.Lock()
			defer mu.Unlock()
			kinds[o.Failure]++
		}, Options{Origin: origin, wait: sleepUntil})
		if err == nil || !strings.Contains(err.Error(), "item-2") || kinds[""] != 2 || kinds[record.FailedNotSent] != 2 {
			t.Errorf("error %v, %v", err, kinds)
		}
	})
}

func TestWatchRuntime(t *testing.T) {
	end := WatchRuntime()
	runtime.GC()
	if seen := end(); seen.Collections < 1 || seen.LongestPause <= 0 || seen.LongestWait < seen.WaitP50 {
		t.Errorf("%+v", seen)
	}
}
