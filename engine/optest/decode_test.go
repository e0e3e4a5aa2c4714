package optest_test

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"siglab/engine/cpu"
	"siglab/internal/safetensors"
)

var decodeLayers = flag.Int("decode", 0, "layers of a decoder to time steps of; 17 have 1.7 GB of weights")

// TestDecode times decode steps of one and of eight sequences, and what reading so many
// bytes takes on as many threads, in turns, and prints the medians. It asserts nothing.
func TestDecode(t *testing.T) {
	if *decodeLayers == 0 {
		t.Skip("takes a minute: make bench-engine")
	}
	buffer := make([]byte, 2<<30)
	for i := 0; i < len(buffer); i += 4096 {
		buffer[i] = 2 // pages that were never written are all one page
	}
	fmt.Printf("%-8s %8s %9s %10s %10s %10s %10s %12s\n", "isa", "weights", "GB", "read GB/s", "step GB/s", "of reading", "tokens/s", "8 against 1")
	for _, isa := range cpu.ISAs() {
		if isa == cpu.Generic || isa == cpu.AVX512BF16 {
			continue
		}
		d := cpu.New(cpu.Options{Threads: *threads, ISA: isa})
		m := newLanguage(t, d, safetensors.BF16, qwen2(*decodeLayers), 8)
		var reads, ones, eights []float64
		for range *rounds {
			reads = append(reads, seconds(func() { read(buffer, *threads) }))
			m.batch(1)
			ones = append(ones, seconds(m.step))
			m.batch(8)
			eights = append(eights, seconds(m.step))
		}
		bandwidth := float64(len(buffer)) / median(reads) / 1e9
		step := float64(m.bytes) / median(ones) / 1e9
		fmt.Printf("%-8v %8v %9.2f %10.1f %10.1f %10.2f %10.2f %12.2f\n", isa, safetensors.BF16, float64(m.bytes)/1e9,
			bandwidth, step, step/bandwidth, 1/median(ones), 8*median(ones)/median(eights))
		d.Close()
	}
}

func seconds(f func()) float64 {
	start := time.Now()
	f()
	return time.Since(start).Seconds()
}

func median(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// read looks at all bytes, on a number of threads, by vectors.
func read(buffer []byte, threads int) {
	var done sync.WaitGroup
	for n := range threads {
		done.Go(func() {
			part := buffer[n*len(buffer)/threads : (n+1)*len(buffer)/threads]
			if bytes.IndexByte(part, 1) >= 0 {
				panic("a byte that nobody wrote")
			}
		})
	}
	done.Wait()
}
