package catalog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"siglab/bench/dataset"
	"siglab/internal/hub"
)

// poolFactor is how many rows a set of the hub is drawn from, for each wanted one: only
// as many of its files are fetched.
const poolFactor = 4

// streamFiles is the stream of the seed that orders the files of a set.
const streamFiles = 0x66696c65

// openHub draws from files of a set of the hub. The files are taken in an order drawn
// from the seed until they hold several times the wanted rows, which is how vLLM's
// streaming shuffles, too: files first, then rows.
func openHub(ctx context.Context, name string, o Options) (*dataset.Set, error) {
	p, err := fetch(ctx, name, o)
	if err != nil {
		return nil, err
	}
	about := dataset.About{
		Name: p.snapshot.Repo + "@" + p.snapshot.Commit, Revision: p.snapshot.Commit,
		Selection: fmt.Sprintf("from %d of %d files, these in an order drawn from the seed", len(p.files), p.all),
	}
	return draw(ctx, p.tables, about, o)
}

// pool is the fetched part of a set of the hub.
type pool struct {
	snapshot hub.Snapshot
	files    []hub.File
	all      int // files of the train split
	tables   []table
}

// Pulled says what a pull fetched or found in the cache.
type Pulled struct {
	Name     string   `json:"name"`
	Revision string   `json:"revision"`
	Files    []string `json:"files"`     // places in the cache
	AllFiles int      `json:"all_files"` // of the train split
	Rows     int64    `json:"rows"`      // in the fetched files
	Bytes    int64    `json:"bytes"`
}

// Pull fetches the files that Open would draw from.
func Pull(ctx context.Context, name string, o Options) (Pulled, error) {
	if !hub.IsName(name) {
		return Pulled{}, fmt.Errorf("data set %q is not on the hub: only ORG/NAME[@REVISION] is pulled", name)
	}
	p, err := fetch(ctx, name, o)
	if err != nil {
		return Pulled{}, err
	}
	pulled := Pulled{Name: p.snapshot.Repo, Revision: p.snapshot.Commit, AllFiles: p.all}
	for i, file := range p.files {
		path, _ := o.Hub.Cached(p.snapshot, file)
		pulled.Files = append(pulled.Files, path)
		pulled.Rows += p.tables[i].Len()
		pulled.Bytes += size(path)
	}
	return pulled, closeAll(p.tables)
}

// parquetRevision is where the hub keeps sets of other formats as Parquet files.
const parquetRevision = "refs/convert/parquet"

// fetch fetches files until they hold enough rows, or all with no number of rows.
func fetch(ctx context.Context, name string, o Options) (pool, error) {
	if o.Hub == nil {
		return pool{}, fmt.Errorf("data set %s: there is no access to the hub here", name)
	}
	repo, revision, err := hub.ParseName(name)
	if err != nil {
		return pool{}, err
	}
	p, files, err := resolve(ctx, o.Hub, repo, revision)
	if err != nil {
		return p, err
	}
	if o.Rows > 0 {
		rng := rand.New(rand.NewPCG(o.Seed, streamFiles))
		rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	}
	var rows int64
	for _, file := range files {
		if o.Rows > 0 && rows >= poolFactor*int64(o.Rows) {
			break
		}
		path, err := o.Hub.Fetch(ctx, p.snapshot, file)
		if err != nil {
			return p, errors.Join(err, closeAll(p.tables))
		}
		t, err := openTable(path, file.Path)
		if err != nil {
			return p, errors.Join(fmt.Errorf("data set %s, commit %s: %w", repo, p.snapshot.Commit, err), closeAll(p.tables))
		}
		p.files, p.tables = append(p.files, file), append(p.tables, t)
		rows += t.Len()
	}
	return p, nil
}

// resolve finds the commit and the files of the train split: the repository's own
// Parquet files, or else those that the hub made of it.
func resolve(ctx context.Context, client *hub.Client, repo, revision string) (pool, []hub.File, error) {
	for _, r := range []string{revision, parquetRevision} {
		s, err := client.Resolve(ctx, repo, r)
		if err != nil {
			return pool{}, nil, err
		}
		byPath := map[string]hub.File{}
		var paths []string
		for _, file := range s.Files {
			byPath[file.Path] = file
			paths = append(paths, file.Path)
		}
		names, err := trainFiles(paths)
		if err != nil {
			return pool{}, nil, fmt.Errorf("data set %s, commit %s: %w", repo, s.Commit, err)
		}
		var files []hub.File
		for _, n := range names {
			files = append(files, byPath[n])
		}
		if len(files) > 0 {
			return pool{snapshot: s, all: len(files)}, files, nil
		}
		if revision != "main" {
			break // the converted files are of main, not of this revision
		}
	}
	return pool{}, nil, fmt.Errorf("data set %s, revision %s: it has no Parquet files of a train split", repo, revision)
}
