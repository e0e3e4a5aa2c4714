package experiment

import (
	"testing"
	"time"

	"siglab/bench/record"
)

// TestStartupIsOfTheFirstBlock: parts are what the plan says and what was seen, the whole
// is the time since the command, and none is told where nobody asked or the first block
// was void.
func TestStartupIsOfTheFirstBlock(t *testing.T) {
	l := newLab(t, 2, &fakeServer{}, &fakeServer{})
	const ago = time.Hour
	l.plan.Begun, l.plan.Startup = time.Now().Add(-ago), &record.Startup{Plan: time.Second, Calibrate: time.Minute}
	s := l.run(t.Context(), t, nil).Manifest.Startup
	if s == nil {
		t.Fatal("the manifest has no start-up")
	}
	if s.Plan != time.Second || s.Calibrate != time.Minute || s.Servers <= 0 || s.WarmUp <= 0 || s.Total < ago || s.Total > 2*ago {
		t.Errorf("start-up: %+v", *s)
	}
	for name, l := range map[string]*lab{
		"nobody asked": newLab(t, 1, &fakeServer{}, &fakeServer{}),
		"a void block": newLab(t, 1, &fakeServer{dieAfter: 1}, &fakeServer{}),
	} {
		if name != "nobody asked" {
			l.plan.Begun, l.plan.Startup = time.Now(), &record.Startup{}
		}
		if got := l.run(t.Context(), t, nil).Manifest.Startup; got != nil {
			t.Errorf("%s: start-up %+v", name, *got)
		}
	}
}
