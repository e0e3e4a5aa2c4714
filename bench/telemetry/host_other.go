//go:build !linux

package telemetry

import "time"

func frequency() (mhz float64, ok bool) { return 0, false }

func pressure() (stalls, bool) { return stalls{}, false }

func threadTime() (time.Duration, bool) { return 0, false }
