package parquetrows

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Bounds that keep a lying file from having memory allocated: a footer describes
// columns, a page of a real file holds at most a row group of images.
const (
	mostFooter = 256 << 20
	mostPage   = 1 << 30
)

// checkFooter checks what the Parquet reader takes on trust: the magic bytes and the
// length of the footer.
func checkFooter(r io.ReaderAt, size int64) error {
	const least = 12 // magic, length, magic
	head := make([]byte, min(size, 64))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.HasPrefix(head, []byte("version https://git-lfs")) {
		return errors.New("this is a pointer of Git LFS, not the file; fetch it with `git lfs pull`")
	}
	if size < least || string(head[:4]) != "PAR1" {
		return fmt.Errorf("it does not begin as a Parquet file does (%d bytes)", size)
	}
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return fmt.Errorf("it does not end as a Parquet file does, so it is cut short at %d bytes; fetch it again", size)
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:4])); n > size-least || n > mostFooter {
		return fmt.Errorf("it says that its footer has %d bytes, of %d in all", n, size)
	}
	return nil
}

// checkPages walks over the headers of a column's pages in a row group: their sizes
// must fit the file, before anything is allocated after them.
func (t *Table) checkPages(group, column int) error {
	meta := t.file.Metadata().RowGroups[group].Columns[column].MetaData
	start := meta.DataPageOffset
	if meta.DictionaryPageOffset > 0 {
		start = min(start, meta.DictionaryPageOffset)
	}
	end := start + meta.TotalCompressedSize
	if start < 4 || meta.TotalCompressedSize < 0 || end > t.size || end < start {
		return fmt.Errorf("its pages are said to be at bytes %d to %d of %d", start, end, t.size)
	}
	for at := start; at < end; {
		header, length, err := t.pageHeader(at, end)
		if err != nil {
			return fmt.Errorf("read the header of the page at byte %d: %w", at, err)
		}
		packed, unpacked := int64(header.CompressedPageSize), int64(header.UncompressedPageSize)
		if packed < 0 || packed > end-at-length || unpacked < 0 || unpacked > mostPage {
			return fmt.Errorf("the page at byte %d is said to have %d bytes, %d uncompressed", at, packed, unpacked)
		}
		at += length + packed
	}
	return nil
}

// pageHeader decodes the header at an offset before end, and says how long it is.
// Nearly all fit the first window; statistics may make one longer.
func (t *Table) pageHeader(at, end int64) (header format.PageHeader, length int64, err error) {
	for _, window := range []int64{4 << 10, 256 << 10, 16 << 20} {
		data := make([]byte, min(window, end-at))
		if _, err := t.reader.ReadAt(data, at); err != nil {
			return header, 0, err
		}
		var protocol thrift.CompactProtocol
		r := protocol.NewReaderFromBytes(data)
		header = format.PageHeader{}
		if err = thrift.NewDecoder(r).Decode(&header); err == nil {
			return header, int64(r.BytesRead()), nil
		}
	}
	return header, 0, err
}

// firstValues calls found with the first value that a column has in each of the rows,
// if it has one. Rows are numbers within the row group, ascending; i is the position
// in rows. The value is valid during the call.
func (t *Table) firstValues(ctx context.Context, group, column int, rows []int64, found func(i int, value []byte)) (err error) {
	defer recovered(t.name, &err)
	if err := t.checkPages(group, column); err != nil {
		return err
	}
	pages := t.file.RowGroups()[group].ColumnChunks()[column].Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	row, next := int64(-1), 0
	buffer := make([]parquet.Value, 256)
	for next < len(rows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it ends before row %d", rows[next])
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for next < len(rows) {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				if v.RepetitionLevel() > 0 {
					continue
				}
				if row++; next < len(rows) && row == rows[next] {
					if !v.IsNull() {
						found(next, v.ByteArray())
					}
					next++
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				parquet.Release(page)
				return err
			}
			if n == 0 {
				parquet.Release(page)
				return errors.New("a page ends early")
			}
		}
		parquet.Release(page)
	}
	return nil
}
