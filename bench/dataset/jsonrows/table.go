// Package jsonrows reads rows of a data set from a JSONL file: one object a line, with
// a prompt and an image.
//
//	{"prompt": "What is this?", "image_files": ["images/cat.jpg"]}
//	{"question": "And this?", "image": "data:image/png;base64,…"}
//
// This is the format of vLLM's custom_mm data set ("prompt", "image_files"); "images"
// and "image" are taken, too, each a text or a list of texts of which the first is
// used, and so is a "conversation" or "turns" in the schema of VisionArena-Chat. An
// image is a path or a data URL of base64.
//
// A relative path is relative to the file's folder and must stay inside it, symbolic
// links included: a file that somebody sent must not make files of this machine go to
// a server. An absolute path is taken as it stands, as vLLM does: whoever writes one
// means this machine. Either way only what has the header of an image becomes a row.
//
// The file is not loaded whole: opening it notes where its lines begin.
package jsonrows

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"siglab/bench/dataset"
)

// MostLine bounds a line in bytes: an image of the largest size as base64, and a
// prompt. A longer one is no row.
const MostLine = dataset.MostImageBytes/3*4 + 4<<20

// mostLines bounds the lines of a file, whose places are kept in memory.
const mostLines = 50_000_000

// Table is an open JSONL file. Its methods must not be called concurrently.
type Table struct {
	name   string
	file   *os.File
	folder *os.Root
	lines  []span
}

// span is where a line is, without its end.
type span struct{ start, length int64 }

// Open opens a file and finds its lines; empty ones are not counted. Name stands for
// it in messages and row identifiers. Close it after use.
func Open(path, name string) (*Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t := &Table{name: name, file: file, folder: folder}
	if t.lines, err = findLines(file); err != nil {
		return nil, errors.Join(fmt.Errorf("JSONL file %s: %w", name, err), t.Close())
	}
	return t, nil
}

// findLines reads a file once and keeps where its lines are, never a whole line.
func findLines(r io.Reader) ([]span, error) {
	var lines []span
	in := bufio.NewReaderSize(r, 1<<20)
	var at int64
	for {
		line := span{start: at}
		blank := true
		for {
			part, err := in.ReadSlice('\n')
			at += int64(len(part))
			blank = blank && len(bytes.TrimSpace(part)) == 0
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			line.length = at - line.start
			if !blank {
				lines = append(lines, line)
			}
			if errors.Is(err, io.EOF) {
				return lines, nil
			}
			break
		}
		if len(lines) > mostLines {
			return nil, fmt.Errorf("more than %d lines", mostLines)
		}
	}
}

// Close closes the file and its folder.
func (t *Table) Close() error { return errors.Join(t.file.Close(), t.folder.Close()) }

// Len is the number of lines that are not empty.
func (t *Table) Len() int64 { return int64(len(t.lines)) }

// Read yields the rows with these numbers. A line that is no row is yielded with the
// reason.
func (t *Table) Read(ctx context.Context, rows []int64, yield func(row int64, raw dataset.Raw) error) error {
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if row < 0 || row >= t.Len() {
			return fmt.Errorf("JSONL file %s has %d rows, row %d is wanted", t.name, t.Len(), row)
		}
		raw, err := t.row(t.lines[row])
		if err != nil {
			return fmt.Errorf("JSONL file %s: %w", t.name, err)
		}
		if raw.ID == "" {
			raw.ID = fmt.Sprintf("%s:%d", t.name, row)
		}
		if err := yield(row, raw); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) row(line span) (dataset.Raw, error) {
	if line.length > MostLine {
		return dataset.Raw{Broken: dataset.LineTooLong, Detail: fmt.Sprintf("%d bytes, at most %d", line.length, MostLine)}, nil
	}
	text := make([]byte, line.length)
	if _, err := t.file.ReadAt(text, line.start); err != nil {
		return dataset.Raw{}, err
	}
	raw, image := parse(text)
	if raw.Broken == "" {
		raw.Image, raw.Broken, raw.Detail = t.image(image)
	}
	return raw, nil
}
