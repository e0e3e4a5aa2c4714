package main

import (
	"time"

	"siglab/bench/results"
)

type reportCmd struct {
	Dir        string                   `arg:"" help:"Run directory, or that of a sweep."`
	Format     string                   `enum:"text,markdown,html,csv,json,benchstat" default:"text" help:"What is printed: text, markdown, html, csv, json, or benchstat (Go's benchmark format). The files of the run directory are written in any case."`
	KernelTime map[string]time.Duration `name:"kernel-time" placeholder:"NAME=TIME" help:"Time of resampling one image with a variant, as siglab resample bench measures it, where its server does not tell it (main=31us); one that does wins. It is kept in the run directory."`

	outputFlags
}

// Run reads the run directory alone, so it works anywhere and at any time.
func (c *reportCmd) Run() error {
	if c.JSON {
		c.Format = "json"
	}
	if results.IsSweep(c.Dir) {
		if c.Format != "text" && c.Format != "json" || len(c.KernelTime) > 0 {
			return usagef("report: %s holds a sweep, which is printed as text or JSON; its other forms lie in it", c.Dir)
		}
		c.JSON = c.Format == "json"
		return c.publishSweep(c.Dir)
	}
	if err := results.SetKernelTimes(c.Dir, c.KernelTime); err != nil {
		return usageError{err}
	}
	return c.publishAs(c.Format, c.Dir)
}
