package telemetry

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/bench/record"
)

func TestBetweenTurnsCumulativeValuesIntoRates(t *testing.T) {
	origin := time.Unix(1000, 0)
	s := Sampler{Origin: origin, Block: 3, Variant: "main"}
	a := reading{at: origin.Add(time.Second), server: usage{cpu: 1, read: 100}, client: usage{cpu: 0.5},
		host: hostTimes{busy: 10, idle: 10, steal: 1}, stalled: true}
	b := reading{at: origin.Add(3 * time.Second), server: usage{cpu: 2, rss: 42, threads: 7, read: 300, written: 50}, client: usage{cpu: 0.6},
		host: hostTimes{busy: 11, idle: 13, steal: 1.2}, stalls: stalls{cpu: 0.5, io: 9}, stalled: true}
	want := record.Sample{
		At: 3 * time.Second, Block: 3, Variant: "main", CPU: 50, RSS: 42, Threads: 7, Read: 100, Written: 25, Client: 5,
		Host: 25, Steal: 5, Pressure: &record.Pressure{CPU: 25, IO: 100},
	}
	if diff := cmp.Diff(want, s.between(a, b), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunSeesItsOwnProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*Interval)
	defer cancel()
	metrics := func(context.Context) ([]byte, error) { return []byte(vllmGauges), nil }
	samples, cost := Sampler{Origin: time.Now(), PID: os.Getpid(), Metrics: metrics}.Run(ctx)
	if len(samples) == 0 || cost.Samples != len(samples) || cost.Lasted <= 0 {
		t.Fatalf("%d samples, %+v", len(samples), cost)
	}
	if samples[0].RSS == 0 || samples[0].Threads == 0 || samples[0].Processes == 0 {
		t.Errorf("the process has no memory or threads: %+v", samples[0])
	}
	scraped := 0
	for _, s := range samples {
		if s.Server != nil {
			scraped++
		}
	}
	if scraped != 1 {
		t.Errorf("%d samples have gauges, want 1: a reading is in the sample after it only", scraped)
	}
	if _, ok := threadTime(); ok && cost.CPU <= 0 {
		t.Error("sampling cost nothing")
	}
}

func TestRunWithoutAnything(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*Interval)
	defer cancel()
	refused := func(context.Context) ([]byte, error) { return nil, errors.New("404") }
	samples, _ := Sampler{Origin: time.Now(), Metrics: refused}.Run(ctx)
	for _, s := range samples {
		if s.RSS != 0 || s.Server != nil || s.GPUs != nil {
			t.Errorf("there is nothing to read: %+v", s)
		}
	}
}

// BenchmarkSample is one sample of this process and the machine; ten a second are to
// cost less than 1 % of a core, so it must stay below a millisecond.
func BenchmarkSample(b *testing.B) {
	instruments := Open()
	b.Cleanup(func() { _ = instruments.Close() })
	w := newWatch(Sampler{Origin: time.Now(), PID: os.Getpid(), Instruments: instruments})
	runtime.LockOSThread() // whose processor time is read
	defer runtime.UnlockOSThread()
	before := cpuOfThread()
	for b.Loop() {
		w.sample(slowReading{})
	}
	b.ReportMetric(100*(cpuOfThread()-before).Seconds()/float64(b.N)/Interval.Seconds(), "%core")
}

func TestEnvironmentNamesTheMachine(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env, err := Environment(t.Context(), exe)
	if err != nil {
		t.Fatal(err)
	}
	if env.OS == "" || env.Arch == "" || env.Cores < 1 || len(env.BinaryHash) != 64 {
		t.Errorf("environment %+v", env)
	}
}
