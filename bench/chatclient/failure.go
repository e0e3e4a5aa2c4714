package chatclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

// failure is an error that knows its kind.
type failure struct {
	kind   record.Failure
	reason error
}

func (f *failure) Error() string { return f.reason.Error() }

func (f *failure) Unwrap() error { return f.reason }

func failf(kind record.Failure, format string, args ...any) error {
	return &failure{kind, fmt.Errorf(format, args...)}
}

// unconnected says what to do where this machine has run out of what connections need.
func unconnected(err error) error {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		err = fmt.Errorf("%w: raise the limit of open files (ulimit -n), or bound the requests in flight", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		err = fmt.Errorf("%w: no local port is free; bound the requests in flight, or widen the range (net.ipv4.ip_local_port_range)", err)
	}
	return &failure{record.FailedConnect, err}
}

// stalled says that nothing came for the idle time-out.
func stalled(idle time.Duration) error {
	return failf(record.FailedStalled, "no byte came for %v (the idle time-out)", idle)
}

// late says that the answer as a whole took too long.
func late(timeout time.Duration) error {
	return failf(record.FailedTimeout, "no complete answer within %v", timeout)
}

// kindOf sorts an error that has no kind of its own.
func kindOf(err error) record.Failure {
	var f *failure
	var network net.Error
	switch {
	case errors.As(err, &f):
		return f.kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return record.FailedCancelled
	case errors.Is(err, chatapi.ErrEventTooLong):
		return record.FailedEvent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return record.FailedCut
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return record.FailedReset
	case errors.Is(err, os.ErrDeadlineExceeded):
		return record.FailedTimeout
	case errors.As(err, &network):
		return record.FailedReset
	}
	return record.FailedProtocol
}
