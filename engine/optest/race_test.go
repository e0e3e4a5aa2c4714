//go:build race

package optest_test

const raceEnabled = true
