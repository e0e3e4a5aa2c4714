package launch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The test binary itself plays the child and, for the orphan test, the parent.
func TestMain(m *testing.M) {
	role := os.Getenv("LAUNCH_TEST_ROLE")
	if at := slices.IndexFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "role=") }); at > 0 && !slices.Contains(os.Args, "--") {
		role = strings.TrimPrefix(os.Args[at], "role=") // of a held program
	}
	playHeld(role)
	switch role {
	case "good": // listens, ends when the tie is cut
		fmt.Println("listening on http://127.0.0.1:1")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	case "dies":
		fmt.Fprintln(os.Stderr, "cannot bind")
		os.Exit(3)
	case "mute":
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	case "stubborn": // ignores the tie and, being ignorant of signals, dies of SIGTERM
		fmt.Println("listening on http://127.0.0.1:1")
		time.Sleep(time.Minute)
		os.Exit(0)
	case "parent": // starts a good child and says who it is, then waits
		p, _, err := Start(context.Background(), spec(os.Getenv("LAUNCH_TEST_DIR"), "good"))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("child", p.PID())
		time.Sleep(time.Minute)
	}
	os.Exit(m.Run())
}

func spec(dir, role string) Spec {
	return Spec{
		Name: role, Argv: []string{os.Args[0]}, Env: append(os.Environ(), "LAUNCH_TEST_ROLE="+role),
		Log: filepath.Join(dir, "server.log"), Timeout: 5 * time.Second, StopGrace: 2 * time.Second,
	}
}

func TestStartAndStop(t *testing.T) {
	p, url, err := Start(t.Context(), spec(t.TempDir(), "good"))
	if err != nil {
		t.Fatal(err)
	}
	if url != "http://127.0.0.1:1" {
		t.Errorf("url %q", url)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	<-p.Exited()
}

func TestStartErrorsNameTheCause(t *testing.T) {
	mute := spec(t.TempDir(), "mute")
	mute.Timeout = 50 * time.Millisecond
	missing := spec(t.TempDir(), "good")
	missing.Argv = []string{filepath.Join(t.TempDir(), "no-such-program")}
	tests := []struct {
		name string
		spec Spec
		want string
	}{
		{"a child that dies at start is quoted", spec(t.TempDir(), "dies"), "cannot bind"},
		{"a child that never listens is given up", mute, "no address after"},
		{"a program that does not exist", missing, "no-such-program"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Start(t.Context(), tt.spec)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestStopGoesOnToStrongerMeans(t *testing.T) {
	s := spec(t.TempDir(), "stubborn")
	s.StopGrace = 100 * time.Millisecond
	p, _, err := Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Stop(t.Context()) // whether it had to be killed depends on the system
	select {
	case <-p.Exited():
	case <-time.After(5 * time.Second):
		t.Fatal("the child is still there")
	}
}

func TestChildEndsWhenItsParentIsKilled(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LAUNCH_TEST_ROLE=parent", "LAUNCH_TEST_DIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "child ")))
	if err != nil {
		t.Fatalf("parent said %q", line)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as wanted
	deadline := time.Now().Add(5 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("child %d outlived its parent", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
