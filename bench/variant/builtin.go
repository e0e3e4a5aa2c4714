// Package variant holds the kinds of things that can be put under test and how each
// is started: the embedded server of this binary, a server by command, or one that runs
// already.
package variant

import (
	"context"
	"errors"
	"strconv"
	"time"

	"siglab/bench/launch"
)

// Builtin is this program's own `serve` as a child process, a fresh one at every
// Start. It is for one goroutine.
type Builtin struct {
	Name    string
	Program string // path of the siglab binary
	Model   string
	// ServedName is what requests ask for; "": the model's name.
	ServedName string
	PosEmbed   string
	ImageSize  string // "": the model's
	Threads    int
	Caches     bool // of features of images and of prefixes of prompts
	Seed       uint64
	Port       int           // 0: a free one
	Delay      time.Duration // injected after the arrival stamp; a positive control
	Log        string

	process *launch.Process
}

// startTimeout is far above what a preset needs (well under a second).
const startTimeout = 60 * time.Second

// Argv is the command line of the child.
func (b *Builtin) Argv() []string {
	argv := []string{
		b.Program, "serve", "--exit-with-stdin", "--host", "127.0.0.1", "--port", strconv.Itoa(b.Port),
		"--model", b.Model, "--pos-embed", b.PosEmbed, "--threads", strconv.Itoa(b.Threads),
		"--seed", strconv.FormatUint(b.Seed, 10),
	}
	if b.ImageSize != "" {
		argv = append(argv, "--image-size", b.ImageSize)
	}
	if b.Caches {
		argv = append(argv, "--encoder-cache-gb", "1", "--enable-prefix-caching")
	}
	if b.ServedName != "" {
		argv = append(argv, "--served-model-name", b.ServedName)
	}
	if b.Delay > 0 {
		argv = append(argv, "--inject-delay", b.Delay.String())
	}
	return argv
}

// Start starts the child and returns its base URL.
func (b *Builtin) Start(ctx context.Context) (string, error) {
	if b.process != nil {
		return "", errors.New("variant " + strconv.Quote(b.Name) + " is running already")
	}
	p, url, err := launch.Start(ctx, launch.Spec{Name: b.Name, Argv: b.Argv(), Log: b.Log, Timeout: startTimeout})
	if err != nil {
		return "", err
	}
	b.process = p
	return url, nil
}

// Stop ends the child. A variant that is not running is stopped already.
func (b *Builtin) Stop(ctx context.Context) error {
	if b.process == nil {
		return nil
	}
	p := b.process
	b.process = nil
	return p.Stop(ctx)
}

// PID is the child's process id, 0 if there is none.
func (b *Builtin) PID() int {
	if b.process == nil {
		return 0
	}
	return b.process.PID()
}

// Exited is closed when the running child ends by itself; nil if there is none.
func (b *Builtin) Exited() <-chan struct{} {
	if b.process == nil {
		return nil
	}
	return b.process.Exited()
}

// Cause says why the child ended; only after Exited is closed.
func (b *Builtin) Cause() error { return b.process.Cause() }
