package results

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"siglab/bench/record"
	"siglab/bench/runlog"
)

var large = flag.String("large-run", "", "write a run directory of 200,000 requests here and do nothing else")

// TestWriteLargeRun makes what `make bench-report` measures: a run of 20 blocks of
// 10,000 requests with answers of 32 tokens, as two servers with queues would give.
func TestWriteLargeRun(t *testing.T) {
	if *large == "" {
		t.Skip("writes a run directory only where -large-run names one")
	}
	if err := writeLargeRun(*large, 10, 10_000); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkWrite analyses a run and writes all of its files.
func BenchmarkWrite(b *testing.B) {
	for _, perBlock := range []int{100, 1000} {
		b.Run(fmt.Sprintf("pairs=10/requests=%d", 20*perBlock), func(b *testing.B) {
			dir := b.TempDir() + "/run"
			if err := writeLargeRun(dir, 10, perBlock); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := Write(dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// writeLargeRun writes a run directory block by block, so that its size costs no
// memory.
func writeLargeRun(dir string, pairs, perBlock int) error {
	log, err := runlog.Create(dir)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(7, 7))
	m := largeManifest(pairs, perBlock)
	items := largeWorkload(rng, pairs, perBlock)
	if err := log.Workload(items); err != nil {
		return err
	}
	var hash record.WorkloadHash
	for i := range items {
		hash.Add(&items[i])
	}
	slices, total := hash.Sums()
	m.Workload.SHA256 = total
	for i := range m.Blocks {
		b := &m.Blocks[i]
		b.SliceHash = slices[b.Slice]
		observations, samples := largeBlock(rng, b, perBlock)
		if b.ObservationsHash, err = log.Observations(observations); err != nil {
			return err
		}
		if err := log.Telemetry(samples); err != nil {
			return err
		}
	}
	if err := log.Manifest(m); err != nil {
		return err
	}
	return log.Close()
}

func largeManifest(pairs, perBlock int) record.Manifest {
	m := record.Manifest{
		Version: record.ManifestVersion, Siglab: "test", Command: []string{"siglab", "bench"}, Started: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Stopped: "complete",
		Experiment: record.Experiment{Model: "m", RequestRate: 100, Burstiness: 1, NumPrompts: perBlock, Pairs: pairs, MaxTokens: 32, Equivalence: .02, Alpha: .05, Order: "AB/BA", Restart: record.RestartEachBlock, Caches: "off"},
		Variants:   []record.Variant{{Name: "main", Kind: record.KindBuiltin, Mode: "exact"}, {Name: "optimized", Kind: record.KindBuiltin, Mode: "bilinear"}},
		Workload:   record.Workload{Items: pairs * perBlock, Images: 16, Source: "made up"},
		Environment: record.Environment{
			OS: "linux", Arch: "amd64", CPU: "A CPU", Cores: 8, BinaryHash: "abc", Servers: []string{"v", "v"},
		},
	}
	for pair := range pairs {
		order := []string{"main", "optimized"}
		if pair%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		for slot, variant := range order {
			id := 2*pair + slot + 1
			m.Blocks = append(m.Blocks, record.Block{
				ID: id, Pair: pair, Slot: slot, Variant: variant, Attempt: 1, Slice: pair, Requests: perBlock,
				Start: time.Duration(id*perBlock) * 12 * time.Millisecond, Startup: time.Second,
			})
		}
	}
	return m
}

func largeWorkload(rng *rand.Rand, pairs, perBlock int) []record.Item {
	var items []record.Item
	for slice := range pairs {
		at := time.Duration(0)
		for i := range perBlock {
			at += time.Duration(rng.ExpFloat64() * float64(10*time.Millisecond))
			items = append(items, record.Item{
				ID: fmt.Sprintf("s%03d-%05d", slice, i), Slice: slice, Index: i, Offset: at, Prompt: "What is in this picture, and where might it have been taken?",
				Image: fmt.Sprintf("photo-%d.jpg", i%16), ImageSize: [2]int{640, 480}, ImageHash: fmt.Sprint(i % 16), BodyHash: fmt.Sprint(slice, i), BodyBytes: 60000,
			})
		}
	}
	return items
}

// largeBlock makes what one server answered: one request after the other, each with
// an answer of 32 events.
func largeBlock(rng *rand.Rand, b *record.Block, perBlock int) ([]record.Observation, []record.Sample) {
	observations := make([]record.Observation, perBlock)
	due, free := b.Start, b.Start
	for i := range observations {
		due += time.Duration(rng.ExpFloat64() * float64(10*time.Millisecond))
		sent := due + time.Duration(rng.IntN(80_000))
		free = max(free, sent) + time.Duration(4e6+rng.ExpFloat64()*2e6)
		o := record.Observation{
			Version: record.ObservationVersion, Block: b.ID, Variant: b.Variant, Index: i, Item: fmt.Sprintf("s%03d-%05d", b.Slice, i),
			Scheduled: due, Dequeued: due + 2000, Sent: sent, Written: sent + 200_000, FirstByte: free, RoleChunk: free, FirstToken: free,
			Connection: record.Connection{Got: sent - 1000}, TokenSource: record.TokensByUsage, Status: 200, FinishReason: "length",
			PromptTokens: 160 + i%90, OutputTokens: 32,
			Text: " a photo of a street with some people in front of a shop that sells bread and cakes, in the rain, at night, or so it seems",
		}
		at := free
		for range 33 {
			o.ChunkAt, o.ChunkLens = append(o.ChunkAt, at), append(o.ChunkLens, 0)
			at += time.Duration(100_000 + rng.IntN(80_000))
		}
		for k := range o.Text {
			o.ChunkLens[1+k%32]++
		}
		o.LastToken, o.End = o.ChunkAt[32], o.ChunkAt[32]+20_000
		observations[i] = o
	}
	b.End = observations[perBlock-1].End
	var samples []record.Sample
	for at := b.Start; at < b.End; at += 250 * time.Millisecond {
		samples = append(samples, record.Sample{At: at, Block: b.ID, Variant: b.Variant, CPU: 80 + 20*rng.Float64(), RSS: 1 << 30, Client: 5, Host: 50})
	}
	return observations, samples
}
