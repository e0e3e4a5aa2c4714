//go:build unix

package filelock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Lock locks a file until it is closed or the process ends, however it ends. It does
// not wait: the error is ErrHeld if somebody else has it. A file system without locks
// is taken as it is.
func Lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENOLCK) {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
