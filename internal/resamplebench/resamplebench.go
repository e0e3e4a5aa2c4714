// Package resamplebench times the implementations of position-table resampling
// beside the memory traffic that none of them can avoid.
package resamplebench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"siglab/posembed"
)

// Config says what to time: every implementation, for every combination of
// convention and target grid.
type Config struct {
	From        posembed.Grid
	To          []posembed.Grid
	Dim         int    // channels
	DType       string // of table and result: one of DTypes
	Threads     int    // that share a result
	Conventions []posembed.Convention
	Seed        uint64 // of the table, standard normal values
}

// DTypes are the types of tables by the names that rows have.
func DTypes() []string { return []string{"f32", "bf16", "f16"} }

// Row is one measurement.
type Row struct {
	Convention     string  `json:"convention"`
	Implementation string  `json:"implementation"`
	Device         string  `json:"device"`
	DType          string  `json:"dtype"`
	Threads        int     `json:"threads"`
	From           string  `json:"from"`
	To             string  `json:"to"`
	Dim            int     `json:"dim"`
	NS             float64 `json:"ns"`          // median time of a call
	FloorNS        float64 `json:"floor_ns"`    // of a copy that moves the bytes of table and result once
	CopyNS         float64 `json:"copy_ns"`     // of a copy of the result, which reads as much as it writes
	MaxAbsErr      float64 `json:"max_abs_err"` // largest distance from sums in float64
}

// How the times are taken: in rounds, in each of which every contender runs in turn,
// so that a disturbance of the machine meets all of them. A row has the median.
const (
	rounds    = 9
	roundTime = 15 * time.Millisecond // of one contender, unless a single call takes longer
)

// contender is something to time.
type contender struct {
	row   Row
	apply func() error
	times []float64 // of a call, by round, in nanoseconds
}

// Run measures on the CPU. report, if not nil, is told about every grid and
// convention before it is measured.
func Run(ctx context.Context, c Config, report func(what string)) ([]Row, error) {
	switch c.DType {
	case "f32":
		return run(ctx, c, report, float32Type)
	case "bf16":
		return run(ctx, c, report, bfloat16Type)
	case "f16":
		return run(ctx, c, report, float16Type)
	default:
		return nil, fmt.Errorf("unknown dtype %q: want one of %v", c.DType, DTypes())
	}
}

// elementType is what differs between the types of tables.
type elementType[T any] struct {
	size  int // bytes
	round func(float64) T
	value func(T) float64
	apply func(p *posembed.Plan, dst, src []T, dim int) error
}

var (
	float32Type = elementType[float32]{4, func(v float64) float32 { return float32(v) },
		func(v float32) float64 { return float64(v) }, (*posembed.Plan).Apply}
	bfloat16Type = elementType[posembed.BFloat16]{2, posembed.RoundToBFloat16,
		func(v posembed.BFloat16) float64 { return float64(v.Float32()) }, (*posembed.Plan).ApplyBFloat16}
	float16Type = elementType[posembed.Float16]{2, posembed.RoundToFloat16,
		func(v posembed.Float16) float64 { return float64(v.Float32()) }, (*posembed.Plan).ApplyFloat16}
)

