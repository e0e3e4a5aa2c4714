package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTwoVariantsAlternate(t *testing.T) {
	want := [][]int{{0, 1}, {1, 0}, {0, 1}, {1, 0}, {0, 1}}
	if diff := cmp.Diff(want, Order(2, 5)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestWilliamsDesignsAreBalanced(t *testing.T) {
	for k := 2; k <= 8; k++ {
		position, follows := map[[2]int]int{}, map[[2]int]int{}
		rows := williams(k)
		for _, row := range rows {
			for i, v := range row {
				position[[2]int{v, i}]++
				if i > 0 {
					follows[[2]int{row[i-1], v}]++
				}
			}
		}
		for v := range k {
			for i := range k {
				if got, want := position[[2]int{v, i}], len(rows)/k; got != want {
					t.Errorf("k=%d: variant %d stands %d times at position %d, want %d", k, v, got, i, want)
				}
				if v != i {
					if got, want := follows[[2]int{v, i}], len(rows)/k; got != want {
						t.Errorf("k=%d: %d is followed by %d %d times, want %d", k, v, i, got, want)
					}
				}
			}
		}
	}
}

func TestBalancedRounds(t *testing.T) {
	for _, tt := range []struct{ k, rounds, want int }{{2, 6, 6}, {2, 5, 6}, {2, 1, 2}, {3, 6, 6}, {4, 6, 8}, {5, 6, 10}, {8, 6, 8}} {
		if got := BalancedRounds(tt.k, tt.rounds); got != tt.want {
			t.Errorf("BalancedRounds(%d, %d) = %d, want %d", tt.k, tt.rounds, got, tt.want)
		}
	}
}
