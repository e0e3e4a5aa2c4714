package loadgen

import (
	"context"
	"fmt"
	"testing"
	"time"

	"siglab/bench/record"
)

// BenchmarkPacing paces sends that do nothing for a second: what it costs beyond
// them, in cores, and how late it is. Run it with -benchtime 1x, alone on the machine.
func BenchmarkPacing(b *testing.B) {
	for _, qps := range []int{10, 200, 1000} {
		b.Run(fmt.Sprintf("qps=%d", qps), func(b *testing.B) {
			var cpu, wall, late time.Duration
			n := 0
			for b.Loop() {
				slice := items(qps*3, time.Second/time.Duration(qps))
				before, begun := processTime(), time.Now()
				seen, err := collect(b.Context(), slice, begun, func(context.Context, record.Item) record.Observation {
					return record.Observation{Sent: time.Since(begun)}
				}, Options{Origin: begun})
				if err != nil {
					b.Fatal(err)
				}
				cpu, wall = cpu+processTime()-before, wall+time.Since(begun)
				for _, o := range seen {
					late += o.Sent - o.Scheduled
					n++
				}
			}
			b.ReportMetric(cpu.Seconds()/wall.Seconds(), "cores")
			b.ReportMetric(float64(late.Microseconds())/float64(n), "late-µs")
		})
	}
}
