package resamplebench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"siglab/posembed"
	"siglab/posembed/posembedcuda"
)

// How the times on a GPU are taken: in CUDA graphs of so many launches of one kind,
// in rounds, on the device's clock.
const (
	cudaRounds   = 21
	cudaLaunches = 200
	slowLaunches = 3 // of the modes that take milliseconds
	// streamBytes is the size of the copy that gives the rate of the device's memory:
	// far more than its caches hold.
	streamBytes = 1 << 30
)

// RunCUDA is Run on a GPU. A floor is the bytes of table and result over the rate at
// which a large copy moves bytes (read and written), a copy that of the result in a
// graph like the others.
func RunCUDA(ctx context.Context, gpu *posembedcuda.GPU, c Config, report func(what string)) ([]Row, error) {
	switch c.DType {
	case "f32":
		return runCUDA(ctx, gpu, c, report, float32Type)
	case "bf16":
		return runCUDA(ctx, gpu, c, report, bfloat16Type)
	case "f16":
		return runCUDA(ctx, gpu, c, report, float16Type)
	default:
		return nil, fmt.Errorf("unknown dtype %q: want one of %v", c.DType, DTypes())
	}
}

func runCUDA[T posembedcuda.Element](ctx context.Context, gpu *posembedcuda.GPU, c Config, report func(string), t elementType[T]) (rows []Row, err error) {
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	src := make([]T, c.From.Len()*c.Dim)
	wide := make([]float64, len(src))
	for i := range src {
		src[i] = t.round(rng.NormFloat64())
		wide[i] = t.value(src[i])
	}
	table, err := posembedcuda.Upload(gpu, src, c.From, c.Dim)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	rate, err := copyRate(ctx, gpu, table)
	if err != nil {
		return nil, err
	}
	for _, to := range c.To {
		for _, convention := range c.Conventions {
			if report != nil {
				report(fmt.Sprintf("%v %v to %v on %s", convention, c.From, to, gpu.Device().Name))
			}
			measured, err := measureCUDA(ctx, gpu, c, table, to, convention, t, wide)
			if err != nil {
				return nil, err
			}
			for i := range measured {
				measured[i].FloorNS = float64((c.From.Len()+to.Len())*c.Dim*t.size) / rate * 1e9
			}
			rows = append(rows, measured...)
		}
	}
	return rows, nil
}

// copyRate is how many bytes a second a large copy moves, reads and writes together.
func copyRate(ctx context.Context, gpu *posembedcuda.GPU, table *posembedcuda.Table) (float64, error) {
	large, err := table.Copy(streamBytes)
	if err != nil {
		return 0, err
	}
	times, err := posembedcuda.Time(ctx, gpu, []*posembedcuda.Work{large}, 2, 5)
	if err := errors.Join(err, large.Close()); err != nil {
		return 0, err
	}
	return 2 * streamBytes / times[0].Seconds(), nil
}

// measureCUDA times one convention to one grid: the plan's launch and the modes that
// compute it in other ways.
func measureCUDA[T posembedcuda.Element](ctx context.Context, gpu *posembedcuda.GPU, c Config, table *posembedcuda.Table, to posembed.Grid, convention posembed.Convention, t elementType[T], wide []float64) (rows []Row, err error) {
	plan, err := posembed.NewPlan(c.From, to, convention)
	if err != nil {
		return nil, err
	}
	truth := make([]float64, to.Len()*c.Dim)
	if err := plan.ApplyFloat64(truth, wide, c.Dim); err != nil {
		return nil, err
	}
	var works []*posembedcuda.Work
	defer func() {
		for _, w := range works {
			err = errors.Join(err, w.Close())
		}
	}()
	copied, err := table.Copy((to.Len()*c.Dim*t.size + 15) / 16 * 16)
	if err != nil {
		return nil, err
	}
	works = append(works, copied)
	add := func(name string, w *posembedcuda.Work, err error) error {
		if err != nil {
			return err
		}
		works = append(works, w)
		row := Row{Convention: convention.String(), Implementation: name, Device: "cuda", DType: c.DType, Threads: 1,
			From: c.From.String(), To: to.String(), Dim: c.Dim}
		result := make([]T, len(truth))
		if err := posembedcuda.Read(ctx, w, result); err != nil {
			return err
		}
		for i, v := range result {
			row.MaxAbsErr = max(row.MaxAbsErr, math.Abs(t.value(v)-truth[i]))
		}
		rows = append(rows, row)
		return nil
	}
	w, err := table.Apply(plan)
	if err := add("cuda", w, err); err != nil {
		return nil, err
	}
	fast := len(works)
	for _, mode := range []posembed.Mode{posembed.Reference, posembed.BilinearGather} {
		if mode.Convention() == convention && !plan.Identity() {
			w, err := table.Mode(mode, to)
			if err := add("mode "+mode.String(), w, err); err != nil {
				return nil, err
			}
		}
	}
	times, err := posembedcuda.Time(ctx, gpu, works[:fast], cudaLaunches, cudaRounds)
	if err != nil {
		return nil, err
	}
	if fast < len(works) {
		slow, err := posembedcuda.Time(ctx, gpu, works[fast:], slowLaunches, 5)
		if err != nil {
			return nil, err
		}
		times = append(times, slow...)
	}
	for i := range rows {
		rows[i].NS, rows[i].CopyNS = nanoseconds(times[i+1]), nanoseconds(times[0])
	}
	return rows, nil
}

func nanoseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) }
