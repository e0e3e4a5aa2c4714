//go:build unix

package runlog

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from writing the run directory until the file is closed
// or the process ends, however it ends.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errors.New("another siglab is still writing this run directory; wait for it, or end it")
	}
	if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENOLCK) { // a file system without locks
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
