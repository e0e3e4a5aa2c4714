//go:build !linux

package telemetry

import "github.com/shirou/gopsutil/v4/process"

// usageOf reads one process.
func usageOf(pid int) (usage, bool) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return usage{}, false
	}
	times, err := p.Times()
	if err != nil {
		return usage{}, false
	}
	u := usage{cpu: times.User + times.System}
	if m, err := p.MemoryInfo(); err == nil {
		u.rss = m.RSS
	}
	if n, err := p.NumThreads(); err == nil {
		u.threads = int(n)
	}
	if io, err := p.IOCounters(); err == nil {
		u.read, u.written = io.ReadBytes, io.WriteBytes
	}
	return u, true
}

// parents completes the table of who started whom: new processes are added, those that
// have gone are left out.
func parents(known map[int]int) {
	pids, err := process.Pids()
	if err != nil {
		return
	}
	alive := make(map[int]bool, len(pids))
	for _, pid := range pids {
		alive[int(pid)] = true
		if _, ok := known[int(pid)]; ok {
			continue
		}
		if parent, err := (&process.Process{Pid: pid}).Ppid(); err == nil {
			known[int(pid)] = int(parent)
		}
	}
	for pid := range known {
		if !alive[pid] {
			delete(known, pid)
		}
	}
}
