//go:build !unix

package loadgen

import "time"

// processTime is not told here.
func processTime() time.Duration { return 0 }
