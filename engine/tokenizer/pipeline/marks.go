package pipeline

import (
	"slices"

	"golang.org/x/text/unicode/norm"
)

// combiningClass is the canonical combining class of r, 0 for a starter.
func combiningClass(r rune) uint8 {
	return norm.NFD.PropertiesString(string(r)).CCC()
}

// sortMarks puts each run of marks into canonical order, in place.
func sortMarks(runes []rune) {
	for start := 0; start < len(runes); {
		if combiningClass(runes[start]) == 0 {
			start++
			continue
		}
		end := start
		for end < len(runes) && combiningClass(runes[end]) != 0 {
			end++
		}
		slices.SortStableFunc(runes[start:end], func(a, b rune) int {
			return int(combiningClass(a)) - int(combiningClass(b))
		})
		start = end
	}
}

// compose joins each starter with the marks that are not blocked from it.
func compose(runes []rune) []rune {
	out := runes[:0:0]
	starter := -1 // index in out
	var last uint8
	for _, r := range runes {
		class := combiningClass(r)
		adjacent := starter == len(out)-1
		if starter >= 0 && (adjacent || last < class) {
			if joined := []rune(norm.NFC.String(string([]rune{out[starter], r}))); len(joined) == 1 {
				out[starter] = joined[0]
				continue
			}
		}
		if class == 0 {
			starter = len(out)
		}
		last = class
		out = append(out, r)
	}
	return out
}
