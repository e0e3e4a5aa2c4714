//go:build race

package cudart

// raceEnabled: the race detector makes sync.Pool drop what is put into it.
const raceEnabled = true
