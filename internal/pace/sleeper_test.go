package pace

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestSpin: one late sleep makes the spin long, many that are on time make it short
// again, and it is never longer than it may be.
func TestSpin(t *testing.T) {
	const us = time.Microsecond
	var s Sleeper
	if got := s.spin(4000 * us); got != shortestSpin {
		t.Errorf("at first %v, want %v", got, shortestSpin)
	}
	if got := s.spin(50 * us); got != 50*us {
		t.Errorf("where gaps are short %v, want 50µs", got)
	}
	s.saw(1000 * us)
	if got := s.spin(4000 * us); got != 1250*us {
		t.Errorf("after a sleep that was 1 ms late %v, want 1.25ms", got)
	}
	s.saw(-5 * us) // ended early, by a signal
	if got := s.spin(4000 * us); got < 1200*us || got > 1250*us {
		t.Errorf("after one more, on time, %v, want a little less than 1.25ms", got)
	}
	if got := s.spin(1000 * us); got != 1000*us {
		t.Errorf("bounded %v, want 1ms", got)
	}
	for range 600 {
		s.saw(60 * us)
	}
	if got := s.spin(4000 * us); got != shortestSpin {
		t.Errorf("after many on time %v, want %v", got, shortestSpin)
	}
}

func TestSleeperUntil(t *testing.T) {
	var s Sleeper
	for _, wait := range []time.Duration{-time.Second, 100 * time.Microsecond, 25 * time.Millisecond} {
		deadline := time.Now().Add(wait)
		if err := s.Until(t.Context(), deadline, 4*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if early := time.Until(deadline); early > 0 {
			t.Errorf("%v: returned %v before the deadline", wait, early)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	if err := s.Until(ctx, time.Now().Add(time.Hour), time.Millisecond); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
