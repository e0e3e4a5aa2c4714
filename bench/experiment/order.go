package experiment

// Order returns, for each round, the order in which the k variants run.
//
// Two variants alternate AB, BA, AB, … so that a drift over time falls on both.
// More follow the rows of a Williams square (E. J. Williams, 1949): every variant
// stands once in every position and follows every other equally often, which
// balances position and carry-over. An odd k needs two squares, the second
// mirrored. Rounds beyond one design start it again.
func Order(k, rounds int) [][]int {
	rows := williams(k)
	order := make([][]int, rounds)
	for i := range order {
		order[i] = rows[i%len(rows)]
	}
	return order
}

// BalancedRounds rounds the number of rounds up to whole designs: an even number
// of pairs, or full Williams squares.
func BalancedRounds(k, rounds int) int {
	n := len(williams(k))
	return (rounds + n - 1) / n * n
}

// williams returns the rows of a Williams design for k ≥ 2 treatments: k rows for
// even k, 2k for odd.
func williams(k int) [][]int {
	// The first row 0, 1, k-1, 2, k-2, … has all differences between neighbours.
	first := make([]int, k)
	for i := 1; i < k; i++ {
		if i%2 == 1 {
			first[i] = (i + 1) / 2
		} else {
			first[i] = k - i/2
		}
	}
	rows := make([][]int, 0, 2*k)
	for shift := range k {
		row := make([]int, k)
		for i, v := range first {
			row[i] = (v + shift) % k
		}
		rows = append(rows, row)
	}
	if k%2 == 0 {
		return rows
	}
	for _, row := range rows[:k] {
		mirrored := make([]int, k)
		for i, v := range row {
			mirrored[k-1-i] = v
		}
		rows = append(rows, mirrored)
	}
	return rows
}
