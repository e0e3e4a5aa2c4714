package record

import (
	"testing"
	"time"
)

func TestOver(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name string
		o    Observation
		want time.Duration
	}{
		{"an answer is over when its body has ended", Observation{Sent: 1 * s, LastToken: 3 * s, End: 4 * s}, 4 * s},
		{"one that stalled, with its last event", Observation{Sent: 1 * s, LastToken: 3 * s, End: 63 * s, Error: "stalled", Failure: FailedStalled}, 3 * s},
		{"one of which nothing came, with its sending", Observation{Sent: 1 * s, End: 61 * s, Error: "stalled", Failure: FailedStalled}, 1 * s},
		{"one that was never sent, at no time", Observation{Scheduled: 5 * s, Error: "not sent", Failure: FailedNotSent}, 0},
	}
	for _, test := range tests {
		if got := test.o.Over(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
