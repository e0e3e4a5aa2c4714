// Package workload freezes the requests of a run: which prompt and photograph, as
// encoded bodies, at which offsets. Both arms of a pair replay the same slice, byte
// for byte.
package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"siglab/bench/arrival"
	"siglab/bench/dataset"
	"siglab/bench/record"
)

// Spec says what to freeze.
type Spec struct {
	Set         *dataset.Set
	Slices      int // one per pair
	PerSlice    int // requests per slice
	Warmups     int // requests before each block, not measured
	Rate        float64
	Burstiness  float64 // 1 = Poisson
	MaxTokens   int
	Temperature float64
	IgnoreEOS   bool
	Seed        uint64
	Model       string // name that the requests ask for
}

// Workload is frozen: nothing changes it after Freeze.
type Workload struct {
	Slices [][]record.Item // [pair][position], by ascending offset
	Warmup []record.Item   // other rows of the data set, offsets 0
	Stats  record.Workload

	hashes []string // of the slices
	byID   map[string]*record.Item
}

// Streams of the seed; each purpose has its own, so that one does not shift another.
const (
	streamRows = iota
	streamArrivals
	streamWarmup
)

// Freeze draws the rows and the offsets from the seed and encodes the bodies. Rows
// are taken in a shuffled order, those of a frozen data set in its own order, and
// repeat only when the data set is used up, each time in a new order.
func Freeze(s Spec) (*Workload, error) {
	if s.Slices < 1 || s.PerSlice < 1 || s.Warmups < 0 {
		return nil, fmt.Errorf("freeze the workload: %d slices of %d requests and %d warm-ups: there must be at least one of the first two and no negative number", s.Slices, s.PerSlice, s.Warmups)
	}
	w := &Workload{byID: map[string]*record.Item{}}
	known := bodies{}
	rows := rowSource{set: s.Set, rng: stream(s.Seed, streamRows)}
	arrivals := stream(s.Seed, streamArrivals)
	for k := range s.Slices {
		offsets, err := arrival.Gamma(s.PerSlice, s.Rate, s.Burstiness, arrivals)
		if err != nil {
			return nil, fmt.Errorf("freeze the workload: %w", err)
		}
		slice := make([]record.Item, s.PerSlice)
		for i := range slice {
			if slice[i], err = known.newItem(s, rows.next(), fmt.Sprintf("s%03d-%05d", k, i)); err != nil {
				return nil, err
			}
			slice[i].Slice, slice[i].Index, slice[i].Offset = k, i, offsets[i]
		}
		w.Slices = append(w.Slices, slice)
	}
	warm := rowSource{set: s.Set, decks: 1, rng: stream(s.Seed, streamWarmup)} // not the first rows of a frozen set
	for i, row := range covering(&warm, s.Warmups) {
		item, err := known.newItem(s, row, fmt.Sprintf("warm-%03d", i))
		if err != nil {
			return nil, err
		}
		item.Slice = -1
		w.Warmup = append(w.Warmup, item)
	}
	w.from(s.Set.About())
	w.finish()
	return w, nil
}

// covering takes n rows whose images have as many sizes as can be found among the next
// eight times as many: a server may do something once for every size.
func covering(from *rowSource, n int) []dataset.Row {
	const choice = 8
	var rows, others []dataset.Row
	seen := map[[2]int]bool{}
	for range choice * n {
		row := from.next()
		size := [2]int{row.Image.Width, row.Image.Height}
		if seen[size] {
			others = append(others, row)
			continue
		}
		seen[size] = true
		if rows = append(rows, row); len(rows) == n {
			return rows
		}
	}
	return append(rows, others[:n-len(rows)]...)
}

func stream(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }

// rowSource deals the rows of a data set, one shuffled deck after the other.
type rowSource struct {
	set   *dataset.Set
	rng   *rand.Rand
	decks int // dealt so far
	deck  []dataset.Row
}

func (r *rowSource) next() dataset.Row {
	if len(r.deck) == 0 {
		r.deck = r.set.Deck(r.decks, r.rng)
		r.decks++
	}
	row := r.deck[0]
	r.deck = r.deck[1:]
	return row
}

// bodies holds each different body once, by its hash: a long run sends a small data
// set's rows many times, and half a megabyte for every request would fill the memory.
type bodies map[string][]byte

// put gives an item its body.
func (b bodies) put(item *record.Item, body []byte) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if known, ok := b[hash]; ok {
		body = known
	}
	b[hash] = body
	item.Body, item.BodyHash, item.BodyBytes = body, hash, len(body)
}

func (b bodies) newItem(s Spec, row dataset.Row, id string) (record.Item, error) {
	body, err := encode(s, row)
	if err != nil {
		return record.Item{}, fmt.Errorf("freeze row %s: %w", row.ID, err)
	}
	item := record.Item{ID: id, Prompt: row.Prompt, Image: row.Image.Name, ImageSize: [2]int{row.Image.Width, row.Image.Height}, ImageHash: row.Image.SHA256}
	b.put(&item, body)
	return item, nil
}

// from records where the rows come from.
func (w *Workload) from(about dataset.About) {
	w.Stats.Source, w.Stats.Selection = about.Source(), about.Selection
	w.Stats.ExaminedRows, w.Stats.SkippedRows = about.Examined, map[string]int{}
	for reason, n := range about.Skipped {
		w.Stats.SkippedRows[string(reason)] = n
	}
}

// finish computes what is derived from the slices.
func (w *Workload) finish() {
	images := map[string]bool{}
	repeats := 0
	var hashes record.WorkloadHash
	for _, slice := range w.Slices {
		inSlice := map[string]bool{}
		for i := range slice {
			item := &slice[i]
			hashes.Add(item)
			if inSlice[item.ImageHash] {
				repeats++
			}
			inSlice[item.ImageHash], images[item.ImageHash] = true, true
			w.byID[item.ID] = item
		}
	}
	w.hashes, w.Stats.SHA256 = hashes.Sums()
	w.Stats.Items = len(w.Slices) * len(w.Slices[0])
	w.Stats.Images = len(images)
	w.Stats.RepeatImages = float64(repeats) / float64(w.Stats.Items)
}

// SliceHash is the SHA-256 over the offsets and bodies of slice k.
func (w *Workload) SliceHash(k int) string { return w.hashes[k] }

// Items are the items of all slices in order, without the warm-ups.
func (w *Workload) Items() []record.Item {
	var items []record.Item
	for _, slice := range w.Slices {
		items = append(items, slice...)
	}
	return items
}

// Item finds an item of a slice by its ID.
func (w *Workload) Item(id string) (record.Item, bool) {
	item := w.byID[id]
	if item == nil {
		return record.Item{}, false
	}
	return *item, true
}
