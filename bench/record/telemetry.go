package record

import (
	"strings"
	"time"
)

// Instruments are what the telemetry of a run could read.
type Instruments struct {
	Interval time.Duration `json:"interval_ns,omitempty"`      // between samples
	Slow     time.Duration `json:"slow_interval_ns,omitempty"` // between readings that cost more
	Driver   string        `json:"gpu_driver,omitempty"`       // version
	CUDA     string        `json:"gpu_driver_cuda,omitempty"`  // newest that the driver supports
	GPUs     []GPUInfo     `json:"gpus,omitempty"`
	Missing  []string      `json:"missing,omitempty"` // what this machine does not tell, and why
}

// GPUInfo describes a GPU, or one MIG instance of it.
type GPUInfo struct {
	Index           int     `json:"index"` // as nvidia-smi counts
	UUID            string  `json:"uuid"`
	Parent          string  `json:"parent,omitempty"` // UUID of the GPU of a MIG instance
	Name            string  `json:"name"`
	MemoryBytes     uint64  `json:"memory_bytes"`
	MaxSMMHz        int     `json:"max_sm_mhz,omitempty"`
	MaxMemoryMHz    int     `json:"max_memory_mhz,omitempty"`
	PowerLimitWatts float64 `json:"power_limit_w,omitempty"`
}

// Sampling is what the telemetry of one block cost.
type Sampling struct {
	Samples int           `json:"samples"`
	Lasted  time.Duration `json:"lasted_ns"`
	// CPU is the processor time of the threads that sampled, 0 where the system does not
	// tell.
	CPU time.Duration `json:"cpu_ns"`
}

// Sample is one reading of the machine while a block was measured. Percentages of CPU
// are of one core unless they say otherwise. Readings that cost more are made less
// often, and are in the first sample after them only.
type Sample struct {
	At      time.Duration `json:"at_ns"`
	Block   int           `json:"block"`
	Variant string        `json:"variant"`

	// The server's process tree.
	CPU       float64 `json:"cpu_percent"`
	RSS       uint64  `json:"rss_bytes"`
	Processes int     `json:"processes,omitempty"`
	Threads   int     `json:"threads,omitempty"`
	Read      float64 `json:"read_bytes_per_s,omitempty"` // from disks
	Written   float64 `json:"written_bytes_per_s,omitempty"`

	Client float64 `json:"client_cpu_percent"`

	// The host.
	Host     float64   `json:"host_cpu_percent"`             // of all cores
	Steal    float64   `json:"host_steal_percent,omitempty"` // of all cores: taken by other virtual machines
	MHz      float64   `json:"host_mhz,omitempty"`           // mean of the cores
	Pressure *Pressure `json:"pressure,omitempty"`

	GPUs   []GPUSample `json:"gpus,omitempty"`
	Server *Gauges     `json:"server,omitempty"`
}

// Pressure is the share of the time since the last sample in which some task waited, in
// percent (Linux's pressure stall information).
type Pressure struct {
	CPU    float64 `json:"cpu_percent"`
	Memory float64 `json:"memory_percent"`
	IO     float64 `json:"io_percent"`
}

// Gauges are what a server's /metrics said at one moment; nil is what it does not say.
type Gauges struct {
	Running *float64 `json:"running,omitempty"`  // requests being answered
	Waiting *float64 `json:"waiting,omitempty"`  // requests in the queue
	KVCache *float64 `json:"kv_cache,omitempty"` // share in use, 0 to 1
}

// GPUSample is one reading of one GPU; nil is what it does not tell.
type GPUSample struct {
	UUID              string   `json:"uuid"`
	Utilization       *int     `json:"utilization_percent,omitempty"`        // of the time, in which a kernel ran
	MemoryUtilization *int     `json:"memory_utilization_percent,omitempty"` // of the time, in which memory was used
	MemoryUsed        *uint64  `json:"memory_used_bytes,omitempty"`
	ServerMemory      *uint64  `json:"server_memory_bytes,omitempty"` // of the server's process tree
	SMMHz             *int     `json:"sm_mhz,omitempty"`
	MemoryMHz         *int     `json:"memory_mhz,omitempty"`
	Watts             *float64 `json:"power_w,omitempty"`
	Celsius           *int     `json:"temperature_c,omitempty"`
	Throttle          *uint64  `json:"throttle,omitempty"`            // bits, named by ThrottleNames
	PCIeTX            *float64 `json:"pcie_tx_bytes_per_s,omitempty"` // from the GPU
	PCIeRX            *float64 `json:"pcie_rx_bytes_per_s,omitempty"` // to it
}

// throttles are the bits of GPUSample.Throttle, by nvidia-smi's names of them. Those
// that slow take speed from a GPU that is at work.
var throttles = [...]struct {
	name  string
	slows bool
}{
	{"gpu_idle", false}, {"applications_clocks_setting", false}, {"sw_power_cap", true}, {"hw_slowdown", true}, {"sync_boost", false},
	{"sw_thermal_slowdown", true}, {"hw_thermal_slowdown", true}, {"hw_power_brake_slowdown", true}, {"display_clocks_setting", false},
}

// Slowed are those bits of a throttle value that take speed from a GPU at work.
func Slowed(throttle uint64) uint64 {
	var mask uint64
	for i, t := range throttles {
		if t.slows {
			mask |= 1 << i
		}
	}
	return throttle & mask
}

// ThrottleNames lists the reasons in a throttle value: "sw_power_cap, hw_slowdown".
func ThrottleNames(throttle uint64) string {
	var names []string
	for i, t := range throttles {
		if throttle&(1<<i) != 0 {
			names = append(names, t.name)
		}
	}
	return strings.Join(names, ", ")
}
