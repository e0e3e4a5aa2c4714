package nvml

import "math"

// mostProcesses bounds the list of a GPU's processes.
const mostProcesses = 1 << 14

// Process is one that computes on a GPU.
type Process struct {
	PID         int    // as the driver counts: in a container it may be another or 0
	MemoryBytes uint64 // 0 if it is not known
}

// Processes lists who computes on a GPU. ok is false if the driver does not tell.
func (l *Library) Processes(d Device) (list []Process, ok bool) {
	if l.f.processes == nil {
		return nil, false
	}
	for n := uint32(16); n <= mostProcesses; n *= 2 {
		infos := make([]processInfo, n)
		count := n
		switch l.f.processes(d.own, &count, &infos[0]) {
		case success:
			for _, info := range infos[:min(count, n)] {
				p := Process{PID: int(info.pid)}
				if info.memory != math.MaxUint64 {
					p.MemoryBytes = info.memory
				}
				list = append(list, p)
			}
			return list, true
		case insufficientSize: // more came since
		default:
			return nil, false
		}
	}
	return nil, false
}
