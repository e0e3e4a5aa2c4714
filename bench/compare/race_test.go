//go:build race

package compare

// raceDetector slows simulations some ten times down, and they share nothing but counts.
const raceDetector = true
