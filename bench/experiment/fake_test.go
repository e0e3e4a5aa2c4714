package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"
)

// fakeServer is a variant in this process: an HTTP server that streams fixed
// answers. It notes what was asked of it.
type fakeServer struct {
	answer    func(request int) []string // pieces of the n-th chat answer since the start
	dieAfter  int                        // ends by itself at this chat request, counted over all starts; 0: never
	failStart error
	failStop  error
	missing   []string // routes that it answers with refuse, 404 if that is 0
	refuse    int
	models    []string      // "fake" if nil
	delay     time.Duration // before an answer

	marked, atOnce, mostAtOnce atomic.Int64 // chat requests: with the header X-Mark, running, the most that ever were

	http    *httptest.Server
	exited  chan struct{}
	starts  int
	stops   int
	resets  atomic.Int64
	chats   atomic.Int64 // since the start
	total   atomic.Int64
	running *atomic.Int64 // shared by all variants: how many are alive
	most    *atomic.Int64 // and the most that ever were
}

func (f *fakeServer) Start(context.Context) (string, error) {
	if f.failStart != nil {
		return "", f.failStart
	}
	f.starts++
	f.chats.Store(0)
	f.exited = make(chan struct{})
	if n := f.running.Add(1); n > f.most.Load() {
		f.most.Store(n)
	}
	f.http = httptest.NewServer(http.HandlerFunc(f.handle))
	return f.http.URL, nil
}

func (f *fakeServer) Stop(context.Context) error {
	f.stops++
	f.running.Add(-1)
	f.http.CloseClientConnections()
	f.http.Close()
	return f.failStop
}

func (f *fakeServer) PID() int                { return 0 }
func (f *fakeServer) Exited() <-chan struct{} { return f.exited }
func (f *fakeServer) Cause() error            { return errors.New("fake: segmentation fault") }

func (f *fakeServer) handle(w http.ResponseWriter, r *http.Request) {
	if slices.Contains(f.missing, r.URL.Path) {
		w.WriteHeader(cmp.Or(f.refuse, http.StatusNotFound))
		return
	}
	switch r.URL.Path {
	case "/v1/models":
		models := f.models
		if models == nil {
			models = []string{"fake"}
		}
		fmt.Fprintf(w, `{"data":[{"id":%q}]}`, models[0])
	case "/v1/chat/completions":
		if r.Header.Get("X-Mark") != "" {
			f.marked.Add(1)
		}
		if n := f.atOnce.Add(1); n > f.mostAtOnce.Load() {
			f.mostAtOnce.Store(n)
		}
		defer f.atOnce.Add(-1)
		time.Sleep(f.delay)
		_, _ = io.Copy(io.Discard, r.Body)
		if n := f.total.Add(1); f.dieAfter > 0 && int(n) == f.dieAfter {
			close(f.exited)
			f.http.CloseClientConnections()
			return
		}
		f.stream(w, int(f.chats.Add(1)))
	case "/version":
		fmt.Fprint(w, `{"version":"fake"}`)
	case "/metrics":
		fmt.Fprintf(w, "# TYPE vllm:time_to_first_token_seconds histogram\nvllm:time_to_first_token_seconds_bucket{le=\"+Inf\"} %d\n"+
			"vllm:time_to_first_token_seconds_sum %d\nvllm:time_to_first_token_seconds_count %d\n", f.chats.Load(), f.chats.Load(), f.chats.Load())
	case "/reset_prefix_cache", "/reset_mm_cache", "/reset_encoder_cache":
		f.resets.Add(1)
	}
}

func (f *fakeServer) stream(w http.ResponseWriter, request int) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`+"\n\n")
	pieces := f.answer(request)
	for i, piece := range pieces {
		finish := "null"
		if i == len(pieces)-1 {
			finish = `"length"`
		}
		fmt.Fprintf(w, `data: {"choices":[{"index":0,"delta":{"content":%q},"finish_reason":%s}]}`+"\n\n", piece, finish)
		w.(http.Flusher).Flush()
	}
	fmt.Fprintf(w, `data: {"choices":[],"usage":{"prompt_tokens":5,"total_tokens":%d,"completion_tokens":%d}}`+"\n\ndata: [DONE]\n\n", 5+len(pieces), len(pieces))
}
