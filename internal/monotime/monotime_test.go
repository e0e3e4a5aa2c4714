package monotime

import (
	"testing"
	"time"
)

// TestOf: instants that Go orders are ordered on the shared clock as well, with the
// same distance.
func TestOf(t *testing.T) {
	first := time.Now()
	time.Sleep(3 * time.Millisecond)
	second := time.Now()
	apart := Of(second) - Of(first)
	if off := apart - second.Sub(first); off.Abs() > time.Millisecond {
		t.Errorf("%v apart on the shared clock, %v by time.Now", apart, second.Sub(first))
	}
	if Now() < Of(second) {
		t.Error("the clock is behind an instant that has passed")
	}
}
