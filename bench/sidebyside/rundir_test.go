package sidebyside

import (
	"math"
	"testing"
	"time"

	"siglab/bench/compare"
	"siglab/bench/record"
)

func TestBlocks(t *testing.T) {
	block := func(id int, void string, ttft float64) compare.BlockSummary {
		return compare.BlockSummary{
			Block:  record.Block{ID: id, Requests: 100, Void: void, Start: time.Duration(id) * time.Minute, End: time.Duration(id)*time.Minute + 10*time.Second},
			Failed: 1, Values: map[string]float64{"median_ttft_ms": ttft, "request_throughput": 9.9},
		}
	}
	c := &compare.Comparison{
		Manifest: record.Manifest{Siglab: "1", Workload: record.Workload{SHA256: "0123456789abcdef"}, Started: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Experiment: record.Experiment{Model: "m", RequestRate: 10}},
		Arms:     []compare.Arm{{Variant: record.Variant{Name: "main"}, Blocks: []compare.BlockSummary{block(0, "", 30), block(1, "died", 99), block(2, "", math.Inf(1))}}},
	}
	main := Blocks("dir", c)["main"]
	if len(main) != 2 {
		t.Fatalf("%d blocks, want those that are not void", len(main))
	}
	first, last := main[0], main[1]
	for key, want := range map[string]float64{"completed": 99, "failed": 1, "request_rate": 10, "duration": 10, "median_ttft_ms": 30, "request_throughput": 9.9} {
		if got, ok := first.Get(key); !ok || got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if _, ok := last.Get("median_ttft_ms"); ok {
		t.Error("a value that rests on failures was taken")
	}
	if first.Source != "dir#main block 0" || !last.About.Date.After(first.About.Date) || first.Notes[0].Code != "not-valid" || first.Workload != "0123456789ab" {
		t.Errorf("%s, %v, %v", first.Source, last.About.Date, first.Notes)
	}
}
