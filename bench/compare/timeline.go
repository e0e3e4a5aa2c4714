package compare

import (
	"math"
	"slices"
	"time"

	"siglab/bench/record"
)

// Moment sums up the requests of one block that were due in one stretch of it. It is
// descriptive: it shows drift, warm-up and stalls.
type Moment struct {
	Arm      int // index into Comparison.Arms
	Block    int
	At       float64 // seconds from the start of the run to the middle of the stretch
	Requests int
	Failed   int
	TTFT     float64 // median of those that were answered, ms; NaN without
	Slow     float64 // their 90th percentile, ms
}

// Series is one reading over the run, averaged over stretches.
type Series struct {
	Name   string // "server CPU"
	Unit   string // "% of a core"
	Points []Point
}

// Point is one value of a series.
type Point struct {
	Arm   int // index into Comparison.Arms
	Block int
	At    float64 // seconds from the start of the run
	Value float64
}

// How finely a run is drawn over time, whatever its size.
const (
	mostMoments      = 480 // over all blocks
	fewestOfMoment   = 5   // requests
	mostPointsSeries = 960
)

// timeline cuts every block that counts into stretches of the same length.
func (s *study) timeline() []Moment {
	blocks := s.countedBlocks()
	var out []Moment
	for _, b := range blocks {
		n := max(1, min(mostMoments/len(blocks), len(b.observations)/fewestOfMoment))
		out = append(out, b.moments(n)...)
	}
	slices.SortStableFunc(out, func(x, y Moment) int { return x.Block - y.Block })
	return out
}

// moments are the stretches of a block in which a request was due.
func (b *block) moments(n int) []Moment {
	first, last := time.Duration(math.MaxInt64), time.Duration(0)
	for _, o := range b.observations {
		first, last = min(first, o.Scheduled), max(last, o.Scheduled)
	}
	length := max(1, (last-first)/time.Duration(n)+1) // 1 where edited times overflow
	stretches := make([][]*record.Observation, n)
	for _, o := range b.observations {
		at := min(max(0, int((o.Scheduled-first)/length)), n-1)
		stretches[at] = append(stretches[at], o)
	}
	var out []Moment
	for i, some := range stretches {
		if len(some) == 0 {
			continue
		}
		m := Moment{Arm: b.arm, Block: b.ID, At: (first + length*time.Duration(2*i+1)/2).Seconds(), Requests: len(some)}
		var answered []*record.Observation
		for _, o := range some {
			if o.OK() {
				answered = append(answered, o)
			}
		}
		m.Failed = len(some) - len(answered)
		l := latenciesOf(answered)
		m.TTFT, m.Slow = quantile(l.ttft, 0.5), quantile(l.ttft, 0.9)
		out = append(out, m)
	}
	return out
}

// machine is what was read of the machine while blocks ran. A reading that is 0
// throughout was not made (a server that is not ours to watch).
func (s *study) machine() []Series {
	armOf := map[int]int{}
	for _, b := range s.blocks {
		armOf[b.ID] = b.arm
	}
	var out []Series
	for _, reading := range s.readings() {
		series := Series{Name: reading.name, Unit: reading.unit}
		any := false
		for _, sample := range s.run.Telemetry {
			arm, listed := armOf[sample.Block]
			v := reading.of(sample)
			if !listed || !finite(v) {
				continue
			}
			any = any || v != 0
			series.Points = append(series.Points, Point{arm, sample.Block, sample.At.Seconds(), v})
		}
		if any {
			series.Points = averaged(series.Points, mostPointsSeries)
			out = append(out, series)
		}
	}
	return out
}

// reading takes one number of a sample; NaN where it was not read.
type reading struct {
	name, unit string
	of         func(record.Sample) float64
}

// readings are what a run is drawn with: processes, GPUs that the servers use, and what
// the servers say of their queues.
func (s *study) readings() []reading {
	gpu := s.gpuReading
	return []reading{
		{"server CPU", "% of a core", func(s record.Sample) float64 { return s.CPU }},
		{"server memory", "MiB", func(s record.Sample) float64 { return float64(s.RSS) / (1 << 20) }},
		{"host CPU", "% of all cores", func(s record.Sample) float64 { return s.Host }},
		{"client CPU", "% of a core", func(s record.Sample) float64 { return s.Client }},
		{"stolen from the host", "% of all cores", func(s record.Sample) float64 { return s.Steal }},
		{"GPU utilization", "% of the time", gpu(func(g record.GPUSample) float64 { return number(g.Utilization, 1) })},
		{"GPU memory", "MiB", gpu(func(g record.GPUSample) float64 { return number(g.MemoryUsed, 1./(1<<20)) })},
		{"GPU SM clock", "MHz", gpu(func(g record.GPUSample) float64 { return number(g.SMMHz, 1) })},
		{"GPU power", "W", gpu(func(g record.GPUSample) float64 { return number(g.Watts, 1) })},
		{"requests that the server answers", "at once", gauge(func(g *record.Gauges) *float64 { return g.Running })},
		{"requests in the server's queue", "", gauge(func(g *record.Gauges) *float64 { return g.Waiting })},
	}
}

// gpuReading is the mean over the GPUs that servers use, or over all where the driver
// does not tell which.
func (s *study) gpuReading(of func(record.GPUSample) float64) func(record.Sample) float64 {
	used := s.usedGPUs()
	return func(sample record.Sample) float64 {
		var values []float64
		for _, g := range sample.GPUs {
			if v := of(g); (len(used) == 0 || used[g.UUID]) && finite(v) {
				values = append(values, v)
			}
		}
		return mean(values)
	}
}

func gauge(of func(*record.Gauges) *float64) func(record.Sample) float64 {
	return func(s record.Sample) float64 {
		if s.Server == nil {
			return math.NaN()
		}
		return number(of(s.Server), 1)
	}
}

// number is a value that may not have been told, in another unit.
func number[T int | uint64 | float64](v *T, factor float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return float64(*v) * factor
}

// averaged joins neighbours of one block until there are no more than so many points,
// or one for each block.
func averaged(points []Point, most int) []Point {
	group := (len(points) + most - 1) / most
	if group < 2 {
		return points
	}
	var out []Point
	for len(points) > 0 {
		n := 1
		for n < len(points) && n < group && points[n].Block == points[0].Block {
			n++
		}
		mean := points[0]
		mean.At, mean.Value = 0, 0
		for _, p := range points[:n] {
			mean.At += p.At / float64(n)
			mean.Value += p.Value / float64(n)
		}
		out = append(out, mean)
		points = points[n:]
	}
	return out
}
