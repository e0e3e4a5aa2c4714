package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// badServer is a server of scripts that goes wrong: badserver HOW PORT. It notes its
// process in the folder pids, and that of a child that would outlive it.
func badServer() {
	how, port := os.Args[1], os.Args[2]
	notePID(os.Getpid())
	child := exec.Command("sleep", "300")
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
	notePID(child.Process.Pid)
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
	fake := &fakeServer{log: log}
	var chats atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		chat := strings.HasSuffix(r.URL.Path, "/completions")
		switch {
		case how == "never-ready" && !chat:
			http.Error(w, "loading", http.StatusServiceUnavailable)
		case how == "garbage" && chat:
			fmt.Fprint(w, "<html>it works</html>")
		case how == "dies-in-block" && chat && chats.Add(1) > 3 && !mended():
			fmt.Fprintln(os.Stderr, "RuntimeError: CUDA error: an illegal memory access was encountered")
			os.Exit(9)
		default:
			fake.ServeHTTP(w, r)
		}
	}
	if how == "dies-at-start" {
		fmt.Fprintln(os.Stderr, "ValueError: No available memory for the cache blocks.")
		os.Exit(7)
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(handler)))
	os.Exit(6)
}

// mended reports whether the script has repaired the server.
func mended() bool {
	_, err := os.Stat("mended")
	return err == nil
}

func notePID(pid int) {
	if err := os.MkdirAll("pids", 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := os.WriteFile(filepath.Join("pids", strconv.Itoa(pid)), nil, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
