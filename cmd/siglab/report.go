package main

type reportCmd struct {
	Dir  string `arg:"" help:"Run directory."`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

// Run reads the run directory alone, so it works anywhere and at any time.
func (c *reportCmd) Run() error { return publish(c.Dir, c.JSON) }
