package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"siglab/internal/resamplebench"
	"siglab/posembed"
)

type resampleBenchCmd struct {
	From       string   `default:"32x32" help:"Grid of the table, ROWSxCOLS (${default})."`
	To         []string `sep:"," default:"24x24,36x36,64x64" help:"Grids of the results (${default})."`
	Dim        int      `default:"1152" help:"Channels (${default})."`
	DType      string   `name:"dtype" default:"f32" help:"Type of table and result: f32, bf16 or f16 (${default})."`
	Threads    int      `default:"1" help:"Goroutines that share a result (${default})."`
	Convention []string `sep:"," default:"bicubic,bilinear-align-corners" help:"Conventions, or all (${default})."`
	Device     string   `default:"cpu" help:"cpu or cuda (${default})."`
	Against    string   `enum:",torch" default:"" help:"Also time another library: torch."`
	Python     string   `default:"python3" help:"Python that has torch (${default})."`
	Seed       uint64   `default:"0" help:"Seed of the table (${default})."`
	JSON       bool     `name:"json" help:"Print the rows as JSON."`
}

// torchTimeout bounds how long torch may compile and run.
const torchTimeout = 20 * time.Minute

// Run times everything on one device. What was timed is printed even if torch fails.
func (c *resampleBenchCmd) Run(ctx context.Context) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	progress := func(what string) { fmt.Fprintln(os.Stderr, "siglab: timing", what) }
	rows, err := c.time(ctx, config, progress)
	if err != nil {
		return fmt.Errorf("resample bench: %w", err)
	}
	var torch resamplebench.Torch
	var torchErr error
	if c.Against == "torch" {
		progress("torch with " + c.Python)
		ctx, cancel := context.WithTimeout(ctx, torchTimeout)
		defer cancel()
		if torch, torchErr = resamplebench.RunTorch(ctx, c.Python, config, c.Device, rows); torchErr != nil {
			torchErr = fmt.Errorf("resample bench: %w", torchErr)
		}
		rows = append(rows, torch.Rows...)
	}
	return errors.Join(c.print(rows, torch), torchErr)
}

// print writes the rows, and on standard error what could not be timed.
func (c *resampleBenchCmd) print(rows []resamplebench.Row, torch resamplebench.Torch) error {
	for _, failed := range torch.Failed {
		fmt.Fprintln(os.Stderr, "siglab: not timed:", failed)
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"rows": rows, "torch": torch.Version})
	}
	return writeBench(os.Stdout, rows, torch.Version)
}

// time measures our implementations on the device.
func (c *resampleBenchCmd) time(ctx context.Context, config resamplebench.Config, progress func(string)) (rows []resamplebench.Row, err error) {
	if c.Device == "cpu" {
		return resamplebench.Run(ctx, config, progress)
	}
	gpu, err := openGPU()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, gpu.Close()) }()
	return resamplebench.RunCUDA(ctx, gpu, config, progress)
}

// config checks the flags.
func (c *resampleBenchCmd) config() (resamplebench.Config, error) {
	config := resamplebench.Config{Dim: c.Dim, DType: c.DType, Threads: c.Threads, Seed: c.Seed}
	from, err := posembed.ParseGrid(c.From)
	if err != nil {
		return config, usagef("--from: %w", err)
	}
	config.From = from
	if config.To, err = parseGrids("--to", c.To); err != nil {
		return config, err
	}
	if config.Conventions, err = parseConventions(c.Convention); err != nil {
		return config, err
	}
	if err := checkDevice(c.Device); err != nil {
		return config, err
	}
	switch {
	case c.Dim < 1:
		return config, usagef("--dim %d: want at least 1", c.Dim)
	case c.Threads < 1:
		return config, usagef("--threads %d: want at least 1", c.Threads)
	case !slices.Contains(resamplebench.DTypes(), c.DType):
		return config, usagef("--dtype %q: want one of %s", c.DType, strings.Join(resamplebench.DTypes(), ", "))
	}
	return config, nil
}

// writeBench writes the rows in the order of grids and conventions, torch's behind
// ours.
func writeBench(w io.Writer, rows []resamplebench.Row, torch string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "to\tconvention\timplementation\tdevice\tdtype\tthreads\ttime/µs\t× floor\t× copy\tmax abs err")
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%d\t%.1f\t%.2f\t%.2f\t%.2g\n", r.To, r.Convention, r.Implementation, r.Device, r.DType, r.Threads,
			r.NS/1000, r.NS/r.FloorNS, r.NS/r.CopyNS, r.MaxAbsErr)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if rows[0].Device == "cpu" {
		fmt.Fprintln(w, "\nfloor: a copy that moves the bytes of table and result once (half read, half written); copy: of the result. Both were")
		fmt.Fprintln(w, "measured in the same rounds.")
	} else {
		fmt.Fprintln(w, "\nfloor: the bytes of table and result at the rate of a large copy, measured in this run; copy: of the result. Times are")
		fmt.Fprintln(w, "the device's, in a CUDA graph, but for torch's rows without \"graph\", which are the caller's.")
	}
	fmt.Fprintf(w, "%s. Errors are against sums in float64.\n", floors(rows))
	if torch != "" {
		fmt.Fprintln(w, "torch", torch)
	}
	return nil
}

// floors lists the floors by grid.
func floors(rows []resamplebench.Row) string {
	var parts []string
	seen := map[string]bool{}
	for _, r := range rows {
		if !seen[r.To] && r.FloorNS > 0 {
			seen[r.To] = true
			parts = append(parts, fmt.Sprintf("%s: floor %.1f µs, copy %.1f µs", r.To, r.FloorNS/1000, r.CopyNS/1000))
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "none")
}
