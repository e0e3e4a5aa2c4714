// Package parquetrows reads rows of a data set from a Parquet file with the schema of
// lmarena-ai/VisionArena-Chat (conversation[0][0].content, images[0] as a struct of
// bytes and path), of lmarena-ai/vision-arena-bench-v0.1 (turns[0][0].content), or a
// like one.
//
// A file is never loaded whole. Of a row group that holds a wanted row, the few
// columns in question are read page by page, and pages are dropped as soon as their
// wanted values are copied: memory for one page of each column, plus the rows that are
// wanted. As a row's prompt, role and image are the first value of their columns in
// that row, no nested row is ever assembled.
package parquetrows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"siglab/bench/dataset"
)

// Table is an open Parquet file. Its methods must not be called concurrently.
type Table struct {
	name    string
	reader  io.ReaderAt
	size    int64
	close   func() error
	file    *parquet.File
	columns columns
}

// Open opens a file and reads its footer. Name stands for it in messages and row
// identifiers. Close it after use.
func Open(path, name string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t, err := New(f, info.Size(), name)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t.close = f.Close
	return t, nil
}

// New reads the footer of a file of size bytes.
func New(r io.ReaderAt, size int64, name string) (t *Table, err error) {
	defer recovered(name, &err)
	if err := checkFooter(r, size); err != nil {
		return nil, fmt.Errorf("parquet file %s: %w", name, err)
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
	if err != nil {
		return nil, fmt.Errorf("parquet file %s: %w; is it complete?", name, err)
	}
	columns, err := findColumns(file.Schema())
	if err != nil {
		return nil, fmt.Errorf("parquet file %s: %w", name, err)
	}
	var rows int64
	for _, g := range file.RowGroups() {
		if g.NumRows() < 0 || g.NumRows() > mostRows-rows {
			return nil, fmt.Errorf("parquet file %s: a row group has %d rows", name, g.NumRows())
		}
		rows += g.NumRows()
	}
	if rows != file.NumRows() {
		return nil, fmt.Errorf("parquet file %s: its footer says %d rows, its row groups %d", name, file.NumRows(), rows)
	}
	return &Table{name: name, reader: r, size: size, close: func() error { return nil }, file: file, columns: columns}, nil
}

// mostRows bounds the rows of a file.
const mostRows = 1 << 40

// recovered turns a panic of the Parquet reader over a corrupt file into an error.
func recovered(name string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("parquet file %s is corrupt: %v", name, r)
	}
}

// Close closes the file.
func (t *Table) Close() error { return t.close() }

// Len is the number of rows.
func (t *Table) Len() int64 { return t.file.NumRows() }

// Read yields the rows with these numbers, which must ascend.
func (t *Table) Read(ctx context.Context, rows []int64, yield func(row int64, raw dataset.Raw) error) error {
	var first int64
	for i, group := range t.file.RowGroups() {
		var inGroup []int64
		for len(rows) > 0 && rows[0] < first+group.NumRows() {
			inGroup = append(inGroup, rows[0]-first)
			rows = rows[1:]
		}
		if len(inGroup) > 0 {
			if err := t.readGroup(ctx, i, first, inGroup, yield); err != nil {
				return err
			}
		}
		first += group.NumRows()
	}
	if len(rows) > 0 {
		return fmt.Errorf("parquet file %s has %d rows, row %d is wanted", t.name, t.Len(), rows[0])
	}
	return nil
}

// groupRows is how many rows of a row group are held at once.
const groupRows = 256

func (t *Table) readGroup(ctx context.Context, group int, first int64, rows []int64, yield func(row int64, raw dataset.Raw) error) error {
	for len(rows) > 0 {
		part := rows[:min(groupRows, len(rows))]
		rows = rows[len(part):]
		raws, err := t.readRows(ctx, group, part)
		if err != nil {
			return fmt.Errorf("parquet file %s, row group %d: %w", t.name, group, err)
		}
		for i := range raws {
			number := first + part[i]
			if raws[i].ID == "" {
				raws[i].ID = fmt.Sprintf("%s:%d", t.name, number)
			}
			if err := yield(number, raws[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRows reads the wanted columns of rows of a row group, one column after the
// other.
func (t *Table) readRows(ctx context.Context, group int, rows []int64) ([]dataset.Raw, error) {
	raws := make([]dataset.Raw, len(rows))
	for _, part := range []struct {
		column, most int
		set          func(raw *dataset.Raw, value []byte)
	}{
		{t.columns.prompt, mostText, func(raw *dataset.Raw, v []byte) { raw.Prompt = string(v) }},
		{t.columns.role, mostName, func(raw *dataset.Raw, v []byte) { raw.Role = string(v) }},
		{t.columns.id, mostName, func(raw *dataset.Raw, v []byte) { raw.ID = string(v) }},
		{t.columns.language, mostName, func(raw *dataset.Raw, v []byte) { raw.Language = string(v) }},
		{t.columns.image, dataset.MostImageBytes + 1, func(raw *dataset.Raw, v []byte) { raw.Image = append([]byte(nil), v...) }},
	} {
		if part.column < 0 {
			continue
		}
		err := t.firstValues(ctx, group, part.column, rows, func(i int, value []byte) {
			part.set(&raws[i], value[:min(len(value), part.most)]) // one byte too many is enough to be refused
		})
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", place(t.file.Schema().Columns()[part.column]), err)
		}
	}
	return raws, nil
}

// Bounds in bytes of what is copied out of a page.
const (
	mostText = 2 << 20
	mostName = 256
)
