//go:build !unix

package runlog

import "os"

// lock does nothing here: these systems are not asked to keep two processes apart.
func lock(*os.File) error { return nil }
