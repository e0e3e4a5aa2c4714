// Command siglab says whether a change makes a vision-language model server
// faster, by how much, and whether that can be trusted.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line; every command has its file.
type cli struct {
	Bench       benchCmd       `cmd:"" help:"Compare variants of a server in paired blocks under the same load."`
	Sweep       sweepCmd       `cmd:"" help:"Run an experiment at several resolutions, rates, or values of any key, and put the results side by side."`
	Report      reportCmd      `cmd:"" help:"Make the report of a run directory again."`
	Runs        runsCmd        `cmd:"" help:"Past runs: list, compare, follow over time, import into a SQLite file."`
	Compare     compareCmd     `cmd:"" help:"Compare results of any load client, or two run directories; repeats give an interval."`
	Serve       serveCmd       `cmd:"" help:"Serve a vision-language model with the OpenAI chat protocol."`
	Generate    generateCmd    `cmd:"" help:"Answer one prompt."`
	Embed       embedCmd       `cmd:"" help:"Write a vision tower's features of an image, and how well texts go with it."`
	Inspect     inspectCmd     `cmd:"" help:"Tell which vision tower a model has and whether it interpolates its position table."`
	Resample    resampleCmd    `cmd:"" help:"Resample position tables: apply, accuracy, bench."`
	Dataset     datasetCmd     `cmd:"" help:"Data sets: list, pull, show, freeze."`
	Calibrate   calibrateCmd   `cmd:"" help:"Measure the load client's own error against a server of known truth."`
	Truthserver truthServerCmd `cmd:"" hidden:"" help:"The server of known truth, by itself."`
	Hold        holdCmd        `cmd:"" hidden:"" help:"Run a program that ends with its parent."`
	Doctor      doctorCmd      `cmd:"" help:"Check what this machine has and what it lacks."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

func main() { os.Exit(interruptible(os.Args[1:])) }

// interruptible executes a command line whose context the first signal to end ends; a
// second one ends the process, for those who cannot wait for an orderly end.
func interruptible(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, args)
}

// flagDefaults are the defaults that flags name.
var flagDefaults = kong.Vars{"serve_command": defaultServe}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	parser := kong.Must(&cli{}, kong.Name("siglab"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("Does this change make a vision-language model server faster, by how much, and can you trust that?"),
		kong.Configuration(readConfig), flagDefaults,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	command, err := parser.Parse(args)
	if err == nil {
		err = command.Run()
	} else {
		err = usageError{err}
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(os.Stderr, "siglab:", err)
	return exitCode(err)
}
