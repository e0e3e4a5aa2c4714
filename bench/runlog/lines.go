package runlog

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"

	"siglab/bench/record"
)

// Rows are the observations of one block on their way to the disk, so that a block may
// last for hours in little memory. They may be added from any goroutine.
type Rows struct {
	mu    sync.Mutex
	lines *lines
	sum   hash.Hash
	err   error // the first; what comes after it is dropped
}

// Begin starts a block's observations. They must end before the next block's begin.
func (w *Writer) Begin() *Rows {
	r := &Rows{sum: sha256.New()}
	r.lines, r.err = newLines(w.observations, r.sum)
	return r
}

// Add appends an observation. An error, as of a full disk, is End's too: the block
// cannot be recorded any more.
func (r *Rows) Add(o *record.Observation) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = r.lines.add(o)
	}
	return r.err
}

// End makes the block's lines durable, or takes them back if one of them could not be
// written. Their SHA-256 is for record.Block.ObservationsHash.
func (r *Rows) End() (hash string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines != nil {
		r.err = r.lines.end(r.err)
	}
	if r.err != nil {
		return "", r.err
	}
	return hex.EncodeToString(r.sum.Sum(nil)), nil
}

// Observations appends all observations of a block at once.
func (w *Writer) Observations(observations []record.Observation) (hash string, err error) {
	rows := w.Begin()
	for i := range observations {
		if rows.Add(&observations[i]) != nil {
			break // End tells
		}
	}
	return rows.End()
}

// lines appends JSON documents to a file, one per line.
type lines struct {
	file     *os.File
	before   int64 // size of the file
	buffered *bufio.Writer
	encoder  *json.Encoder
}

// newLines begins to append to the file, and to the copies.
func newLines(f *os.File, also ...io.Writer) (*lines, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	l := &lines{file: f, before: info.Size(), buffered: bufio.NewWriterSize(f, 1<<16)}
	l.encoder = json.NewEncoder(io.MultiWriter(append(also, l.buffered)...))
	l.encoder.SetEscapeHTML(false)
	return l, nil
}

func (l *lines) add(row any) error { return l.encoder.Encode(row) }

// end makes the lines durable. After an error, the earlier one or its own, it takes
// all of them back, so that a full disk leaves whole blocks behind.
func (l *lines) end(earlier error) error {
	err := earlier
	if err == nil {
		err = l.buffered.Flush()
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("append to %s: %w", filepath.Base(l.file.Name()), errors.Join(err, l.file.Truncate(l.before)))
}

// appendLines appends rows and makes them durable.
func appendLines[T any](f *os.File, rows []T) error {
	l, err := newLines(f)
	if err != nil {
		return err
	}
	for i := range rows {
		if err = l.add(&rows[i]); err != nil {
			break
		}
	}
	return l.end(err)
}
