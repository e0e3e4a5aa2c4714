package main

import (
	"context"
	"errors"
	"testing"
)

// TestOrInterrupted: an interruption does not wait for work that cannot see it, and
// otherwise the result is the work's.
func TestOrInterrupted(t *testing.T) {
	failed := errors.New("failed")
	if err := orInterrupted(context.Background(), func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("error %v, want the work's", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	block := make(chan struct{})
	defer close(block)
	if err := orInterrupted(ctx, func() error { cancel(); <-block; return nil }); err == nil {
		t.Error("interrupted work succeeded")
	}
}
