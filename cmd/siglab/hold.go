package main

import (
	"context"
	"os"
	"time"

	"siglab/bench/launch"
)

// holdCommand is its name on the command line.
const holdCommand = "hold"

// holdCmd runs a program that knows nothing of this one, so that it ends when its
// parent does.
type holdCmd struct {
	Grace time.Duration `default:"10s" help:"Longest wait after each signal (${default})."`
	Argv  []string      `arg:"" passthrough:"" help:"The program and its arguments."`
}

// Run holds the program until it ends, or standard input does. How it ended is told on
// standard output, not by an error, whose message would join the program's log.
func (c *holdCmd) Run(ctx context.Context) error {
	argv := c.Argv
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	_ = launch.Hold(ctx, argv, os.Stdin, os.Stdout, os.Stderr, c.Grace)
	return nil
}
