//go:build linux || darwin

package doctor

import "golang.org/x/sys/unix"

// fileLimit is how many files a process may have open.
func fileLimit() (uint64, bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return limit.Cur, true
}
