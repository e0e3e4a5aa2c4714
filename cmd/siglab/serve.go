package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"siglab/engine/serve"
	"siglab/engine/vlm"
	"siglab/internal/version"
	"siglab/posembed"
)

type serveCmd struct {
	Model         string        `default:"random:tiny" help:"Preset with seeded random weights (${default})."`
	ServedName    string        `name:"served-model-name" help:"Name that clients ask for (the model's)."`
	Host          string        `default:"127.0.0.1" help:"Address to listen on (${default}: this machine only)."`
	Port          int           `default:"8000" help:"Port to listen on, 0 for a free one (${default})."`
	PosEmbed      string        `name:"pos-embed" default:"exact" help:"How the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias (${default})."`
	Device        string        `default:"cpu" help:"Device (${default}; others come later)."`
	Threads       int           `default:"0" help:"Compute threads (all cores)."`
	Seed          uint64        `default:"0" help:"Seed of the random weights (${default})."`
	MaxBatch      int           `name:"max-num-seqs" default:"32" help:"Requests that share decode steps (${default})."`
	DrainTimeout  time.Duration `default:"30s" help:"Longest wait for running requests at the end (${default})."`
	InjectDelay   time.Duration `default:"0s" help:"Positive control: hold up every request by this much after its arrival stamp."`
	ExitWithStdin bool          `hidden:"" help:"End when standard input is closed: the tie to a parent process."`
}

// Run serves until it is interrupted, then drains.
func (c *serveCmd) Run(ctx context.Context) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("listen: %w; is the port taken? name another with --port, or see `siglab doctor --port %d`", err, c.Port)
	}
	if c.ExitWithStdin {
		ctx = untilEOF(ctx, os.Stdin)
	}
	fmt.Printf("siglab serve: %s (random weights: the answers are noise, the work is real), pos-embed %s, listening on http://%s\n", c.Model, c.PosEmbed, listener.Addr())
	return server.Run(ctx, listener)
}

// server opens the model; it refuses what it cannot serve before it listens.
func (c *serveCmd) server() (*serve.Server, error) {
	mode, err := posembed.ParseMode(c.PosEmbed)
	if err != nil {
		return nil, usagef("--pos-embed: %w", err)
	}
	switch {
	case c.Device != "cpu":
		return nil, usagef("--device %s: this version computes on the cpu only", c.Device)
	case c.Port < 0 || c.Port > 65535:
		return nil, usagef("--port %d: it is 1 to 65535, or 0 for a free one", c.Port)
	case c.Threads < 0 || c.Threads > 1024:
		return nil, usagef("--threads %d: it is 1 to 1024, or 0 for all cores", c.Threads)
	case c.MaxBatch < 1 || c.MaxBatch > 1024:
		return nil, usagef("--max-num-seqs %d: it is 1 to 1024", c.MaxBatch)
	case c.InjectDelay < 0:
		return nil, usagef("--inject-delay %v: it is not negative", c.InjectDelay)
	}
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	if err := vlm.CheckName(c.Model); err != nil {
		return nil, usagef("--model: %w", err)
	}
	model, err := vlm.Open(c.Model, vlm.Options{PosEmbed: mode, Threads: c.Threads, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	return serve.New(serve.Config{
		Model: model, ServedName: c.ServedName, MaxBatch: c.MaxBatch, DrainTimeout: c.DrainTimeout, InjectDelay: c.InjectDelay,
		DebugSiglip: os.Getenv("VLLM_DEBUG_SIGLIP") == "1", Log: os.Stderr, Version: version.String(),
	})
}

// untilEOF ends the context when r is at its end: with a pipe that only the
// parent holds, that is when the parent closes it or dies.
func untilEOF(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r) // an error is an end as well
		cancel()
	}()
	return ctx
}
