package monotime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Source names the clock.
const Source = "CLOCK_MONOTONIC"

// Now is the reading of the shared clock; only differences mean something.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return time.Duration(time.Now().UnixNano()) // every Linux has the clock
	}
	return time.Duration(ts.Nano())
}
