package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"siglab/engine/generate"
	"siglab/engine/serve"
	"siglab/engine/vlm"
	"siglab/internal/version"
)

type serveCmd struct {
	languageFlags
	Model       string        `default:"random:tiny" help:"Directory of a published model, or a preset with seeded random weights (${default})."`
	ServedName  string        `name:"served-model-name" help:"Name that clients ask for (the model's)."`
	Host        string        `default:"127.0.0.1" help:"Address to listen on (${default}: this machine only). With SIGLAB_API_KEY in the environment, clients must send that key on the routes below /v1."`
	Port        int           `default:"8000" help:"Port to listen on, 0 for a free one (${default})."`
	Device      string        `default:"cpu" help:"Device (${default}; others come later)."`
	MaxModelLen int           `name:"max-model-len" default:"0" help:"Tokens of the longest sequence (the model's)."`
	MaxSeqs     int           `name:"max-num-seqs" default:"32" help:"Requests that run at once (${default})."`
	MaxTokens   int           `name:"max-num-batched-tokens" default:"0" help:"Positions that are computed between two tokens of an answer: one for each running answer, the rest for parts of prompts (512, or --max-num-seqs if that is more)."`
	MaxQueue    int           `name:"max-num-queued-reqs" default:"1024" help:"Requests that may wait, more get 429 (${default})."`
	QueueTokens int           `name:"max-num-queued-tokens" default:"262144" help:"Prompt tokens that may wait (${default})."`
	KVCache     float64       `name:"kv-cache-gb" default:"0" help:"Memory for keys and values in GiB; a request waits until what it may need is free (of all running requests at full length, but at most 4)."`
	Encoder     float64       `name:"encoder-cache-gb" default:"0" help:"Memory for the features of images that were seen, in GiB; 0 for none, so that every image is computed (${default})."`
	PrefixCache bool          `name:"enable-prefix-caching" help:"Keep the keys and values of ended requests, in what --kv-cache-gb leaves free, for prompts that begin as they did. Off by default, so that every prompt is computed."`
	ImageURLs   bool          `name:"allow-image-urls" help:"Fetch images of http and https URLs, from public addresses only."`
	Drain       time.Duration `name:"drain-timeout" default:"30s" help:"Longest wait for running requests at the end (${default})."`
	InjectDelay time.Duration `default:"0s" help:"Positive control: hold up every request by this much after its arrival stamp."`

	ExitWithStdin bool `hidden:"" help:"End when standard input is closed: the tie to a parent process."`
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
	const mb = 1e6
	weights, kv := server.Memory()
	fmt.Printf("siglab serve: weights %.1f MB, keys and values at most %.1f MB\n", float64(weights)/mb, float64(kv)/mb)
	fmt.Printf("siglab serve: %s, pos-embed %s, listening on http://%s\n", c.Model, c.PosEmbed, listener.Addr())
	return server.Run(ctx, listener)
}

// server opens the model; it refuses what it cannot serve before it listens.
func (c *serveCmd) server() (*serve.Server, error) {
	switch {
	case c.Device != "cpu":
		return nil, usagef("--device %s: this version computes on the cpu only", c.Device)
	case c.Port < 0 || c.Port > 65535:
		return nil, usagef("--port %d: it is 1 to 65535, or 0 for a free one", c.Port)
	case c.MaxModelLen < 0:
		return nil, usagef("--max-model-len %d: it is at least 1, or 0 for the model's", c.MaxModelLen)
	case c.Drain <= 0:
		return nil, usagef("--drain-timeout %v: it is more than 0", c.Drain)
	case c.InjectDelay < 0:
		return nil, usagef("--inject-delay %v: it is not negative", c.InjectDelay)
	}
	engine, err := c.engine()
	if err != nil {
		return nil, err
	}
	model, err := c.open(c.Model, vlm.Options{MaxModelLen: c.MaxModelLen})
	if err != nil {
		return nil, err
	}
	return serve.New(serve.Config{
		Model: model, ServedName: c.ServedName, Engine: engine, DrainTimeout: c.Drain, InjectDelay: c.InjectDelay,
		AllowImageURLs: c.ImageURLs, APIKey: os.Getenv("SIGLAB_API_KEY"),
		DebugSiglip: os.Getenv("VLLM_DEBUG_SIGLIP") == "1", Log: os.Stderr, Version: version.String(),
	})
}

// engine is how requests share the model.
func (c *serveCmd) engine() (generate.Config, error) {
	const most, mostGiB = 1 << 20, 1 << 12
	between := func(value, least, most int) bool { return value >= least && value <= most }
	switch {
	case !between(c.MaxSeqs, 1, 1024):
		return generate.Config{}, usagef("--max-num-seqs %d: it is 1 to 1024", c.MaxSeqs)
	case c.MaxTokens != 0 && !between(c.MaxTokens, c.MaxSeqs, most):
		return generate.Config{}, usagef("--max-num-batched-tokens %d: it is --max-num-seqs (%d) to %d, or 0", c.MaxTokens, c.MaxSeqs, most)
	case !between(c.MaxQueue, 1, most):
		return generate.Config{}, usagef("--max-num-queued-reqs %d: it is 1 to %d", c.MaxQueue, most)
	case !between(c.QueueTokens, 1, 1<<30):
		return generate.Config{}, usagef("--max-num-queued-tokens %d: it is 1 to %d", c.QueueTokens, 1<<30)
	case !(c.KVCache >= 0 && c.KVCache <= mostGiB):
		return generate.Config{}, usagef("--kv-cache-gb %v: it is 0 to %d", c.KVCache, mostGiB)
	case !(c.Encoder >= 0 && c.Encoder <= mostGiB):
		return generate.Config{}, usagef("--encoder-cache-gb %v: it is 0 to %d", c.Encoder, mostGiB)
	}
	return generate.Config{
		MaxSeqs: c.MaxSeqs, MaxBatchedTokens: c.MaxTokens, MaxQueue: c.MaxQueue, MaxQueuedTokens: c.QueueTokens,
		KVBytes: int64(c.KVCache * (1 << 30)), EncoderCache: int64(c.Encoder * (1 << 30)), PrefixCache: c.PrefixCache,
	}, nil
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
