//go:build !linux

package cpu

// preferHugePages does nothing: the system decides.
func preferHugePages([]byte) {}
