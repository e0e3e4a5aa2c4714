package telemetry

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestBetweenTurnsCumulativeSecondsIntoPercent(t *testing.T) {
	origin := time.Unix(1000, 0)
	s := Sampler{Origin: origin, Block: 3, Variant: "main"}
	a := reading{at: origin.Add(time.Second), server: 1, client: 0.5, hostBusy: 10, hostIdle: 10}
	b := reading{at: origin.Add(3 * time.Second), server: 2, client: 0.6, hostBusy: 11, hostIdle: 13, rss: 42}
	got := s.between(a, b)
	if got.At != 3*time.Second || got.Block != 3 || got.Variant != "main" || got.RSS != 42 {
		t.Errorf("sample %+v", got)
	}
	for name, pair := range map[string][2]float64{"cpu": {got.CPU, 50}, "client": {got.Client, 5}, "host": {got.Host, 25}} {
		if d := pair[0] - pair[1]; d > 1e-9 || d < -1e-9 {
			t.Errorf("%s %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestRunSeesItsOwnProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*Interval)
	defer cancel()
	samples := Sampler{Origin: time.Now(), PID: os.Getpid()}.Run(ctx)
	if len(samples) == 0 {
		t.Fatal("no samples")
	}
	if samples[0].RSS == 0 {
		t.Error("the process has no memory")
	}
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
