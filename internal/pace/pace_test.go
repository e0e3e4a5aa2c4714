package pace

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestSleepUntil(t *testing.T) {
	tests := []struct {
		name  string
		sleep time.Duration
		spin  time.Duration
	}{
		{"an instant in the past returns at once", -time.Second, time.Millisecond},
		{"shorter than the spin: spins only", 200 * time.Microsecond, time.Millisecond},
		{"longer than a nap: sleeps, then spins", 25 * time.Millisecond, 150 * time.Microsecond},
		{"no spin at all", 2 * time.Millisecond, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			deadline := time.Now().Add(tt.sleep)
			if err := SleepUntil(t.Context(), deadline, tt.spin); err != nil {
				t.Fatal(err)
			}
			if early := time.Until(deadline); early > 0 {
				t.Errorf("returned %v before the deadline", early)
			}
		})
	}
}

func TestSleepUntilCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	begun := time.Now()
	err := SleepUntil(ctx, begun.Add(time.Hour), time.Millisecond)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if err := SleepUntil(ctx, time.Now().Add(time.Hour), 2*time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("while spinning: error %v, want %v", err, context.Canceled)
	}
}

// BenchmarkLateness reports how late SleepUntil returns and what it burns.
func BenchmarkLateness(b *testing.B) {
	var late, worst time.Duration
	for b.Loop() {
		deadline := time.Now().Add(3 * time.Millisecond)
		if err := SleepUntil(b.Context(), deadline, 150*time.Microsecond); err != nil {
			b.Fatal(err)
		}
		l := time.Since(deadline)
		late += l
		worst = max(worst, l)
	}
	b.ReportMetric(float64(late.Nanoseconds())/float64(b.N), "late-ns/op")
	b.ReportMetric(float64(worst.Nanoseconds()), "worst-late-ns")
}
