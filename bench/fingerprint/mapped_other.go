//go:build !linux

package fingerprint

import (
	"context"

	"github.com/shirou/gopsutil/v4/process"
)

// mapped is empty: only the program of a process is known here.
func mapped(context.Context, *process.Process) []string { return nil }
