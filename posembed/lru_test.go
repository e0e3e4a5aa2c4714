package posembed

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLRU asks for grids of one row, whose cost is their columns, and notes which
// had to be computed.
func TestLRU(t *testing.T) {
	var computed []int
	c := newLRU(10, func(g Grid) (int, error) {
		computed = append(computed, g.Cols)
		return -g.Cols, nil
	})
	ask := func(cols int) {
		got, err := c.get(Grid{1, cols}, cols)
		if got != -cols || err != nil {
			t.Errorf("get(%d) = %d, %v", cols, got, err)
		}
	}
	for _, test := range []struct {
		why  string
		ask  []int
		want []int
	}{
		{"all are new and fit", []int{2, 3, 5}, []int{2, 3, 5}},
		{"all are kept", []int{5, 3, 2}, nil},
		{"4 displaces 5, the least recently used", []int{4, 2, 3}, []int{4}},
		{"5 displaces 4, since 2 and 3 were used after it", []int{5, 2, 3}, []int{5}},
		{"10 takes all the room", []int{10, 10, 2}, []int{10, 2}},
		{"11 never fits and displaces nothing", []int{11, 11, 2}, []int{11, 11}},
	} {
		computed = nil
		for _, cols := range test.ask {
			ask(cols)
		}
		if diff := cmp.Diff(test.want, computed); diff != "" {
			t.Errorf("%s: computed (-want +got):\n%s", test.why, diff)
		}
	}
	want := CacheStats{Hits: 9, Misses: 9, Evicted: 6, Entries: 1, Used: 2, Budget: 10}
	if diff := cmp.Diff(want, c.counted()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// TestLRUError: an error is the value's, however often it is asked for.
func TestLRUError(t *testing.T) {
	broken, calls := errors.New("broken"), 0
	c := newLRU(1, func(Grid) (int, error) { calls++; return 0, broken })
	for range 2 {
		if _, err := c.get(Grid{1, 1}, 1); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
	}
	if calls != 1 {
		t.Errorf("computed %d times, want once", calls)
	}
}
