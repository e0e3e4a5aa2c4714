package telemetry

import "github.com/prometheus/procfs"

// usageOf reads one process. What belongs to another user has no figures of disks.
func usageOf(pid int) (usage, bool) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return usage{}, false
	}
	stat, err := p.Stat()
	if err != nil {
		return usage{}, false
	}
	u := usage{cpu: stat.CPUTime(), rss: uint64(max(0, stat.ResidentMemory())), threads: stat.NumThreads}
	if io, err := p.IO(); err == nil {
		u.read, u.written = io.ReadBytes, io.WriteBytes
	}
	return u, true
}

// parents completes the table of who started whom: new processes are added, those that
// have gone are left out.
func parents(known map[int]int) {
	procs, err := procfs.AllProcs()
	if err != nil {
		return
	}
	alive := make(map[int]bool, len(procs))
	for _, p := range procs {
		alive[p.PID] = true
		if _, ok := known[p.PID]; ok {
			continue
		}
		if stat, err := p.Stat(); err == nil {
			known[p.PID] = stat.PPID
		}
	}
	for pid := range known {
		if !alive[pid] {
			delete(known, pid)
		}
	}
}
