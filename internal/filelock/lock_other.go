//go:build !unix

package filelock

import "os"

// Lock does nothing here: these systems are not asked to keep two processes apart.
func Lock(*os.File) error { return nil }
