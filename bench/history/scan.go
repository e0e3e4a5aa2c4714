package history

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/runlog"
)

// deepest is how far below a directory runs are looked for: sweeps have them one
// further down.
const deepest = 3

// Scan analyses the run directories in dir and below, dir itself among them. One that
// cannot be read is told and passed over.
func Scan(dir string) (runs []Run, problems []error, err error) {
	root := filepath.Clean(dir)
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return nil, nil, fmt.Errorf("%s is no directory of runs, and no SQLite file of them", dir)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			problems = append(problems, err)
			return fs.SkipDir
		}
		if !entry.IsDir() {
			return nil
		}
		below, _ := filepath.Rel(root, path) // path lies in root
		if path != root && (strings.HasPrefix(entry.Name(), ".") || strings.Count(filepath.ToSlash(below), "/") >= deepest) {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, runlog.ManifestFile)); err != nil {
			return nil
		}
		run, err := read(path)
		if err != nil {
			problems = append(problems, err)
		} else {
			runs = append(runs, run)
		}
		return fs.SkipDir // runs do not hold runs
	})
	return Select(runs, Filter{}), problems, err
}

// read analyses one run directory.
func read(dir string) (Run, error) {
	recorded, err := runlog.Read(dir)
	if err != nil {
		return Run{}, err
	}
	c, err := compare.Analyse(recorded)
	if err != nil {
		return Run{}, fmt.Errorf("%s: %w", dir, err)
	}
	return Of(dir, c), nil
}
