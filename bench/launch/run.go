package launch

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Run runs a held program that is no server to its end, for spec.Timeout at most. The
// error is for an end that is no success, with what its log says; nothing of the program
// is left in any case.
func Run(ctx context.Context, spec Spec) error {
	if spec.StopGrace == 0 {
		spec.StopGrace = 5 * time.Second
	}
	p, err := open(spec)
	if err != nil {
		return err
	}
	if _, err := p.start(); err != nil {
		_ = p.log.Close() // nothing of value was written
		return err
	}
	timeout := time.NewTimer(spec.Timeout)
	defer timeout.Stop()
	select {
	case <-p.exited:
		if p.cause.Error() == succeeded {
			return nil
		}
		return fmt.Errorf("it failed (%w)%s", p.cause, p.lastLines())
	case <-timeout.C:
		err = fmt.Errorf("it did not end within %v%s", spec.Timeout, p.lastLines())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*spec.StopGrace)
	defer cancel()
	_ = p.Stop(stopCtx) // the reason it is stopped is the error to report
	return err
}

// open opens the log of a process that is to be started.
func open(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	p := &Process{spec: spec, log: log, exited: make(chan struct{}), died: make(chan struct{})}
	if info, err := log.Stat(); err == nil {
		p.logged = info.Size()
	}
	return p, nil
}

// Log is the file that the child's output goes to, and where this child's begins.
func (p *Process) Log() (path string, from int64) { return p.spec.Log, p.logged }
