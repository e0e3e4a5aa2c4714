package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Table is a file of rows.
type Table interface {
	// Len is the number of rows.
	Len() int64
	// Read yields the rows with these numbers (ascending, from 0), in this order. It
	// stops at an error of yield and returns it.
	Read(ctx context.Context, rows []int64, yield func(row int64, raw Raw) error) error
}

// Selection says which rows of tables make a set.
type Selection struct {
	About      About // Name, Revision and what is known of the selection so far
	Rows       int   // how many usable rows are wanted; 0: all
	Seed       uint64
	MaxSkipped float64 // largest share of unusable rows among those looked at: 0.05 is 5 %
	MostBytes  int64   // of all images together; 0: DefaultMostBytes
	Encoding   Encoding
}

// DefaultMostBytes bounds the images of a set in memory.
const DefaultMostBytes = 4 << 30

// streamRows is the stream of the seed that rows are drawn from; arrivals and decks
// have others.
const streamRows = 0x726f7773

// earlyRefusal is how many rows are looked at before a bad source is refused early.
const earlyRefusal = 1000

// Select draws rows without replacement from all tables, each row equally likely, and
// puts the usable ones in the order of the draw; with all rows wanted, in the order of
// the tables. A set may have fewer rows than wanted. It is an error if none is
// usable, or if too many are not.
func Select(ctx context.Context, tables []Table, s Selection) (*Set, error) {
	p := picker{tables: tables, s: s, images: map[string]Image{}}
	if p.s.MostBytes == 0 {
		p.s.MostBytes = DefaultMostBytes
	}
	var total int64
	for _, t := range tables {
		total += t.Len()
	}
	draw := drawAll(total)
	if s.Rows > 0 {
		draw = drawRandom(total, rand.New(rand.NewPCG(s.Seed, streamRows)))
	}
	for s.Rows == 0 || len(p.rows) < s.Rows {
		batch := draw(p.missing())
		if len(batch) == 0 {
			break
		}
		if err := p.read(ctx, batch); err != nil {
			return nil, fmt.Errorf("data set %s: %w", s.About.Name, err)
		}
		if p.examined >= earlyRefusal && p.tooMany() {
			break
		}
	}
	return p.set()
}

// picker collects rows.
type picker struct {
	tables   []Table
	s        Selection
	rows     []Row
	images   map[string]Image // by hash, so that an image of many rows is kept once
	bytes    int64
	examined int
	skipped  skips
}

// batchRows is how many rows are read at once where all are wanted.
const batchRows = 4096

func (p *picker) missing() int {
	if p.s.Rows == 0 {
		return batchRows
	}
	return p.s.Rows - len(p.rows)
}

// read checks a batch of rows, numbered through all tables. They are read in the
// order of the files and used in the order of the batch.
func (p *picker) read(ctx context.Context, batch []int64) error {
	sorted := slices.Clone(batch)
	slices.Sort(sorted)
	usable := map[int64]Row{}
	var first int64
	for _, t := range p.tables {
		var inTable []int64
		for len(sorted) > 0 && sorted[0] < first+t.Len() {
			inTable = append(inTable, sorted[0]-first)
			sorted = sorted[1:]
		}
		if len(inTable) > 0 {
			err := t.Read(ctx, inTable, func(row int64, raw Raw) error {
				p.examined++
				checked, reason, detail := check(raw, p.s.Encoding)
				if reason != "" {
					p.skipped.add(reason, raw.ID, detail)
					return nil
				}
				usable[first+row] = checked
				return p.share(usable, first+row)
			})
			if err != nil {
				return err
			}
		}
		first += t.Len()
	}
	for _, number := range batch {
		if row, ok := usable[number]; ok {
			p.rows = append(p.rows, row)
		}
	}
	return ctx.Err()
}

// share lets a row have the image of an earlier row, if they have the same.
func (p *picker) share(usable map[int64]Row, number int64) error {
	row := usable[number]
	if known, ok := p.images[row.Image.SHA256]; ok {
		row.Image = known
		usable[number] = row
		return nil
	}
	p.images[row.Image.SHA256] = row.Image
	if p.bytes += int64(len(row.Image.Data)); p.bytes > p.s.MostBytes {
		return fmt.Errorf("the images of the first %d rows hold more than %d MB; ask for fewer rows", p.examined, p.s.MostBytes>>20)
	}
	return nil
}

func (p *picker) tooMany() bool {
	return float64(p.skipped.total()) > p.s.MaxSkipped*float64(p.examined)
}

func (p *picker) set() (*Set, error) {
	name, skipped := p.s.About.Name, p.skipped.total()
	switch {
	case p.examined == 0:
		return nil, fmt.Errorf("data set %s has no rows", name)
	case len(p.rows) == 0:
		return nil, fmt.Errorf("data set %s: none of the %d rows that were looked at can be used: %s", name, p.examined, &p.skipped)
	case p.tooMany():
		return nil, &TooManyError{fmt.Sprintf("data set %s: %d of the %d rows that were looked at cannot be used (%.1f %%, at most %g %%): %s",
			name, skipped, p.examined, 100*float64(skipped)/float64(p.examined), 100*p.s.MaxSkipped, &p.skipped)}
	}
	about := p.s.About
	about.Examined, about.Skipped = p.examined, p.skipped.count
	return NewSet(about, p.rows, false), nil
}

// TooManyError refuses a source whose share of unusable rows is above the bound.
type TooManyError struct{ text string }

func (e *TooManyError) Error() string { return e.text }

// drawAll deals 0 to total-1 in order, a given number at a time.
func drawAll(total int64) func(n int) []int64 {
	var next int64
	return func(n int) []int64 {
		var batch []int64
		for ; next < total && len(batch) < n; next++ {
			batch = append(batch, next)
		}
		return batch
	}
}

// drawRandom deals a random permutation of 0 to total-1. It is the shuffle of Fisher
// and Yates, of which only the places that differ from the identity are kept: memory
// for what was drawn, not for all rows.
func drawRandom(total int64, rng *rand.Rand) func(n int) []int64 {
	var next int64
	moved := map[int64]int64{}
	at := func(place int64) int64 {
		if number, ok := moved[place]; ok {
			return number
		}
		return place
	}
	return func(n int) []int64 {
		var batch []int64
		for ; next < total && len(batch) < n; next++ {
			j := next + rng.Int64N(total-next)
			batch = append(batch, at(j))
			moved[j] = at(next)
			delete(moved, next)
		}
		return batch
	}
}

// CheckShare says whether a share of unusable rows is a possible bound.
func CheckShare(share float64) error {
	if !(share >= 0 && share <= 1) {
		return errors.New("it is a share, 0 to 1 (0.05 is 5 %)")
	}
	return nil
}
