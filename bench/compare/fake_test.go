package compare

import (
	"fmt"
	"math"
	"strings"
	"time"

	"siglab/bench/record"
)

const ms = time.Millisecond

// fake describes a synthetic run. Its zero value, made ready by build, is a valid
// run of two variants that do not differ.
type fake struct {
	pairs    int // 6
	requests int // per block, 20
	variants []record.Variant
	// factor scales the time to the first token and the time per token of a block.
	factor func(pair, arm int) (ttft, tpot float64)
	// change is applied to the finished run; server counters follow from the
	// observations afterwards, unless finish changes them.
	change func(*record.Run)
	finish func(*record.Run)
}

func mainAndOptimized() []record.Variant {
	return []record.Variant{
		builtin("main", "reference", 0),
		builtin("optimized", "bilinear", 0),
	}
}

func builtin(name, mode string, delay time.Duration) record.Variant {
	argv := []string{"siglab", "serve", "--pos-embed", mode, "--threads", "3"}
	if delay > 0 {
		argv = append(argv, "--inject-delay", delay.String())
	}
	return record.Variant{Name: name, Kind: "builtin", Mode: mode, InjectDelay: delay, Argv: argv}
}

const (
	fakeTTFT   = 100 * ms
	fakeTPOT   = 10 * ms
	fakeTokens = 4
	fakeGap    = 10 * ms // between requests
	fakeLag    = 20 * time.Microsecond
)

// build makes the run.
func (f fake) build() record.Run {
	if f.pairs == 0 {
		f.pairs = 6
	}
	if f.requests == 0 {
		f.requests = 20
	}
	if f.variants == nil {
		f.variants = mainAndOptimized()
	}
	if f.factor == nil {
		f.factor = func(int, int) (float64, float64) { return 1, 1 }
	}
	run := record.Run{Manifest: record.Manifest{
		Version: record.ManifestVersion, Stopped: stoppedComplete, Variants: f.variants,
		Experiment: record.Experiment{
			Model: "tiny", RequestRate: 100, NumPrompts: f.requests, Pairs: f.pairs, Equivalence: 0.02, Alpha: 0.05, Restart: "each-block",
		},
		Environment: record.Environment{OS: "linux", Arch: "amd64", CPU: "a processor", BinaryHash: "b1"},
	}}
	for range f.variants {
		run.Manifest.Environment.Servers = append(run.Manifest.Environment.Servers, "siglab 1")
	}
	for p := range f.pairs {
		for slot := range f.variants {
			arm := slot
			if p%2 == 1 {
				arm = len(f.variants) - 1 - slot
			}
			f.block(&run, p, slot, arm)
		}
	}
	if f.change != nil {
		f.change(&run)
	}
	count(&run)
	if f.finish != nil {
		f.finish(&run)
	}
	return run
}

// block appends one block with its observations and one telemetry sample.
func (f fake) block(run *record.Run, pair, slot, arm int) {
	id := len(run.Manifest.Blocks) + 1
	start := time.Duration(id) * time.Minute
	v := f.variants[arm]
	ttft, tpot := f.factor(pair, arm)
	b := record.Block{
		ID: id, Pair: pair, Slot: slot, Variant: v.Name, Attempt: 1, Slice: pair, SliceHash: fmt.Sprintf("slice%d", pair),
		Requests: f.requests, Start: start,
	}
	for i := range f.requests {
		o := record.Observation{
			Version: 1, Block: id, Variant: v.Name, Index: i, Item: fmt.Sprintf("%d-%d", pair, i),
			Scheduled: start + time.Duration(i)*fakeGap, Status: 200, FinishReason: "length",
			PromptTokens: 70 + i, OutputTokens: fakeTokens,
		}
		o.Sent = o.Scheduled + fakeLag
		shape := 1 + 0.2*math.Sin(float64(i)) // requests differ, blocks do not
		o.FirstToken = o.Scheduled + time.Duration(float64(fakeTTFT)*ttft*shape) + v.InjectDelay
		o.RoleChunk = o.FirstToken - ms
		o.ChunkAt, o.ChunkLens = []time.Duration{o.RoleChunk}, []int{0}
		at := o.FirstToken
		for k := range fakeTokens {
			at = o.FirstToken + time.Duration(float64(k)*float64(fakeTPOT)*tpot)
			o.ChunkAt, o.ChunkLens = append(o.ChunkAt, at), append(o.ChunkLens, 1)
		}
		o.LastToken, o.End = at, at+ms
		o.Text = strings.Repeat("x", fakeTokens)
		run.Observations = append(run.Observations, o)
		b.End = max(b.End, o.End)
	}
	run.Manifest.Blocks = append(run.Manifest.Blocks, b)
	run.Telemetry = append(run.Telemetry, record.Sample{At: start, Block: id, Variant: v.Name, CPU: 200 + float64(arm), RSS: 1000 + uint64(id), Client: 10, Host: 60})
}

// count sets what the servers would have counted: every time 1 ms shorter than at
// the client.
func count(run *record.Run) {
	for i := range run.Manifest.Blocks {
		b := &run.Manifest.Blocks[i]
		b.Server = record.ServerDelta{Scraped: true}
		answered := 0
		for _, o := range run.Observations {
			if o.Block != b.ID || o.Error != "" {
				continue
			}
			answered++
			b.Server.TTFTSum += (o.FirstToken - o.Sent - ms).Seconds()
			b.Server.TTFTCount++
			b.Server.EncoderSum += 0.005
			b.Server.EncoderCount++
			b.Server.ResampleSum += 0.001
			b.Server.ResampleCount++
		}
		for _, v := range run.Manifest.Variants {
			if v.Name == b.Variant {
				b.Server.Resamples = map[string]int64{record.ResampleKey(v.Mode, "8x8", "12x12"): int64(max(answered, 1))}
			}
		}
	}
}

// each calls do with every observation.
func each(do func(*record.Observation)) func(*record.Run) {
	return func(run *record.Run) {
		for i := range run.Observations {
			do(&run.Observations[i])
		}
	}
}

// fail turns an observation into a failure.
func fail(o *record.Observation) {
	o.Error = "connection reset"
	o.FirstToken, o.LastToken, o.ChunkAt, o.ChunkLens, o.Text, o.OutputTokens = 0, 0, nil, nil, "", 0
}
