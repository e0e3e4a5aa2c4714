package clientbench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"siglab/bench/launch"
	"siglab/internal/monotime"
)

// sampleEvery is seldom enough that reading /proc does not disturb: two milliseconds
// each time.
const sampleEvery = 200 * time.Millisecond

// sample is what a client's processes had used by a time.
type sample struct {
	at  time.Duration // on the machine's monotonic clock
	cpu float64       // seconds, of all
	rss uint64        // bytes, of all: pages that they share count for each
}

// held runs a client to its end, with all that it starts, and watches it. Its output
// is in the folder's output.log. How it ended is told, not judged: what it wrote says
// whether it worked.
func (s *sitting) held(ctx context.Context, argv, env []string, dir string) (samples []sample, ended error, err error) {
	p, _, err := launch.Start(ctx, launch.Spec{
		Name: filepath.Base(argv[0]), Argv: argv, Dir: s.config.Dir, Env: append(s.config.Environ, env...),
		Log: filepath.Join(dir, "output.log"), Timeout: s.config.Timeout, Holder: []string{s.config.Siglab, "hold"},
		URL: s.url, Ready: []string{s.url + "/health"}, // the server that it is for is ready already
	})
	if err != nil {
		return nil, nil, err
	}
	timeout := time.NewTimer(s.config.Timeout)
	defer timeout.Stop()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	watched := tree{}
	for {
		select {
		case <-tick.C:
			samples = append(samples, watched.read(p.PID()))
			continue
		case <-p.Exited():
			return samples, p.Cause(), nil
		case <-timeout.C:
			err = fmt.Errorf("it did not end within %v", s.config.Timeout)
		case <-ctx.Done():
			err = ctx.Err()
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = p.Stop(ending) // the reason it is stopped is the error to report
		return samples, nil, err
	}
}

// tree holds the processor seconds of every process that was seen: those of one that
// has ended still count.
type tree map[int32]float64

func (t tree) read(pid int) sample {
	s := sample{at: monotime.Now()}
	if root, err := process.NewProcess(int32(pid)); err == nil {
		t.add(&s, root)
	}
	for _, used := range t {
		s.cpu += used
	}
	return s
}

// add takes in a process and those below it.
func (t tree) add(s *sample, p *process.Process) {
	if used, err := p.Times(); err == nil {
		t[p.Pid] = used.User + used.System
	}
	if m, err := p.MemoryInfo(); err == nil {
		s.rss += m.RSS
	}
	children, err := p.Children()
	if err != nil {
		return // most often: there are none
	}
	for _, c := range children {
		t.add(s, c)
	}
}

// cores is the use of processors between two times, by the samples around them.
func cores(samples []sample, from, to time.Duration) float64 {
	if len(samples) < 2 || to <= from {
		return 0
	}
	return max(0, cpuAt(samples, to)-cpuAt(samples, from)) / (to - from).Seconds()
}

// cpuAt interpolates; outside of the samples the nearest counts.
func cpuAt(samples []sample, at time.Duration) float64 {
	for i, b := range samples {
		if b.at < at {
			continue
		}
		if i == 0 {
			return b.cpu
		}
		a := samples[i-1]
		return a.cpu + (b.cpu-a.cpu)*float64(at-a.at)/float64(b.at-a.at)
	}
	return samples[len(samples)-1].cpu
}

// peak is the most memory, in MB.
func peak(samples []sample) float64 {
	most := uint64(0)
	for _, s := range samples {
		most = max(most, s.rss)
	}
	return float64(most) / (1 << 20)
}
