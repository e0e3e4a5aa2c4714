// Package dataset holds images and the questions that people ask about them: the
// material of a workload.
//
// The built-in set is embedded in the binary, so the main job needs no download:
// sixteen photographs and 128 prompts in the manner of the users of a chat arena,
// in the schema of lmarena-ai/VisionArena-Chat. As in vLLM's loader of that set, a
// row's prompt is its first user turn and its image the first one.
//
// Sets of others come from tables: files of rows in any order, most of which are
// never read. Select draws rows from them by a seed, checks each, counts the unusable
// ones by reason, and refuses a source with too many of them.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Set is a data set whose rows have all been checked. It does not change.
type Set struct {
	about   About
	credits string
	rows    []Row
	fixed   bool // the order of the rows is part of the set
}

// About says where the rows of a set come from.
type About struct {
	Name      string         `json:"name"`                // opens the set again
	Revision  string         `json:"revision,omitempty"`  // commit on the hub
	SHA256    string         `json:"sha256"`              // over the rows: prompts and hashes of images, in order
	Selection string         `json:"selection,omitempty"` // how the rows were chosen, for people
	Examined  int            `json:"examined_rows"`       // rows that were looked at
	Skipped   map[Reason]int `json:"skipped_rows,omitempty"`
}

// Source is name, revision and hash in one line.
func (a About) Source() string {
	name := a.Name
	if a.Revision != "" && !strings.HasSuffix(name, "@"+a.Revision) {
		name += ", revision " + a.Revision
	}
	return name + ", sha256 " + a.SHA256
}

// SkippedRows is how many rows could not be used.
func (a About) SkippedRows() int {
	total := 0
	for _, n := range a.Skipped {
		total += n
	}
	return total
}

// Row is one question about one image.
type Row struct {
	ID       string
	Prompt   string
	Language string // "" if the source does not say
	Image    Image
}

// Image is an image as it is sent: its encoded bytes, untouched unless the set was
// opened with Reencode.
type Image struct {
	Name   string // distinct for distinct images of a set
	MIME   string // "image/jpeg", "image/png", "image/gif" or "image/webp"
	Data   []byte
	Width  int // pixels
	Height int
	SHA256 string // of Data, in hexadecimal
}

// NewSet is a set of checked rows; SHA256 and, if it is 0, Examined of about are
// computed. With fixed, Deck deals the rows in this order at first.
func NewSet(about About, rows []Row, fixed bool) *Set {
	about.SHA256 = HashRows(rows)
	if about.Examined == 0 {
		about.Examined = len(rows)
	}
	return &Set{about: about, rows: rows, fixed: fixed}
}

// HashRows is the SHA-256 over identifiers, prompts and images of rows, in order.
func HashRows(rows []Row) string {
	h := sha256.New()
	for _, row := range rows {
		fmt.Fprintf(h, "%q %q %s\n", row.ID, row.Prompt, row.Image.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Name is the name that opens the set.
func (s *Set) Name() string { return s.about.Name }

// About says where the rows come from.
func (s *Set) About() About { return s.about }

// Credits says who made the images, in Markdown.
func (s *Set) Credits() string { return s.credits }

// Rows are the rows in the order of the set. The caller must not change them.
func (s *Set) Rows() []Row { return s.rows }

// Deck is all rows in the order in which requests use them the nth time (from 0):
// the order of a frozen set at first, otherwise shuffled.
func (s *Set) Deck(n int, rng *rand.Rand) []Row {
	if s.fixed && n == 0 {
		return s.rows
	}
	return s.Shuffled(rng)
}

// Shuffled is all rows in an order drawn from rng, in which the images take turns:
// every stretch of as many rows as there are images, counted from the start, has
// each image once as long as each has rows left. A short run thus sees every
// resolution.
func (s *Set) Shuffled(rng *rand.Rand) []Row {
	var names []string
	byImage := map[string][]Row{}
	for _, row := range s.rows {
		if len(byImage[row.Image.Name]) == 0 {
			names = append(names, row.Image.Name)
		}
		byImage[row.Image.Name] = append(byImage[row.Image.Name], row)
	}
	for _, name := range names { // in the file's order: a map's would not be repeatable
		rows := byImage[name]
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	shuffled := make([]Row, 0, len(s.rows))
	for len(shuffled) < len(s.rows) {
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if rows := byImage[name]; len(rows) > 0 {
				shuffled = append(shuffled, rows[0])
				byImage[name] = rows[1:]
			}
		}
	}
	return shuffled
}
