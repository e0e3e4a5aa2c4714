// Package launch starts a server as a child process, learns its address, and
// ends it: a child never outlives its parent, however the parent ends.
//
// The tie is a pipe on the child's standard input that only the parent holds.
// When the parent closes it, or dies (also by SIGKILL), the child reads the end
// of file and shuts down. The same pipe is therefore the portable way to ask for
// a clean stop; a signal and then a kill follow where it does not help.
package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Spec says how to start a server.
type Spec struct {
	Name string   // of the variant, for messages
	Argv []string // program and arguments
	Env  []string // nil: the parent's
	Log  string   // file that its output is appended to
	// Timeout bounds the wait for the address line.
	Timeout time.Duration
	// StopGrace bounds each step of Stop. Zero: 5 s.
	StopGrace time.Duration
}

// Process is a running child.
type Process struct {
	spec    Spec
	cmd     *exec.Cmd
	tie     io.WriteCloser // closing it asks the child to end
	log     *os.File
	logged  int64 // length of the log before this child: what an earlier one said
	copying sync.WaitGroup
	exited  chan struct{}
	err     error // how it ended; read after exited is closed
}

// listening is the line by which a server says where it is.
var listening = regexp.MustCompile(`listening on (http://\S+)`)

// Start starts the child and waits until it says where it listens. ctx bounds
// the wait, not the child's life: end it with Stop.
func Start(ctx context.Context, spec Spec) (*Process, string, error) {
	if spec.StopGrace == 0 {
		spec.StopGrace = 5 * time.Second
	}
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, "", fmt.Errorf("launch variant %q: log: %w", spec.Name, err)
	}
	p := &Process{spec: spec, log: log, exited: make(chan struct{})}
	if info, err := log.Stat(); err == nil {
		p.logged = info.Size()
	}
	address, err := p.start()
	if err != nil {
		_ = log.Close() // nothing of value was written
		return nil, "", fmt.Errorf("launch variant %q: %w", spec.Name, err)
	}
	timeout := time.NewTimer(spec.Timeout)
	defer timeout.Stop()
	select {
	case url := <-address:
		return p, url, nil
	case <-p.exited:
		err = fmt.Errorf("it ended before it listened (%w)%s", p.err, p.lastLines())
	case <-timeout.C:
		err = fmt.Errorf("no address after %v%s", spec.Timeout, p.lastLines())
	case <-ctx.Done():
		err = ctx.Err()
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*spec.StopGrace)
	defer cancel()
	_ = p.Stop(stopCtx) // the reason it is stopped is the error to report
	return nil, "", fmt.Errorf("launch variant %q: %w", spec.Name, err)
}

// start runs the command and returns the channel on which its address comes.
func (p *Process) start() (<-chan string, error) {
	p.cmd = exec.Command(p.spec.Argv[0], p.spec.Argv[1:]...)
	p.cmd.Env = p.spec.Env
	p.cmd.Stderr = p.log
	detach(p.cmd)
	tie, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.tie = tie
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	address := make(chan string, 1)
	p.copying.Add(1)
	go func() {
		defer p.copying.Done()
		p.copyOutput(out, address)
	}()
	go func() {
		p.copying.Wait() // Wait closes the pipe, so the output comes first
		err := p.cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		p.err = err
		_ = p.log.Close() // every line was written by then
		close(p.exited)
	}()
	return address, nil
}

// copyOutput copies the child's standard output to its log and reports the first
// address in it.
func (p *Process) copyOutput(out io.Reader, address chan<- string) {
	lines := bufio.NewReader(out)
	found := false
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			_, _ = io.WriteString(p.log, line) // a full disk must not stop the child
		}
		if m := listening.FindStringSubmatch(line); m != nil && !found {
			found = true
			address <- m[1]
		}
		if err != nil {
			return
		}
	}
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the child has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Cause says how the child ended, with the last lines of its log. It may be
// called only after Exited is closed.
func (p *Process) Cause() error {
	return fmt.Errorf("server of variant %q ended: %w%s", p.spec.Name, p.err, p.lastLines())
}

// Stop ends the child: it closes the tie, then interrupts, then kills, each step
// bounded by StopGrace. It returns an error only if the child had to be killed or
// could not be.
func (p *Process) Stop(ctx context.Context) error {
	_ = p.tie.Close() // fails only if the child is gone
	if p.waitExit(ctx, p.spec.StopGrace) {
		return nil
	}
	_ = terminate(p.cmd) // fails only if the child is gone
	if p.waitExit(ctx, p.spec.StopGrace) {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop variant %q: kill process %d: %w", p.spec.Name, p.PID(), err)
	}
	if p.waitExit(context.WithoutCancel(ctx), p.spec.StopGrace) {
		return fmt.Errorf("stop variant %q: it did not end within %v and was killed", p.spec.Name, 2*p.spec.StopGrace)
	}
	return fmt.Errorf("stop variant %q: process %d does not end", p.spec.Name, p.PID())
}

func (p *Process) waitExit(ctx context.Context, grace time.Duration) bool {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// lastLines quotes the end of what this child logged, for errors.
func (p *Process) lastLines() string {
	const most = 5
	data, err := os.ReadFile(p.spec.Log)
	if err != nil || int64(len(data)) <= p.logged {
		return "; see " + p.spec.Log
	}
	data = data[p.logged:]
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	return fmt.Sprintf("; last lines of %s: %s", p.spec.Log, strings.Join(lines, " | "))
}
