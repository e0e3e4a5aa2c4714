package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
	"siglab/bench/runlog"
	"siglab/bench/sidebyside"
)

// isRunDir reports whether a path is a run directory, or one variant of it: DIR#NAME.
func isRunDir(path string) bool {
	dir, _ := splitVariant(path)
	_, err := os.Stat(filepath.Join(dir, "manifest.json"))
	return err == nil
}

// splitVariant takes DIR#NAME apart; a path that exists as it stands is a directory.
func splitVariant(path string) (dir, variant string) {
	if _, err := os.Stat(path); err == nil {
		return path, ""
	}
	dir, variant, _ = strings.Cut(path, "#")
	return dir, variant
}

// pairVariants compares each variant that the directories of both sides share, or the
// two that were named. The blocks are the runs.
func pairVariants(sides [2][]string) ([]armPair, error) {
	var blocks [2]map[string][]peerfiles.Result
	for i, paths := range sides {
		blocks[i] = map[string][]peerfiles.Result{}
		for _, path := range paths {
			found, err := readBlocks(path)
			if err != nil {
				return nil, fmt.Errorf("compare: %w", err)
			}
			for name, results := range found {
				blocks[i][name] = append(blocks[i][name], results...)
			}
		}
	}
	namesA, namesB := slices.Sorted(maps.Keys(blocks[0])), slices.Sorted(maps.Keys(blocks[1]))
	var pairs []armPair
	for _, name := range namesA {
		if slices.Contains(namesB, name) {
			pairs = append(pairs, armPair{name, blocks[0][name], blocks[1][name]})
		}
	}
	switch {
	case len(pairs) > 0:
		return pairs, nil
	case len(namesA) == 1 && len(namesB) == 1:
		return []armPair{{namesB[0], blocks[0][namesA[0]], blocks[1][namesB[0]]}}, nil
	}
	return nil, usagef("compare: the run directories share no variant (%s; %s); name two: DIR#NAME", strings.Join(namesA, ", "), strings.Join(namesB, ", "))
}

// readBlocks analyses a run directory and returns its blocks by variant, only those
// of the variant that the path names if it names one.
func readBlocks(path string) (map[string][]peerfiles.Result, error) {
	dir, variant := splitVariant(path)
	run, err := runlog.Read(dir)
	if err != nil {
		return nil, err
	}
	comparison, err := compare.Analyse(run)
	if err != nil {
		return nil, fmt.Errorf("analyse %s: %w", dir, err)
	}
	blocks := sidebyside.Blocks(dir, comparison)
	switch {
	case len(blocks) == 0:
		return nil, fmt.Errorf("%s has no complete block; `siglab report %s` says why", dir, dir)
	case variant == "":
		return blocks, nil
	case len(blocks[variant]) == 0:
		return nil, fmt.Errorf("%s has no variant %q with a block; it has %s", dir, variant, strings.Join(slices.Sorted(maps.Keys(blocks)), ", "))
	}
	return map[string][]peerfiles.Result{variant: blocks[variant]}, nil
}
