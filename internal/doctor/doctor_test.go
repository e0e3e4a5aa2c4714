package doctor

import (
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	checks := Run(t.Context(), Options{Port: freePort(t), Dir: t.TempDir()})
	seen := map[string]bool{}
	for _, c := range checks {
		if seen[c.Name] || c.Detail == "" || (c.Status != OK && c.Status != Warn) {
			t.Errorf("check %+v", c)
		}
		seen[c.Name] = true
	}
	for _, name := range []string{"port", "disk", "memory", "cpu", "load", "governor", "clock"} {
		if !seen[name] {
			t.Errorf("no check of the %s", name)
		}
	}
}

func TestPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if c := port(t.Context(), l.Addr().(*net.TCPAddr).Port); c.Status != Warn || c.Fix == "" {
		t.Errorf("a taken port: %+v", c)
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
