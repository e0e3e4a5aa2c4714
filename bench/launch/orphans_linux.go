package launch

import (
	"os"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of all processes below it whose parent
// ends, so that none is out of reach, whatever group or session it made its own.
func adoptOrphans() {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) // since Linux 3.4; without it groups are all that is seen
}

// killOrphans kills what is left below this process, for the grace at most. The
// program itself has been waited for.
func killOrphans(grace time.Duration) {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return
	}
	for deadline := time.Now().Add(grace); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		reap()
		children, err := self.Children()
		if err != nil || len(children) == 0 {
			return
		}
		for _, child := range children {
			_ = syscall.Kill(int(child.Pid), syscall.SIGKILL) // it may be gone
		}
	}
}
