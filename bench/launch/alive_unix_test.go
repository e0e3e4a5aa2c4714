//go:build unix

package launch

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// alive reports whether a process runs; one that has ended but was not yet
// reaped by the system does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true // no /proc here: the signal's word counts
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
