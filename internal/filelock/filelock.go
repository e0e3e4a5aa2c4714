// Package filelock keeps two processes from using the same files at once.
package filelock

import "errors"

// ErrHeld says that another process, or another open file, has the lock.
var ErrHeld = errors.New("another process has it")
