package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// WorkloadHash computes the hashes of a frozen workload: of every slice over the
// offsets and bodies of its items, and of all slices together. Items are added slice
// by slice, in their order.
type WorkloadHash struct {
	slices []string
	slice  hash.Hash // of the slice that is being added; nil before the first
	number int
	total  hash.Hash
}

// Add adds the next item.
func (w *WorkloadHash) Add(item *Item) {
	if w.slice == nil || item.Slice != w.number {
		w.end()
		w.slice, w.number = sha256.New(), item.Slice
	}
	fmt.Fprintf(w.slice, "%d %s\n", item.Offset, item.BodyHash)
}

// end takes the slice that was added.
func (w *WorkloadHash) end() {
	if w.total == nil {
		w.total = sha256.New()
	}
	if w.slice == nil {
		return
	}
	sum := w.slice.Sum(nil)
	w.slices = append(w.slices, hex.EncodeToString(sum))
	w.total.Write(sum)
	w.slice = nil
}

// Sums are the hashes of the slices in their order, and that of the workload.
func (w *WorkloadHash) Sums() (slices []string, total string) {
	w.end()
	return w.slices, hex.EncodeToString(w.total.Sum(nil))
}
