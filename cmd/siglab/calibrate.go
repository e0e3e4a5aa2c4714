package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"siglab/bench/calibrate"
	"siglab/bench/truthserver"
)

type calibrateCmd struct {
	Streams  []int         `sep:"," help:"Streams at once, one cell each (1,10,50,100,200)."`
	Bodies   []int         `sep:"," help:"Bytes of a request, one cell each (65536,524288)."`
	Rates    []float64     `sep:"," name:"request-rates" help:"Rates of Poisson arrivals per second, one cell each (10,200,1000)."`
	Arrivals int           `help:"Requests at each rate (what fits into the cell's time)."`
	CellTime time.Duration `default:"1.5s" help:"About how long a cell takes (${default})."`
	TTFT     time.Duration `name:"ttft" default:"50ms" help:"The server's time to the first token (${default})."`
	ITL      time.Duration `name:"itl" default:"10ms" help:"The server's time between tokens (${default})."`
	Tokens   int           `default:"32" help:"Tokens of an answer (${default})."`
	Jitter   float64       `default:"0.2" help:"Share by which the server's times vary (${default})."`
	Only     bool          `help:"Only the cells named by --streams, --bodies and --request-rates."`
	Seed     uint64        `default:"0" help:"Seed of the arrivals and the jitter (${default})."`
	Out      string        `placeholder:"FILE" help:"Also write the result as JSON to a file."`
	JSON     bool          `name:"json" help:"Print the result as JSON."`
}

// stopTimeout bounds the end of the server.
const stopTimeout = 10 * time.Second

// Run measures the client against a server of known truth in a process of its own.
func (c *calibrateCmd) Run(ctx context.Context) error {
	config := c.config()
	if err := config.Check(); err != nil {
		return usagef("calibrate: %w", err)
	}
	result, err := runCalibration(ctx, config)
	if err != nil {
		return err
	}
	return c.publish(result)
}

