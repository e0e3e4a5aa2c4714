package calibrate

import (
	"context"
	"time"

	"siglab/bench/launch"
)

// ServerCommand is the hidden command of the program that Start starts.
const ServerCommand = "truthserver"

// startTimeout is far above what a program takes to start.
const startTimeout = 30 * time.Second

// Start starts the truth server as a child process of the given program, its output
// in the file log, and returns its URL and how to end it.
func Start(ctx context.Context, program, log string) (url string, stop func(context.Context) error, err error) {
	p, url, err := launch.Start(ctx, launch.Spec{
		Name: ServerCommand, Argv: []string{program, ServerCommand, "--exit-with-stdin", "--port", "0"}, Log: log, Timeout: startTimeout,
	})
	if err != nil {
		return "", nil, err
	}
	return url, p.Stop, nil
}
