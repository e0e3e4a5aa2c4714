package launch

import (
	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// Listener is the process that listens on a port, as far as this user may know; 0 if
// none is known.
func Listener(port int) int {
	sockets, err := psnet.Connections("tcp")
	if err != nil {
		return 0
	}
	for _, s := range sockets {
		if s.Status == "LISTEN" && int(s.Laddr.Port) == port && s.Pid != 0 {
			return int(s.Pid)
		}
	}
	return 0
}

// mostGenerations bounds the way from a process to the one that started it all.
const mostGenerations = 64

// Holds reports whether a process belongs to this child.
func (p *Process) Holds(pid int) bool {
	for range mostGenerations {
		if pid == p.cmd.Process.Pid || pid == p.PID() {
			return true
		}
		parent, err := process.NewProcess(int32(pid))
		if err != nil {
			return false
		}
		above, err := parent.Ppid()
		if err != nil || above <= 1 {
			return false
		}
		pid = int(above)
	}
	return false
}
