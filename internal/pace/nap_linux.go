package pace

import (
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps at most d; a signal may end it early, which the caller's loop mends.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&ts, nil)
}
