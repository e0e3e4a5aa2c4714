package results

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"siglab/bench/compare"
	"siglab/bench/record"
	"siglab/bench/runlog"
)

// NoiseFloors reads the noise floors, by metric key, that the run in dir measured.
func NoiseFloors(dir string) (map[string]float64, error) {
	run, err := runlog.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("noise floor: %w", err)
	}
	c, err := compare.Analyse(run)
	if err != nil {
		return nil, fmt.Errorf("noise floor: %s: %w", dir, err)
	}
	floors, err := c.NoiseFloors()
	if err != nil {
		return nil, fmt.Errorf("noise floor: %s: %w", dir, err)
	}
	return floors, nil
}

// FindNoiseFloors looks among the run directories in parent, and in the sweeps there,
// for the newest run of a variant against itself under the same conditions, and returns
// its directory and its floors. It finds nothing rather than fail: directories that
// cannot be read or measure no floor are passed over.
func FindNoiseFloors(parent string, e record.Experiment, env record.Environment) (dir string, floors map[string]float64) {
	type candidate struct {
		dir      string
		manifest record.Manifest
	}
	var candidates []candidate
	for _, path := range runDirs(parent) {
		if m, err := runlog.ReadManifest(path); err == nil && m.Experiment.AA && sameConditions(m, e, env) {
			candidates = append(candidates, candidate{path, m})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return b.manifest.Started.Compare(a.manifest.Started) })
	for _, c := range candidates {
		if floors, err := NoiseFloors(c.dir); err == nil && len(floors) > 0 {
			return c.dir, floors
		}
	}
	return "", nil
}

// runDirs are the directories in parent, and those in the sweeps among them.
func runDirs(parent string) []string {
	var dirs []string
	entries, _ := os.ReadDir(parent) // no directory, no candidates
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		if dirs = append(dirs, path); IsSweep(path) {
			dirs = append(dirs, runDirs(path)...)
		}
	}
	return dirs
}

// sameConditions reports whether the noise of a recorded run is that of an
// experiment about to run: the same host, model, data and load, in blocks of the same
// length.
func sameConditions(m record.Manifest, e record.Experiment, env record.Environment) bool {
	was := m.Experiment
	return m.Environment.CPU == env.CPU && m.Environment.Cores == env.Cores && m.Environment.MemoryMB == env.MemoryMB &&
		was.Model == e.Model && was.ImageSize == e.ImageSize && was.Dataset == e.Dataset && was.Reencode == e.Reencode &&
		was.Load() == e.Load() && was.Burstiness == e.Burstiness && was.Schedule == e.Schedule && was.Backend == e.Backend &&
		was.NumPrompts == e.NumPrompts && was.MaxTokens == e.MaxTokens && was.Restart == e.Restart && was.Caches == e.Caches && was.ServerThreads == e.ServerThreads
}
