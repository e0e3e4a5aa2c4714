package clientbench

import (
	"context"
	"time"

	"siglab/bench/clientbench/yardstick"
)

// client is a load client: how it is installed, told what to send, and read.
type client struct {
	name string
	// prepare installs it; nil: there is nothing to install.
	prepare func(context.Context) error
	// cannot says why a load is not for it; nil or "": it is.
	cannot func(Load) string
	// command is what to run, and what to add to the environment.
	command func(task) (argv, env []string, err error)
	// read reads what it wrote of its requests.
	read func(task) ([]request, error)
}

// task is one run of a client.
type task struct {
	Load
	url   string
	round int    // also the seed
	dir   string // where it writes
}

// request is what a client says of one of its requests. A field that it does not
// tell is empty.
type request struct {
	id    string
	start float64 // seconds: the order; of those without an id, on the shared clock
	// ttft and gaps are ms, by the client's own definition.
	ttft float64
	gaps []float64
	// meanGap stands for the gaps of clients that tell no single ones.
	meanGap float64
	// reads are of each event, on the machine's monotonic clock.
	reads []time.Duration
}

// clients lists all, ours first.
func clients(c Config) []client {
	return []client{
		ours(c), yardstickClient(c, yardstick.Raw), yardstickClient(c, yardstick.NetHTTP),
		aiperf(c), inferencePerf(c), vllmBench(c), guidellm(c),
	}
}

const milli = 1e3 // from seconds

// gapsOf are the differences of ascending times in seconds, in ms.
func gapsOf(times []float64) []float64 {
	var gaps []float64
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, (times[i]-times[i-1])*milli)
	}
	return gaps
}
