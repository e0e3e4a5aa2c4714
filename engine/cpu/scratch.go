package cpu

import "unsafe"

// scratch is memory of one thread, with unspecified contents.
type scratch struct {
	inputs    []float32    // rows of inputs, tileStride apart
	holds     held         // which inputs they are, if they are all of some rows
	plan      []tilePlan   // of the product's unit
	outputs   []float32    // one tile
	spare     [4][]float32 // one register each
	pairs     []uint16     // one register of bfloat16
	zeros     []float32    // a panel's
	attention attentionTile
}

// held are the rows of a product, by its number, that begin with the first.
type held struct {
	product uint64
	first   int
}

func (s *scratch) init() {
	s.pairs = aligned[uint16](maxLanes)
	s.zeros = aligned[float32](panel)
	s.outputs = aligned[float32](maxTileRows * panel)
	for i := range s.spare {
		s.spare[i] = aligned[float32](maxLanes)
	}
}

const (
	maxTileRows = 16 // of all instruction sets
	maxLanes    = 16
)

// grow is a slice of length n with unspecified contents, s if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return aligned[T](n)
	}
	return s[:n]
}

// line is the bytes of a cache line.
const line = 64

// aligned is n zeros that begin at a cache line.
func aligned[T any](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	s := make([]T, n+line/size)
	skip := (-int(uintptr(unsafe.Pointer(&s[0]))) & (line - 1)) / size
	return s[skip : skip+n : skip+n]
}
