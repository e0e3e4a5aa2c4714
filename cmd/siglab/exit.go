package main

import (
	"errors"
	"fmt"
)

// Exit codes of the built binary (go run turns all but 0 into 1).
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitRegression = 3 // a verdict that --fail-on names
	exitInvalid    = 4 // the run is not valid: no verdict
)

// exitCode maps an error to the documented exit codes.
func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errNotValid):
		return exitInvalid
	case errors.Is(err, errRegression):
		return exitRegression
	default:
		return exitFailed
	}
}

// usageError is a command line that cannot be carried out as it stands.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errNotValid ends a run that allows no verdict; the report has said why.
var errNotValid = errors.New("the run is not valid, so there is no verdict")

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
