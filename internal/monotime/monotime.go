// Package monotime reads a clock that the processes of one machine share, so that
// what one of them stamped can be compared with the stamps of another.
//
// Go's own monotonic readings are of such a clock on most systems, but have no
// common origin in the API; Of finds it.
package monotime

import "time"

// Of is the shared clock's reading at t, which must hold a monotonic reading (as
// time.Now gives). It is off by less than the time between two readings.
func Of(t time.Time) time.Duration {
	// The shortest of a few brackets was not interrupted.
	best, reading := time.Duration(1<<63-1), time.Duration(0)
	for range 9 {
		before := time.Since(t)
		shared := Now()
		after := time.Since(t)
		if bracket := after - before; bracket < best {
			best, reading = bracket, shared-before-bracket/2
		}
	}
	return reading
}
