// Package launch starts a server as a child process, learns its address, and
// ends it: a child never outlives its parent, however the parent ends.
//
// The tie is a pipe on the child's standard input that only the parent holds.
// When the parent closes it, or dies (also by SIGKILL), the child reads the end
// of file and shuts down. The same pipe is therefore the portable way to ask for
// a clean stop; a signal and then a kill follow where it does not help.
//
// A program that knows nothing of the tie is held: the child is then this program's
// own Hold, which starts the other, and at the end of the tie ends it with all that
// it has started.
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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Spec says how to start a server.
type Spec struct {
	Name string   // of the variant, for messages
	Argv []string // program and arguments
	Env  []string // nil: the parent's
	Dir  string   // working directory; "": the parent's
	Log  string   // file that its output is appended to
	// Timeout bounds the wait for the address line, or for readiness.
	Timeout time.Duration
	// StopGrace bounds each step of Stop. Zero: 5 s.
	StopGrace time.Duration

	// Holder is the command that calls Hold, for a program that is to be held; the
	// flag --grace, "--" and Argv follow it. Nil: the program minds the tie itself.
	Holder []string
	// URL is where a held server will answer. It is ready when one of the Ready URLs
	// answers 200.
	URL   string
	Ready []string
}

// Process is a running child.
type Process struct {
	spec    Spec
	cmd     *exec.Cmd
	tie     io.WriteCloser // closing it asks the child to end
	log     *os.File
	logged  int64 // length of the log before this child: what an earlier one said
	copying sync.WaitGroup
	held    atomic.Int64  // process id of a held program, 0 until it is known
	exited  chan struct{} // the child has ended, and all that it held

	died  chan struct{} // the server has ended, while a holder may still end what it left
	cause error         // how; read after died is closed
	once  sync.Once     // closes died
}

// ErrKilled is the error of Stop for a held program that is gone, but did not end when it
// was asked to.
var ErrKilled = errors.New("the server had to be killed")

// listening is the line by which a server says where it is, holding that by which a
// holder says which process it holds.
var (
	listening = regexp.MustCompile(`listening on (http://\S+)`)
	holding   = regexp.MustCompile(`^holding (\d+)\n$`)
)

// Start starts the child and waits until it says where it listens or, of one that is
// held, until it is ready. ctx bounds the wait, not the child's life: end it with Stop.
func Start(ctx context.Context, spec Spec) (*Process, string, error) {
	if spec.StopGrace == 0 {
		spec.StopGrace = 5 * time.Second
	}
	p, err := open(spec)
	if err != nil {
		return nil, "", fmt.Errorf("launch variant %q: %w", spec.Name, err)
	}
	address, err := p.start()
	if err != nil {
		_ = p.log.Close() // nothing of value was written
		return nil, "", fmt.Errorf("launch variant %q: %w", spec.Name, err)
	}
	readyCtx, endReady := context.WithCancel(ctx)
	defer endReady()
	if spec.Holder != nil {
		address = p.whenReady(readyCtx)
	}
	timeout := time.NewTimer(spec.Timeout)
	defer timeout.Stop()
	select {
	case url := <-address:
		return p, url, nil
	case <-p.died:
		err = fmt.Errorf("it ended before it listened (%w)%s", p.cause, p.lastLines())
	case <-timeout.C:
		err = fmt.Errorf("no address after %v%s", spec.Timeout, p.lastLines())
		if spec.Holder != nil {
			err = fmt.Errorf("not ready after %v: none of %s answered 200%s", spec.Timeout, strings.Join(spec.Ready, ", "), p.lastLines())
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*spec.StopGrace)
	defer cancel()
	_ = p.Stop(stopCtx) // the reason it is stopped is the error to report
	return nil, "", fmt.Errorf("launch variant %q: %w", spec.Name, err)
}

// start runs the command and returns the channel on which its address comes.
func (p *Process) start() (<-chan string, error) {
	argv := p.spec.Argv
	if p.spec.Holder != nil {
		argv = slices.Concat(p.spec.Holder, []string{"--grace", p.spec.StopGrace.String(), "--"}, argv)
	}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Env, p.cmd.Dir = p.spec.Env, p.spec.Dir
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
			err = errors.New(succeeded)
		}
		first := p.die(err)
		if pid := p.held.Load(); pid > 0 && (first || p.cmd.ProcessState.ExitCode() < 0) { // the holder did not come to end it
			killGroup(int(pid))
		}
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
		if p.spec.Holder != nil && p.fromHolder(line) {
			continue
		}
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

// fromHolder takes in what a holder says of its program.
func (p *Process) fromHolder(line string) bool {
	if m := holding.FindStringSubmatch(line); m != nil {
		pid, _ := strconv.ParseInt(m[1], 10, 64) // digits; too many of them name no process
		p.held.Store(pid)
		return true
	}
	said, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), saysEnded)
	if !ok {
		return false
	}
	if said == "signal: killed" { // not by us: its holder says so otherwise
		said += ", as the kernel does when memory runs out (see dmesg)"
	}
	p.die(errors.New(said))
	return true
}

// die notes the end of the server, the first time.
func (p *Process) die(cause error) (first bool) {
	p.once.Do(func() {
		p.cause, first = cause, true
		close(p.died)
	})
	return first
}

// PID is the process id of the server: of the program, where it is held.
func (p *Process) PID() int {
	if pid := p.held.Load(); pid > 0 {
		return int(pid)
	}
	return p.cmd.Process.Pid
}

// Exited is closed when the server has ended. What it left behind may be there until Stop
// returns.
func (p *Process) Exited() <-chan struct{} { return p.died }

// Cause says how the server ended, with the last lines of its log. It may be
// called only after Exited is closed.
func (p *Process) Cause() error {
	return fmt.Errorf("server of variant %q ended: %w%s", p.spec.Name, p.cause, p.lastLines())
}

// Stop ends the child: it closes the tie, then interrupts, then kills, each step
// bounded by StopGrace. A held program is interrupted, terminated and killed by its
// holder, with all that it started. It returns an error only if the child had to be
// killed (ErrKilled, if it was held) or could not be.
func (p *Process) Stop(ctx context.Context) error {
	_ = p.tie.Close() // fails only if the child is gone
	first := p.spec.StopGrace
	if p.spec.Holder != nil {
		first = holdSteps * p.spec.StopGrace
	}
	if p.waitExit(ctx, first) {
		if p.spec.Holder != nil && strings.HasPrefix(p.cause.Error(), saysKilled) {
			return fmt.Errorf("variant %q: %w, after an interrupt and a request to terminate of %v each; see %s", p.spec.Name, ErrKilled, p.spec.StopGrace, p.spec.Log)
		}
		return nil
	}
	if pid := p.held.Load(); pid > 0 {
		killGroup(int(pid))
	}
	_ = terminate(p.cmd) // fails only if the child is gone
	if p.waitExit(ctx, p.spec.StopGrace) {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop variant %q: kill process %d: %w", p.spec.Name, p.cmd.Process.Pid, err)
	}
	if p.waitExit(context.WithoutCancel(ctx), p.spec.StopGrace) {
		return fmt.Errorf("stop variant %q: it did not end within %v and was killed", p.spec.Name, 2*p.spec.StopGrace)
	}
	return fmt.Errorf("stop variant %q: process %d does not end", p.spec.Name, p.cmd.Process.Pid)
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
