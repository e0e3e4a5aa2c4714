package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"siglab/posembed"
	"siglab/posembed/posembedcuda"
)

// resampleCmd are the uses of the resampler by itself; every one has its file.
type resampleCmd struct {
	Apply    resampleApplyCmd    `cmd:"" help:"Resample one position table to another grid."`
	Accuracy resampleAccuracyCmd `cmd:"" help:"Tell how far the conventions are apart on a table."`
	Bench    resampleBenchCmd    `cmd:"" help:"Time the implementations against the memory traffic."`
}

// parseGrids reads the grids of a list flag.
func parseGrids(flag string, texts []string) ([]posembed.Grid, error) {
	var grids []posembed.Grid
	for _, text := range texts {
		g, err := posembed.ParseGrid(strings.TrimSpace(text))
		if err != nil {
			return nil, usagef("%s: %w", flag, err)
		}
		grids = append(grids, g)
	}
	return grids, nil
}

// parseConventions reads the names of a list flag; "all" and none are all of them.
func parseConventions(names []string) ([]posembed.Convention, error) {
	if len(names) == 0 || len(names) == 1 && names[0] == "all" {
		return posembed.Conventions(), nil
	}
	var conventions []posembed.Convention
	for _, name := range names {
		c, err := posembed.ParseConvention(strings.TrimSpace(name))
		if err != nil {
			return nil, usagef("--convention: %w", err)
		}
		conventions = append(conventions, c)
	}
	return conventions, nil
}

// checkDevice refuses what no command can compute on.
func checkDevice(name string) error {
	if name != "cpu" && name != "cuda" {
		return usagef("--device %q: want cpu or cuda", name)
	}
	return nil
}

// openGPU takes the first GPU into use. Compiled kernels are kept in the user's cache
// folder, if there is one.
func openGPU() (*posembedcuda.GPU, error) {
	folder, err := os.UserCacheDir()
	if err == nil {
		folder = filepath.Join(folder, "siglab", "kernels")
	}
	gpu, err := posembedcuda.Open(0, folder)
	if err != nil {
		return nil, fmt.Errorf("--device cuda: %w (--device cpu computes here)", err)
	}
	return gpu, nil
}
