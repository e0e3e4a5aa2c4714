package telemetry

import "github.com/shirou/gopsutil/v4/cpu"

// hostTimes are seconds of all cores together.
type hostTimes struct{ busy, idle, steal float64 }

func readHost() hostTimes {
	times, err := cpu.Times(false)
	if err != nil || len(times) != 1 {
		return hostTimes{}
	}
	t := times[0]
	return hostTimes{
		busy:  t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal,
		idle:  t.Idle + t.Iowait,
		steal: t.Steal,
	}
}

// stalls are the seconds in which some task waited for a resource.
type stalls struct{ cpu, memory, io float64 }
