//go:build unix

package main

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSecondSignal: the first signal drains the server, with a request that takes
// longer than this test may; the second ends it at once.
func TestSecondSignal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(ctx, self)
	server.Args = []string{"siglab", "serve", "--port", "0", "--inject-delay", "10m", "--drain-timeout", "10m"}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	for lines := bufio.NewScanner(output); url == "" && lines.Scan(); {
		url = regexp.MustCompile(`http://\S+|$`).FindString(lines.Text())
	}
	get := func(route string) string {
		r, err := http.Get(url + route)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = r.Body.Close() }()
		text, _ := bufio.NewReader(r.Body).ReadString(0)
		return text
	}
	go func() {
		if r, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"prompt":"x"}`)); err == nil {
			_ = r.Body.Close()
		}
	}()
	until := func(what string, condition func() bool) {
		for !condition() {
			if ctx.Err() != nil {
				t.Fatalf("never: %s", what)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	signal := func() {
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	until("a request", func() bool { return get("/load") == `{"server_load":1}` })
	signal()
	until("no more connections", func() bool { return strings.Contains(get("/load"), "refused") })
	signal()
	_ = server.Wait()
	if status, ok := server.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("the server ended with %v", server.ProcessState)
	}
}
