// Package catalog opens data sets by name or path:
//
//   - builtin, or no name: the set in the binary
//   - random-mm, random-mm:256x256=0.5,1280x720=0.5: images of noise
//   - ORG/NAME, ORG/NAME@REVISION: a set of the hub with the schema of VisionArena-Chat
//   - a folder written by frozen.Write
//   - a folder with Parquet files (train-*.parquet, data/*.parquet) or one JSONL file
//   - a Parquet or JSONL file
//
// A path that exists wins over a name of the hub.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"siglab/bench/dataset"
	"siglab/bench/dataset/frozen"
	"siglab/bench/dataset/jsonrows"
	"siglab/bench/dataset/parquetrows"
	"siglab/bench/dataset/randommm"
	"siglab/internal/hub"
)

// Options say which rows are wanted.
type Options struct {
	Rows       int // usable ones; 0: all
	Seed       uint64
	MaxSkipped float64 // largest share of unusable rows: 0.05 is 5 %
	Encoding   dataset.Encoding
	MostBytes  int64       // of the images in memory; 0: dataset.DefaultMostBytes
	Hub        *hub.Client // nil: names of the hub are refused
}

// Known is a data set that has a name here.
type Known struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// KnownSets are the sets that are known to fit.
func KnownSets() []Known {
	return []Known{
		{dataset.Builtin, "16 photographs and 128 prompts in this binary"},
		{"lmarena-ai/VisionArena-Chat", "about 199000 conversations with images from a chat arena (hub; may ask for accepting its terms)"},
		{"lmarena-ai/vision-arena-bench-v0.1", "500 questions about images from a chat arena (hub)"},
		{randommm.Name, "images of noise in sizes with shares (made here; very unlike photographs)"},
	}
}

// Open opens a set and draws its rows.
func Open(ctx context.Context, name string, o Options) (*dataset.Set, error) {
	if o.MostBytes == 0 {
		o.MostBytes = dataset.DefaultMostBytes
	}
	if err := dataset.CheckShare(o.MaxSkipped); err != nil {
		return nil, fmt.Errorf("the bound of skipped rows is %v: %w", o.MaxSkipped, err)
	}
	base, buckets, _ := strings.Cut(name, ":")
	switch {
	case name == "" || name == dataset.Builtin:
		set, err := dataset.OpenBuiltin()
		return reencoded(set, o, err)
	case base == randommm.Name:
		return openRandom(ctx, name, buckets, o)
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir() && isFile(filepath.Join(name, frozen.File)):
		set, err := frozen.Open(name, name)
		return reencoded(set, o, err)
	case err == nil:
		return openLocal(ctx, name, info.IsDir(), o)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("data set %s: %w", name, err)
	}
	if !looksLocal(name) && hub.IsName(name) {
		return openHub(ctx, name, o)
	}
	return nil, fmt.Errorf("data set %q: there is no such file or folder, and it is not a name: names are %s, %s and ORG/NAME[@REVISION] on the hub", name, dataset.Builtin, randommm.Name)
}

// reencoded refuses an encoding of rows that are fixed.
func reencoded(set *dataset.Set, o Options, err error) (*dataset.Set, error) {
	if err == nil && o.Encoding != dataset.PassThrough {
		return nil, fmt.Errorf("data set %s: its images are fixed and are not re-encoded", set.Name())
	}
	return set, err
}

// looksLocal reports whether a missing path was meant as one.
func looksLocal(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return strings.HasPrefix(name, ".") || filepath.IsAbs(name) || ext == ".parquet" || ext == ".jsonl" || strings.Count(filepath.ToSlash(name), "/") > 1 && !strings.Contains(name, "@")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// randomRows is how many images of noise are made where all are wanted.
const randomRows = 100

func openRandom(ctx context.Context, name, buckets string, o Options) (*dataset.Set, error) {
	parsed, err := randommm.ParseBuckets(buckets)
	if err != nil {
		return nil, err
	}
	n := o.Rows
	if n == 0 {
		n = randomRows
	}
	return randommm.Make(ctx, name, n, o.Seed, parsed, o.MostBytes)
}

// table is a file of rows that must be closed.
type table interface {
	dataset.Table
	Close() error
}

// openTable opens a file by its ending.
func openTable(path, name string) (table, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".jsonl" || ext == ".ndjson" || ext == ".json" {
		return jsonrows.Open(path, name)
	}
	return parquetrows.Open(path, name)
}

// draw selects rows of tables and closes them.
func draw(ctx context.Context, tables []table, about dataset.About, o Options) (*dataset.Set, error) {
	open := make([]dataset.Table, len(tables))
	for i := range tables {
		open[i] = tables[i]
	}
	how := "all rows"
	if o.Rows > 0 {
		how = fmt.Sprintf("up to %d rows drawn at random, seed %d,", o.Rows, o.Seed)
	}
	about.Selection = fmt.Sprintf("%s %s; first user turn and first image; %s", how, about.Selection, o.Encoding)
	set, err := dataset.Select(ctx, open, dataset.Selection{
		About: about, Rows: o.Rows, Seed: o.Seed, MaxSkipped: o.MaxSkipped, MostBytes: o.MostBytes, Encoding: o.Encoding,
	})
	return set, errors.Join(err, closeAll(tables))
}

func closeAll(tables []table) error {
	var errs []error
	for _, t := range tables {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}
