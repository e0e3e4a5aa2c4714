package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shirou/gopsutil/v4/process"
)

// started are the processes that carry the lab's mark: what it started, and what that
// did, wherever they are in the tree by now.
func (l lab) started() ([]*process.Process, error) {
	all, err := process.Processes()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p *process.Process) bool {
		environment, err := p.Environ()
		return err != nil || !slices.Contains(environment, l.mark) // one that has just ended has none
	}), nil
}

// checkNothingLeft wants no process of the lab to be alive.
func (l lab) checkNothingLeft(t *testing.T) {
	t.Helper()
	left, err := l.started()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range left {
		t.Errorf("left over: %s", describe(p))
	}
}

func describe(p *process.Process) string {
	name, err := p.Name()
	if err != nil {
		name = err.Error()
	}
	argv, _ := p.CmdlineSlice() // the name says enough
	return fmt.Sprintf("process %d (%s): %s", p.Pid, name, strings.Join(argv, " "))
}
