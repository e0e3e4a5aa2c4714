package main

type reportCmd struct {
	Dir string `arg:"" help:"Run directory."`

	outputFlags
}

// Run reads the run directory alone, so it works anywhere and at any time.
func (c *reportCmd) Run() error { return c.publish(c.Dir) }
