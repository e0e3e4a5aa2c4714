package results

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
	"siglab/bench/runlog"
	"siglab/bench/vllmbench"
)

// writeRun writes a run directory of two variants and one pair, with a void block
// before the baseline's.
func writeRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	log, err := runlog.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := record.Manifest{
		Version: record.ManifestVersion, Started: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Stopped: "complete",
		Experiment: record.Experiment{Model: "m", RequestRate: 10, Burstiness: 1, NumPrompts: 3, Pairs: 1, Equivalence: .02, Alpha: .05},
		Variants:   []record.Variant{{Name: "main", Mode: "exact"}, {Name: "other", Mode: "exact"}},
	}
	m.Environment.Servers = []string{"v", "v"}
	var observations []record.Observation
	for i, variant := range []string{"main", "main", "other"} {
		b := record.Block{ID: i + 1, Slot: max(0, i-1), Variant: variant, Attempt: 1, Requests: 3, Start: time.Duration(i+1) * time.Second, SliceHash: "h"}
		b.End = b.Start + 400*time.Millisecond
		if i == 0 {
			b.Void = "died"
		}
		m.Blocks = append(m.Blocks, b)
		for r := range 3 {
			at := b.Start + time.Duration(r+1)*100*time.Millisecond
			o := record.Observation{
				Version: record.ObservationVersion, Block: b.ID, Variant: variant, Index: r, Item: fmt.Sprint("item-", r), Scheduled: at, Dequeued: at, Sent: at,
				RoleChunk: at + 20*time.Millisecond, FirstToken: at + 20*time.Millisecond, LastToken: at + 40*time.Millisecond, End: at + 41*time.Millisecond,
				Status: 200, PromptTokens: 5, OutputTokens: 2, Text: "ab", ChunkLens: []int{1, 1}, ChunkAt: []time.Duration{at + 20*time.Millisecond, at + 40*time.Millisecond},
			}
			observations = append(observations, o)
		}
	}
	samples := []record.Sample{{At: 2 * time.Second, Block: 2, Variant: "main", CPU: 50, RSS: 3 << 20}, {At: 3 * time.Second, Block: 3, Variant: "other"}}
	_, err = log.Observations(observations)
	for _, err := range []error{err, log.Workload(nil), log.Telemetry(samples), log.Manifest(m), log.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWrite(t *testing.T) {
	dir := writeRun(t)
	if _, err := Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"comparison.json", "main_benchmark.json", "other_benchmark.json"} {
		if !json.Valid([]byte(read(t, dir, name))) {
			t.Errorf("%s is not JSON", name)
		}
	}
	for _, name := range []string{"comparison.md", "report.html", "comparison.csv"} {
		if read(t, dir, name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	log, err := vllmbench.Parse(strings.NewReader(read(t, dir, "benchmark_main.txt")))
	if err != nil {
		t.Fatal(err)
	}
	// Only the block that counts: 3 requests in 0.4 s.
	for key, want := range map[string]float64{"completed": 3, "duration": 0.4, "median_ttft_ms": 20, "request_throughput": 7.5} {
		if got, ok := log.Get(key); !ok || got != want {
			t.Errorf("benchmark_main.txt: %s is %v, want %v", key, got, want)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(read(t, dir, "cpu_main.csv"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "2026/03/04 05:06:09.000" || rows[1][3] != "50.0" || rows[1][4] != "3.0" {
		t.Errorf("cpu_main.csv: %v, error %v", rows, err)
	}
}

func TestWriteGPUs(t *testing.T) {
	run := record.Run{
		Manifest: record.Manifest{
			Started:     time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
			Instruments: record.Instruments{GPUs: []record.GPUInfo{{Index: 1, UUID: "GPU-a", Name: "NVIDIA H100 80GB HBM3", MemoryBytes: 81559 << 20}}},
		},
		Telemetry: []record.Sample{
			{At: 1500 * time.Millisecond, Variant: "main", GPUs: []record.GPUSample{{
				UUID: "GPU-a", Utilization: new(35), MemoryUtilization: new(4), MemoryUsed: new(uint64(20480 << 20)),
				SMMHz: new(1980), MemoryMHz: new(2619), Watts: new(310.2), Celsius: new(61), Throttle: new(uint64(4)),
			}}},
			{At: 1600 * time.Millisecond, Variant: "main", GPUs: []record.GPUSample{{UUID: "MIG-b"}}},
			{At: 1700 * time.Millisecond, Variant: "other", GPUs: []record.GPUSample{{UUID: "GPU-a"}}},
		},
	}
	const want = `timestamp, index, uuid, name, utilization.gpu [%], utilization.memory [%], memory.used [MiB], memory.total [MiB], clocks.current.sm [MHz], clocks.current.memory [MHz], power.draw [W], temperature.gpu, clocks_event_reasons.active
2026/03/04 05:06:08.500, 1, GPU-a, NVIDIA H100 80GB HBM3, 35 %, 4 %, 20480 MiB, 81559 MiB, 1980 MHz, 2619 MHz, 310.20 W, 61, 0x0000000000000004
2026/03/04 05:06:08.600, [N/A], MIG-b, [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A]
`
	var got strings.Builder
	if err := writeGPUs(&got, run, "main"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWriteAgain: the results follow from the directory, byte for byte.
func TestWriteAgain(t *testing.T) {
	dir := writeRun(t)
	var first map[string]string
	for range 2 {
		if _, err := Write(dir); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, name := range []string{"comparison.json", "comparison.md", "report.html", "comparison.csv", "benchmark_other.txt", "other_benchmark.json"} {
			files[name] = read(t, dir, name)
			if first != nil && first[name] != files[name] {
				t.Errorf("%s differs when it is made again", name)
			}
		}
		first = files
	}
}

func TestWriteNoRun(t *testing.T) {
	if _, err := Write(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a run directory") {
		t.Errorf("error %v", err)
	}
}

// TestStallStretchesNoDuration: what our time-out waited for nothing is not in vLLM's
// duration, either; the rest of the block is.
func TestStallStretchesNoDuration(t *testing.T) {
	const s = time.Second
	whole := record.Observation{Sent: 1 * s, LastToken: 2 * s, End: 3 * s}
	stalled := record.Observation{Sent: 1 * s, LastToken: 2 * s, End: 62 * s, Error: "stalled", Failure: record.FailedStalled}
	for _, test := range []struct {
		name         string
		observations []*record.Observation
		want         time.Duration
	}{
		{"whole answers", []*record.Observation{&whole}, 0},
		{"one that stalled among them", []*record.Observation{&whole, &stalled}, 59 * s},
		{"nothing but that", []*record.Observation{&stalled}, 60 * s},
		{"no requests", nil, 0},
	} {
		if got := waitedInVain(test.observations); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
