package fingerprint

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
)

// mapped are the files that a process has in its memory; none if it may not be looked at.
func mapped(ctx context.Context, p *process.Process) []string {
	maps, err := p.MemoryMapsWithContext(ctx, false)
	if err != nil || maps == nil {
		return nil
	}
	var files []string
	for _, m := range *maps {
		if strings.HasPrefix(m.Path, "/") {
			files = append(files, m.Path)
		}
	}
	return files
}
