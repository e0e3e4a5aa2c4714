package results

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"siglab/bench/record"
	"siglab/bench/runlog"
)

// writeAA writes the run directory of a variant against itself with two pairs, whose
// second arm is later by the given share.
func writeAA(t *testing.T, dir string, started time.Time, later float64, e record.Experiment, env record.Environment) {
	t.Helper()
	log, err := runlog.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	e.AA, e.Pairs, e.NumPrompts = true, 2, 2
	m := record.Manifest{
		Version: record.ManifestVersion, Started: started, Stopped: "complete", Experiment: e, Environment: env,
		Variants: []record.Variant{{Name: "main", Mode: "exact"}, {Name: "main-again", Mode: "exact"}},
	}
	m.Environment.Servers = []string{"v", "v"}
	var observations []record.Observation
	for i, arm := range []int{0, 1, 1, 0} {
		v := m.Variants[arm].Name
		b := record.Block{
			ID: i + 1, Pair: i / 2, Slot: i % 2, Variant: v, Attempt: 1, Requests: 2, Start: time.Duration(i+1) * time.Second, SliceHash: "h",
			Server: record.ServerDelta{Resamples: map[string]int64{record.ResampleKey("exact", "8x8", "12x12"): 2}},
		}
		b.End = b.Start + 500*time.Millisecond
		m.Blocks = append(m.Blocks, b)
		for r := range 2 {
			at := b.Start + time.Duration(r)*100*time.Millisecond
			ttft := time.Duration(float64(20*time.Millisecond) * (1 + later*float64(arm)*(1+float64(i)/10)))
			observations = append(observations, record.Observation{
				Version: record.ObservationVersion, Block: b.ID, Variant: v, Index: r, Item: fmt.Sprintf("%d-%d", b.Pair, r), Scheduled: at, Dequeued: at, Sent: at,
				RoleChunk: at + ttft, FirstToken: at + ttft, LastToken: at + 2*ttft, End: at + 2*ttft, Status: 200, PromptTokens: 5, OutputTokens: 2, Text: "ab",
				ChunkLens: []int{1, 1}, ChunkAt: []time.Duration{at + ttft, at + 2*ttft},
			})
		}
	}
	_, err = log.Observations(observations)
	for _, err := range []error{err, log.Workload(nil), log.Manifest(m), log.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFindNoiseFloors: the newest run of a variant against itself under the same
// conditions, whatever else lies there.
func TestFindNoiseFloors(t *testing.T) {
	parent := t.TempDir()
	e := record.Experiment{Model: "m", RequestRate: 10, NumPrompts: 2, Alpha: 0.05, Equivalence: 0.02}
	host := record.Environment{OS: "linux", CPU: "a processor", Cores: 2, BinaryHash: "b"}
	another, faster := host, e
	another.CPU, faster.RequestRate = "another", 20
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	writeAA(t, filepath.Join(parent, "old"), day(1), 0.5, e, host)
	writeAA(t, filepath.Join(parent, "new"), day(2), 0.01, e, host)
	writeAA(t, filepath.Join(parent, "another-host"), day(3), 0.2, e, another)
	writeAA(t, filepath.Join(parent, "another-load"), day(4), 0.2, faster, host)
	if err := os.WriteFile(filepath.Join(parent, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(parent, "broken")
	writeAA(t, broken, day(5), 0.2, e, host)
	if err := os.WriteFile(filepath.Join(broken, runlog.ObservationsFile), []byte("{}\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	dir, floors := FindNoiseFloors(parent, e, host)
	if dir != filepath.Join(parent, "new") || floors["median_ttft_ms"] < 0.01 || floors["median_ttft_ms"] > 0.02 {
		t.Errorf("found %s with floor %v of the median TTFT, want the new one with 1 to 2 %%", dir, floors["median_ttft_ms"])
	}
	if _, err := json.Marshal(floors); err != nil {
		t.Errorf("the floors cannot be recorded: %v", err)
	}
	e.NumPrompts = 3
	if dir, floors := FindNoiseFloors(parent, e, host); dir != "" || floors != nil {
		t.Errorf("blocks of another length: found %s, %v", dir, floors)
	}
	if dir, _ := FindNoiseFloors(filepath.Join(parent, "nowhere"), e, host); dir != "" {
		t.Errorf("no such directory: found %s", dir)
	}
	if _, err := NoiseFloors(broken); err == nil {
		t.Error("a broken run has floors")
	}
}
