package main

import "siglab/bench/results"

type reportCmd struct {
	Dir string `arg:"" help:"Run directory, or that of a sweep."`

	outputFlags
}

// Run reads the run directory alone, so it works anywhere and at any time.
func (c *reportCmd) Run() error {
	if results.IsSweep(c.Dir) {
		return c.publishSweep(c.Dir)
	}
	return c.publish(c.Dir)
}
