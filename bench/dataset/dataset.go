// Package dataset holds images and the questions that people ask about them: the
// material of a workload.
//
// The built-in set is embedded in the binary, so the main job needs no download:
// sixteen photographs and 128 prompts in the manner of the users of a chat arena,
// in the schema of lmarena-ai/VisionArena-Chat. As in vLLM's loader of that set, a
// row's prompt is its first user turn and its image the first one.
package dataset

import (
	"fmt"
	"math/rand/v2"
)

// Set is a data set whose rows have all been checked. It does not change.
type Set struct {
	name    string
	credits string
	rows    []Row
}

// Row is one question about one image.
type Row struct {
	ID       string
	Prompt   string
	Language string
	Image    Image
}

// Image is an image as it is sent: its encoded bytes, untouched.
type Image struct {
	Name   string
	MIME   string // "image/jpeg" or "image/png"
	Data   []byte
	Width  int // pixels
	Height int
	SHA256 string // of Data, in hexadecimal
}

// Builtin is the name of the embedded set.
const Builtin = "builtin"

// Open opens a data set by name; "" is the built-in one. Every row is checked: one
// whose image is missing or unreadable, or whose prompt is empty, is an error.
func Open(name string) (*Set, error) {
	if name != "" && name != Builtin {
		return nil, fmt.Errorf("data set %q: this version has the built-in set only; leave --dataset and DATASET out, or say %q", name, Builtin)
	}
	return openBuiltin()
}

// Name is the name that opens the set.
func (s *Set) Name() string { return s.name }

// Credits says who made the images, in Markdown.
func (s *Set) Credits() string { return s.credits }

// Rows are the rows in the order of the file. The caller must not change them.
func (s *Set) Rows() []Row { return s.rows }

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
