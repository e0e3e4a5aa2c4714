package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"siglab/bench/dataset"
)

// Names of the files of a train split, as the hub's own tools write them: train-00000-of-00010.parquet,
// train/0000.parquet, and what stands for the only split.
var (
	trainFile = regexp.MustCompile(`(^|/)train([-_.][^/]*)?\.parquet$|(^|/)([^/]*-)?train/[^/]+\.parquet$`)
	otherFile = regexp.MustCompile(`(^|/)(test|validation|valid|dev|val|eval)([-_./][^/]*)?\.parquet$|(^|/)(test|validation|valid|dev|val|eval)/`)
)

// trainFiles picks the Parquet files of the train split among paths (slash-separated):
// those that say so, or else all that do not say that they are of another split. They
// must be in one folder, or in data, default/train or the top one.
func trainFiles(paths []string) ([]string, error) {
	var train, rest []string
	for _, p := range paths {
		switch {
		case !strings.HasSuffix(strings.ToLower(p), ".parquet"):
		case trainFile.MatchString(p):
			train = append(train, p)
		case !otherFile.MatchString(p):
			rest = append(rest, p)
		}
	}
	if len(train) == 0 {
		train = rest
	}
	byFolder := map[string][]string{}
	for _, p := range train {
		byFolder[path.Dir(p)] = append(byFolder[path.Dir(p)], p)
	}
	for _, preferred := range []string{"data", "default/train", "default", "data/train", "train", "."} {
		if files := byFolder[preferred]; len(files) > 0 {
			byFolder = map[string][]string{preferred: files}
		}
	}
	var folders []string
	for folder := range byFolder {
		folders = append(folders, folder)
	}
	slices.Sort(folders)
	switch len(folders) {
	case 0:
		return nil, nil
	case 1:
		files := byFolder[folders[0]]
		slices.Sort(files)
		return files, nil
	default:
		return nil, fmt.Errorf("it has Parquet files in several folders (%s); name one of them on this machine", strings.Join(folders[:min(len(folders), 20)], ", "))
	}
}

// mostLocalFiles bounds the files that a folder is searched through for.
const mostLocalFiles = 200_000

// openLocal opens a file, or the files of a folder.
func openLocal(ctx context.Context, name string, folder bool, o Options) (set *dataset.Set, err error) {
	dir, files := filepath.Dir(name), []string{filepath.Base(name)}
	if folder {
		dir = name
		if files, err = localFiles(name); err != nil {
			return nil, fmt.Errorf("data set %s: %w", name, err)
		}
	}
	var tables []table
	for _, file := range files {
		t, err := openTable(filepath.Join(dir, filepath.FromSlash(file)), file)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("data set %s: %w", name, err), closeAll(tables))
		}
		tables = append(tables, t)
	}
	return draw(ctx, tables, dataset.About{Name: name, Selection: fmt.Sprintf("from %d files", len(files))}, o)
}

// localFiles are the files of rows in a folder.
func localFiles(dir string) ([]string, error) {
	var paths, lines []string
	err := filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && p != dir {
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(dir, p)
		if err != nil || entry.IsDir() {
			return err
		}
		if ext := strings.ToLower(filepath.Ext(p)); ext == ".jsonl" {
			lines = append(lines, relative)
		}
		if paths = append(paths, filepath.ToSlash(relative)); len(paths) > mostLocalFiles {
			return fmt.Errorf("it has more than %d files", mostLocalFiles)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	files, err := trainFiles(paths)
	switch {
	case err != nil || len(files) > 0:
		return files, err
	case len(lines) == 1:
		return lines, nil
	case len(lines) > 1:
		return nil, fmt.Errorf("it has %d JSONL files; name one of them", len(lines))
	case len(paths) == 0:
		return nil, errors.New("the folder is empty")
	default:
		return nil, errors.New("it has no Parquet file (train-*.parquet, data/*.parquet) and no JSONL file; name a file or a folder with one")
	}
}

// size is the number of bytes of a file, 0 if it is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