// runCalibration measures against a server of known truth that lives as long as that
// takes.
func runCalibration(ctx context.Context, config calibrate.Config) (result calibrate.Result, err error) {
	exe, err := os.Executable()
	if err != nil {
		return result, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "siglab-calibrate-")
	if err != nil {
		return result, fmt.Errorf("calibrate: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	url, stop, err := calibrate.Start(ctx, exe, filepath.Join(dir, "server.log"))
	if err != nil {
		return result, fmt.Errorf("calibrate: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, stop(ctx))
	}()
	return calibrate.Run(ctx, url, config, func(what string) { fmt.Fprintln(os.Stderr, "siglab: calibrating:", what) })
}

// config is the default sweep with what the flags change.
func (c *calibrateCmd) config() calibrate.Config {
	config := calibrate.Default()
	if c.Only {
		config = calibrate.Config{}
	}
	if len(c.Streams) > 0 {
		config.Streams = c.Streams
	}
	if len(c.Bodies) > 0 {
		config.Bodies = c.Bodies
	}
	if len(c.Rates) > 0 {
		config.Rates = c.Rates
	}
	config.Arrivals, config.CellTime, config.Seed = c.Arrivals, c.CellTime, c.Seed
	config.Script = truthserver.Script{TTFT: c.TTFT, ITL: c.ITL, Tokens: c.Tokens, Jitter: c.Jitter, Seed: c.Seed}
	return config
}

func (c *calibrateCmd) publish(result calibrate.Result) error {
	encoded, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	encoded = append(encoded, '\n')
	if c.Out != "" {
		if err := os.WriteFile(c.Out, encoded, 0o644); err != nil {
			return fmt.Errorf("calibrate: --out: %w", err)
		}
	}
	if c.JSON {
		_, err = os.Stdout.Write(encoded)
	} else {
		err = writeCalibration(os.Stdout, result)
	}
	if err == nil && result.MismatchCount > 0 {
		err = fmt.Errorf("calibrate: client and server disagree about %d requests; see mismatches with --json", result.MismatchCount)
	}
	return err
}

// writeCalibration prints the tables.
func writeCalibration(w io.Writer, r calibrate.Result) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "client minus truth (ms)\tbody\trequests\tfailed\tTTFT p50\tp99\t|ITL| p50\tp99\tITL mean\tlag p50\tp99\tclient cores")
	for _, cells := range [][]calibrate.Cell{r.Streams, r.Bodies, r.Forms} {
		for _, c := range cells {
			name := strconv.Itoa(c.N) + " streams"
			if c.Name != "" {
				name += ", " + c.Name
			}
			fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%+.3f %%\t%.3f\t%.3f\t%.2f\n", name, c.BodyBytes, c.Requests, c.Failed,
				c.TTFT.P50, c.TTFT.P99, c.ITL.P50, c.ITL.P99, c.ITLMeanPct, c.Lag.P50, c.Lag.P99, c.CPU)
		}
	}
	if len(r.Arrivals) > 0 {
		fmt.Fprintln(tw, "\narrivals (Poisson)\trequests\tfailed\tsend lag p50\tp99\trate\tlag-1\tgap KS p\tuniform KS p\tclient cores")
		for _, a := range r.Arrivals {
			fmt.Fprintf(tw, "%g/s\t%d\t%d\t%.3f\t%.3f\t%.2f\t%s\t%s\t%s\t%.2f\n", a.QPS, a.Requests, a.Failed, a.SendLag.P50, a.SendLag.P99, a.Sent.Rate,
				number(a.Sent.Lag1), number(a.Sent.GapP), number(a.Sent.UniformP), a.CPU)
		}
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(tw, "\nfault\trequests\tcounted as")
		for _, f := range r.Faults {
			seen := f.SeenAs
			if seen == "" {
				seen = "no failure"
			}
			fmt.Fprintf(tw, "%s\t%d\t%s\n", f.Fault, f.Requests, seen)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nClock: %s. TTFT: the client's from Sent, less the server's from the request's last byte to its write. Lag: from the\nserver's write to the client's stamp. Mismatches in tokens, outcomes and finish reasons: %d.\n", r.Clock, r.MismatchCount)
	return err
}

func number(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *x)
}

// truthServerCmd is the server that calibrate starts. It may also be started by
// hand, to measure other clients: they get answers as the flags say.
type truthServerCmd struct {
	Host          string        `default:"127.0.0.1" help:"Address to listen on (${default})."`
	Port          int           `default:"0" help:"Port to listen on (a free one)."`
	TTFT          time.Duration `name:"ttft" default:"50ms" help:"Time to the first token (${default})."`
	ITL           time.Duration `name:"itl" default:"10ms" help:"Time between tokens (${default})."`
	Tokens        int           `default:"32" help:"Tokens of an answer, unless the request says (${default})."`
	Jitter        float64       `default:"0" help:"Share by which the times vary (${default})."`
	PerEvent      int           `default:"1" help:"Tokens of an event (${default})."`
	RoleLead      time.Duration `default:"0s" help:"How long before the first token the role event goes (with it)."`
	ExitWithStdin bool          `hidden:"" help:"End when standard input is closed: the tie to a parent process."`
}

// Run serves until it is interrupted.
func (c *truthServerCmd) Run(ctx context.Context) error {
	script := truthserver.Script{TTFT: c.TTFT, ITL: c.ITL, Tokens: c.Tokens, Jitter: c.Jitter, PerEvent: c.PerEvent}
	if c.RoleLead > 0 {
		script.Role, script.RoleLead = truthserver.RoleEarly, c.RoleLead
	}
	server, err := truthserver.New(script)
	if err != nil {
		return usageError{err}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if c.ExitWithStdin {
		ctx = untilEOF(ctx, os.Stdin)
	}
	fmt.Printf("siglab truthserver: log at %s, listening on http://%s\n", truthserver.LogPath, listener.Addr())
	return server.Serve(ctx, listener)
}