func run[T any](ctx context.Context, c Config, report func(string), t elementType[T]) ([]Row, error) {
	if c.Dim < 1 || c.Dim > math.MaxInt32/max(1, c.From.Len()) {
		return nil, fmt.Errorf("%d channels: want at least 1, and fewer than 2³¹ values in the table", c.Dim)
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	src := make([]T, c.From.Len()*c.Dim)
	wide := make([]float64, len(src))
	for i := range src {
		src[i] = t.round(rng.NormFloat64())
		wide[i] = t.value(src[i])
	}
	var rows []Row
	for _, to := range c.To {
		for _, convention := range c.Conventions {
			if report != nil {
				report(fmt.Sprintf("%v %v to %v", convention, c.From, to))
			}
			measured, err := measure(ctx, c, to, convention, t, src, wide)
			if err != nil {
				return nil, err
			}
			rows = append(rows, measured...)
		}
	}
	return rows, nil
}

// measure times one convention to one grid.
func measure[T any](ctx context.Context, c Config, to posembed.Grid, convention posembed.Convention, t elementType[T], src []T, wide []float64) ([]Row, error) {
	plan, err := posembed.NewPlan(c.From, to, convention)
	if err != nil {
		return nil, err
	}
	dst := make([]T, to.Len()*c.Dim)
	truth := make([]float64, len(dst))
	if err := plan.ApplyFloat64(truth, wide, c.Dim); err != nil {
		return nil, err
	}
	row := Row{Convention: convention.String(), Device: "cpu", DType: c.DType, From: c.From.String(), To: to.String(), Dim: c.Dim}
	var contenders []*contender
	add := func(name string, threads int, apply func() error) {
		r := row
		r.Implementation, r.Threads = name, threads
		contenders = append(contenders, &contender{row: r, apply: apply})
	}
	for _, i := range posembed.Implementations() {
		p, err := plan.With(posembed.Execution{Implementation: i, Threads: c.Threads})
		if err != nil {
			return nil, err
		}
		add(i.String(), p.Execution().Threads, func() error { return t.apply(p, dst, src, c.Dim) })
	}
	addEager(c, to, convention, dst, src, add)
	for _, k := range contenders {
		if err := k.apply(); err != nil { // also warms caches and grows working memory
			return nil, err
		}
		for i, v := range dst {
			k.row.MaxAbsErr = max(k.row.MaxAbsErr, math.Abs(t.value(v)-truth[i]))
		}
	}
	// Two copies: of the result, and of as many bytes as table and result have
	// together, half of them read and half of them written.
	threads := max(1, c.Threads)
	result := newCopier[T](len(dst), threads, t.round(1))
	floor := newCopier[T]((len(dst)+len(src))/2, threads, t.round(1))
	copies := []*contender{{apply: result.copy}, {apply: floor.copy}}
	if err := timeAll(ctx, append(copies, contenders...)); err != nil {
		return nil, err
	}
	var rows []Row
	for _, k := range contenders {
		k.row.NS, k.row.CopyNS, k.row.FloorNS = k.median(), copies[0].median(), copies[1].median()
		rows = append(rows, k.row)
	}
	return rows, nil
}

// addEager adds the two modes that compute as eager torch and the seed of this
// project do: single-threaded and in float32 only.
func addEager[T any](c Config, to posembed.Grid, convention posembed.Convention, dst, src []T, add func(string, int, func() error)) {
	table, ok := any(src).([]float32)
	if !ok {
		return
	}
	for _, mode := range []posembed.Mode{posembed.Reference, posembed.BilinearGather} {
		if mode.Convention() != convention {
			continue
		}
		r, err := posembed.NewResampler(mode, table, c.From, c.Dim)
		result, _ := any(dst).([]float32)
		add("mode "+mode.String(), 1, func() error {
			if err != nil {
				return err
			}
			return r.Resample(result, to)
		})
	}
}

// timeAll runs the contenders in rounds.
func timeAll(ctx context.Context, contenders []*contender) error {
	calls := make([]int, len(contenders)) // of a round
	for i, k := range contenders {
		start := time.Now()
		if err := k.apply(); err != nil {
			return err
		}
		once := max(time.Since(start), time.Microsecond/10)
		calls[i] = max(1, int(roundTime/once))
	}
	for range rounds {
		for i, k := range contenders {
			if err := ctx.Err(); err != nil {
				return err
			}
			start := time.Now()
			for range calls[i] {
				if err := k.apply(); err != nil {
					return err
				}
			}
			k.times = append(k.times, float64(time.Since(start))/float64(calls[i]))
		}
	}
	return nil
}

// median of the rounds.
func (k *contender) median() float64 {
	times := slices.Sorted(slices.Values(k.times))
	return times[len(times)/2]
}

// copier copies n values by several goroutines, as a resampling shares its rows.
type copier[T any] struct {
	dst, src []T
	threads  int
}

// newCopier copies values that were written: pages that never were are all one page
// of zeros, which is read faster than memory can be.
func newCopier[T any](n, threads int, value T) *copier[T] {
	c := &copier[T]{dst: make([]T, n), src: make([]T, n), threads: threads}
	for i := range c.src {
		c.src[i], c.dst[i] = value, value
	}
	return c
}

func (c *copier[T]) copy() error {
	if c.threads == 1 {
		copy(c.dst, c.src)
		return nil
	}
	var wg sync.WaitGroup
	for k := range c.threads {
		begin, end := len(c.src)*k/c.threads, len(c.src)*(k+1)/c.threads
		wg.Go(func() { copy(c.dst[begin:end], c.src[begin:end]) })
	}
	wg.Wait()
	return nil
}
