package e2e

import (
	"context"
	"errors"
	"flag"
	"sync"
	"testing"
	"time"
)

// within bounds everything; the time-out of `go test` is a little more.
var within = flag.Duration("within", 14*time.Minute, "longest time for all of it")

// TestRealVLLM runs the experiments one after another: they share two cores.
func TestRealVLLM(t *testing.T) {
	if *venv == "" {
		t.Skip("no vLLM is named: -vllm \"$(e2e/install-vllm.sh)\" installs and names one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), *within)
	defer cancel()
	l := newLab(ctx, t)
	t.Run("running servers", func(t *testing.T) {
		reference, cached := l.serveTwo(ctx, t, "reference", "cached")
		t.Run("one, measured by two clients", func(t *testing.T) { testTwoClients(ctx, t, l, reference) })
		t.Run("two, in pairs", func(t *testing.T) { testPairsByURL(ctx, t, l, reference, cached) })
	})
	t.Run("servers by command", func(t *testing.T) { testPairsByCommand(ctx, t, l) })
	t.Run("a server from a git ref", func(t *testing.T) { testRef(ctx, t, l) })
	t.Run("failures", func(t *testing.T) {
		t.Run("a server that refuses its mode", func(t *testing.T) { testRefusedMode(ctx, t, l) })
		t.Run("a server that is never ready", func(t *testing.T) { testNeverReady(ctx, t, l) })
		t.Run("a server whose engine dies in a block", func(t *testing.T) { testDeath(ctx, t, l) })
	})
}

// serveTwo starts two servers at once and ends them with the test.
func (l lab) serveTwo(ctx context.Context, t *testing.T, modes ...string) (*server, *server) {
	t.Helper()
	var servers [2]*server
	var errs [2]error
	var starts sync.WaitGroup
	for i := range servers {
		starts.Go(func() { servers[i], errs[i] = l.serve(ctx, modes[i]) })
	}
	starts.Wait()
	t.Cleanup(func() {
		for _, s := range servers {
			if s == nil || s.process == nil {
				continue
			}
			stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			if err := s.process.Stop(stopCtx); err != nil {
				t.Error(err)
			}
			cancel()
		}
		l.checkNothingLeft(t)
	})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return servers[0], servers[1]
}
