package posembed_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/posembed"
)

func TestNewResamplerErrors(t *testing.T) {
	tests := []struct {
		name   string
		mode   posembed.Mode
		length int
		from   posembed.Grid
		dim    int
		want   string
	}{
		{"fits", posembed.Exact, 12, posembed.Grid{Rows: 2, Cols: 3}, 2, ""},
		{"no such mode", 6, 12, posembed.Grid{Rows: 2, Cols: 3}, 2, "resampler: unknown mode Mode(6)"},
		{"no columns", posembed.Exact, 0, posembed.Grid{Rows: 2}, 2, "resampler: grid 2x0: rows and columns must be between 1 and 65536"},
		{"short table", posembed.Exact, 11, posembed.Grid{Rows: 2, Cols: 3}, 2, "resampler: table has 11 values: a table [2, 3, 2] has 12"},
	}
	for _, test := range tests {
		_, err := posembed.NewResampler(test.mode, make([]float32, test.length), test.from, test.dim)
		if diff := cmp.Diff(test.want, message(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestResampleErrors(t *testing.T) {
	for _, mode := range posembed.Modes() {
		r := mustResampler(t, mode, posembed.Grid{Rows: 2, Cols: 3}, 2)
		for _, test := range []struct {
			name   string
			length int
			to     posembed.Grid
			want   string
		}{
			{"fits", 8, posembed.Grid{Rows: 2, Cols: 2}, ""},
			{"long result", 9, posembed.Grid{Rows: 2, Cols: 2}, "destination has 9 values: a table [2, 2, 2] has 8"},
			{"no rows", 8, posembed.Grid{Cols: 2}, "grid 0x2: rows and columns must be between 1 and 65536"},
		} {
			want := test.want
			if want != "" {
				want = "resample 2x3 to " + test.to.String() + " in mode " + mode.String() + ": " + want
			}
			if diff := cmp.Diff(want, message(r.Resample(make([]float32, test.length), test.to))); diff != "" {
				t.Errorf("%v, %s (-want +got):\n%s", mode, test.name, diff)
			}
		}
	}
}

// TestFusedModesApplyPlans: what the fused modes promise is Plan.Apply, to the bit,
// the first time and again.
func TestFusedModesApplyPlans(t *testing.T) {
	from, to := posembed.Grid{Rows: 8, Cols: 8}, posembed.Grid{Rows: 12, Cols: 7}
	const dim = 64
	for _, mode := range []posembed.Mode{posembed.BilinearFused, posembed.Exact, posembed.Cached, posembed.Antialias} {
		plan, err := posembed.NewPlan(from, to, mode.Convention())
		if err != nil {
			t.Fatal(err)
		}
		want, got := make([]float32, to.Len()*dim), make([]float32, to.Len()*dim)
		if err := plan.Apply(want, normals(from.Len()*dim, 1), dim); err != nil {
			t.Fatal(err)
		}
		r := mustResampler(t, mode, from, dim)
		for call := range 3 {
			clear(got)
			if err := r.Resample(got, to); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, call %d: differs from Plan.Apply with %v", mode, call, mode.Convention())
			}
		}
	}
}

func TestResamplerIdentity(t *testing.T) {
	from := posembed.Grid{Rows: 3, Cols: 5}
	for _, mode := range posembed.Modes() {
		r := mustResampler(t, mode, from, 1)
		if !r.Identity(from) || r.Identity(posembed.Grid{Rows: 5, Cols: 3}) {
			t.Errorf("%v: Identity(3x5) = %v and Identity(5x3) = %v for a table of 3x5, want true and false",
				mode, r.Identity(from), r.Identity(posembed.Grid{Rows: 5, Cols: 3}))
		}
	}
}

// TestResamplerManyGrids uses one Resampler from several goroutines on more grids
// than it keeps plans for, each in another order.
func TestResamplerManyGrids(t *testing.T) {
	const dim, workers, grids = 2, 4, 100
	from := posembed.Grid{Rows: 4, Cols: 4}
	grid := func(i int) posembed.Grid { return posembed.Grid{Rows: 1 + i%10, Cols: 1 + i/10} }
	for _, mode := range posembed.Modes() {
		r := mustResampler(t, mode, from, dim)
		want := make([][]float32, grids)
		for i := range want {
			want[i] = make([]float32, grid(i).Len()*dim)
			if err := mustResampler(t, mode, from, dim).Resample(want[i], grid(i)); err != nil {
				t.Fatal(err)
			}
		}
		errs := make([]error, workers)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for k := range 2 * grids {
					i := (k*(2*w+1)*3 + w) % grids
					got := make([]float32, len(want[i]))
					if err := r.Resample(got, grid(i)); err != nil {
						errs[w] = err
					} else if !slices.Equal(got, want[i]) {
						errs[w] = errors.New(grid(i).String() + " differs from the result alone")
					}
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

// mustResampler binds a table of normals(…, 1).
func mustResampler(t *testing.T, m posembed.Mode, from posembed.Grid, dim int) *posembed.Resampler {
	t.Helper()
	r, err := posembed.NewResampler(m, normals(from.Len()*dim, 1), from, dim)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
