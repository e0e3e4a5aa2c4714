package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// fakeServer is an OpenAI-compatible server that has nothing but what that protocol
// asks for: no health route, version, metrics or caches to reset. Requests go to a
// file of the script, a line of their path, two of their headers, and their body each.
type fakeServer struct {
	mu  sync.Mutex
	log *os.File
}

// startFake gives a script such a server, its URL in FAKE.
func startFake(env *testscript.Env) error {
	log, err := os.Create(filepath.Join(env.WorkDir, "requests.log"))
	if err != nil {
		return err
	}
	server := httptest.NewServer(&fakeServer{log: log})
	env.Defer(func() {
		server.Close()
		_ = log.Close() // of no use after the script
	})
	env.Setenv("FAKE", server.URL)
	env.Setenv("FAKE_PORT", server.URL[strings.LastIndexByte(server.URL, ':')+1:])
	return nil
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	completions := []string{"/v1/chat/completions", "/v1/completions", "/other/path"}
	switch {
	case r.URL.Path == "/v1/models":
		fmt.Fprint(w, `{"object":"list","data":[{"id":"served-one"},{"id":"served-two"}]}`)
	case slices.Contains(completions, r.URL.Path):
		f.answer(w, r)
	default:
		http.Error(w, `{"detail":"Not Found"}`, http.StatusNotFound)
	}
}

func (f *fakeServer) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	fmt.Fprintf(f.log, "%s authorization=%s x-extra=%s %s\n", r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Extra"), body)
	f.mu.Unlock()
	var request struct {
		Max    int `json:"max_tokens"`
		MaxNew int `json:"max_completion_tokens"`
	}
	_ = json.Unmarshal(body, &request) // what is no request gets one token
	n := max(1, request.Max, request.MaxNew)
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range n {
		finish := "null"
		if i == n-1 {
			finish = `"length"`
		}
		content := `"delta":{"content":"w"}`
		if r.URL.Path == "/v1/completions" {
			content = `"text":"w"`
		}
		fmt.Fprintf(w, `data: {"choices":[{"index":0,%s,"finish_reason":%s}]}`+"\n\n", content, finish)
		w.(http.Flusher).Flush()
	}
	fmt.Fprintf(w, `data: {"choices":[],"usage":{"prompt_tokens":5,"total_tokens":%d,"completion_tokens":%d}}`+"\n\ndata: [DONE]\n\n", 5+n, n)
}
