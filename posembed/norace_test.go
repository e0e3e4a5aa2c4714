//go:build !race

package posembed_test

const raceEnabled = false
