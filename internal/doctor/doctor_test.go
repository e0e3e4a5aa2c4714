package doctor

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/internal/inspect"
)

func TestRun(t *testing.T) {
	checks := Run(t.Context(), Options{
		Port: freePort(t), Dir: t.TempDir(), Python: "no-such-python",
		Hub:     func(context.Context) (string, error) { return "", nil },
		Dataset: Dataset{Name: "builtin", Find: func(context.Context) (string, error) { return "in this binary", nil }},
		Model:   Model{Name: "random:tiny", Inspect: func(context.Context) ([]inspect.Report, error) { return nil, nil }},
	})
	var names []string
	for _, c := range checks {
		if c.Detail == "" || c.Status == Fail {
			t.Errorf("check %+v", c)
		}
		names = append(names, c.Name)
	}
	want := []string{"port", "disk", "memory", "cpu", "load", "steal", "governor", "clocksource", "clock", "ulimit", "gpu", "driver", "nvrtc", "cublaslt", "hub", "dataset", "model", "vllm"}
	if diff := cmp.Diff(want, slices.Compact(names)); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// TestRunEnds: what never answers is given up, all at the same time.
func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		never := func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		found := together(
			func() []Check {
				return []Check{hubAccess(t.Context(), Options{Hub: func(ctx context.Context) (string, error) { return "", never(ctx) }})}
			},
			func() []Check {
				return []Check{dataset(t.Context(), Dataset{Find: func(ctx context.Context) (string, error) { return "", never(ctx) }})}
			},
			func() []Check {
				return model(t.Context(), Model{Inspect: func(ctx context.Context) ([]inspect.Report, error) { return nil, never(ctx) }})
			},
		)
		if took := time.Since(begun); took > networkPatience {
			t.Errorf("it took %v", took)
		}
		for _, c := range found {
			if c.Status == OK || !strings.Contains(c.Detail, "5s") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c := port(t.Context(), l.Addr().(*net.TCPAddr).Port)
	if c.Status != Warn || c.Fix == "" {
		t.Errorf("a taken port: %+v", c)
	}
	if runtime.GOOS == "linux" && (!strings.Contains(c.Detail, fmt.Sprintf("process %d, holds it", os.Getpid())) || !strings.Contains(c.Fix, fmt.Sprint("kill ", os.Getpid()))) {
		t.Errorf("it does not say that this program holds it: %+v", c)
	}
	if c := port(t.Context(), 70000); c.Status != Fail {
		t.Errorf("no port: %+v", c)
	}
	if c := port(t.Context(), freePort(t)); c.Status != OK {
		t.Errorf("a free port: %+v", c)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestDisk(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if c := disk(t.Context(), missing); c.Status != Fail || !strings.Contains(c.Detail, "missing") {
		t.Errorf("a missing directory: %+v", c)
	}
}

func TestWriteTable(t *testing.T) {
	var b bytes.Buffer
	if err := WriteTable(&b, []Check{ok("disk", "fine"), {"port", Fail, "taken", "another"}}); err != nil {
		t.Fatal(err)
	}
	want := "disk  ok    fine\nport  fail  taken\n            → another\n"
	if b.String() != want {
		t.Errorf("got\n%q, want\n%q", b.String(), want)
	}
}
