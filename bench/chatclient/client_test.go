package chatclient

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/bench/record"
)

// stream answers with events, each flushed by itself.
func stream(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, e := range events {
			fmt.Fprint(w, "data: "+e+"\n\n")
			w.(http.Flusher).Flush()
		}
	}
}

const (
	role   = `{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	hello  = `{"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}`
	world  = `{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"length"}]}`
	usage  = `{"choices":[],"usage":{"prompt_tokens":7,"total_tokens":9,"completion_tokens":2}}`
	finish = "[DONE]"
)

// send sends one request to a handler.
func send(t *testing.T, handler http.Handler, o Options) record.Observation {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	if o.Origin.IsZero() {
		o.Origin = time.Now().Add(-time.Second)
	}
	client := New(server.URL, o)
	defer client.Close()
	return client.Send(t.Context(), record.Item{ID: "a", Index: 3, Body: []byte(`{}`)})
}

func TestSend(t *testing.T) {
	o := send(t, stream(role, hello, world, usage, finish), Options{})
	if !o.OK() || o.Text != "Hello" || o.FinishReason != "length" || o.PromptTokens != 7 || o.OutputTokens != 2 || o.Item != "a" || o.Index != 3 || o.Status != 200 {
		t.Errorf("observation %+v", o)
	}
	if got := fmt.Sprint(o.ChunkLens); got != "[0 3 2]" || len(o.ChunkAt) != 3 {
		t.Errorf("chunks %s at %v", got, o.ChunkAt)
	}
	order := []time.Duration{time.Second, o.Sent, o.FirstByte, o.RoleChunk, o.FirstToken, o.LastToken, o.End}
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			t.Errorf("times out of order: %v", order)
		}
	}
	if o.Written < o.Sent || o.ChunkAt[0] != o.RoleChunk || o.ChunkAt[2] != o.LastToken {
		t.Errorf("times %+v", o)
	}
}

func TestSendFailures(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"an error answer is kept with its message", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(429)
			fmt.Fprint(w, `{"error":{"message":"the queue is full","type":"TooManyRequests","param":null,"code":429}}`)
		}, "429 Too Many Requests: the queue is full"},
		{"an error answer in other words", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); fmt.Fprint(w, "bad gateway") }, "502 Bad Gateway: bad gateway"},
		{"an answer that is no stream", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, "not an event stream"},
		{"a stream without its end", stream(role, hello), "before [DONE]"},
		{"an error in the stream", stream(role, `{"error":{"message":"out of memory"}}`), "out of memory"},
		{"an event that is not JSON", stream(role, `{"choices":`), "choices"},
		{"an answer without content", stream(role, finish), "no content"},
		{"a connection that breaks", func(w http.ResponseWriter, r *http.Request) {
			stream(role, hello)(w, r)
			panic(http.ErrAbortHandler)
		}, "ended within the answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := send(t, tt.handler, Options{})
			if o.OK() || !strings.Contains(o.Error, tt.want) || o.End == 0 || o.Sent == 0 {
				t.Errorf("error %q, want one with %q (%+v)", o.Error, tt.want, o)
			}
		})
	}
}

func TestSendHangs(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	o := send(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream(role, hello)(w, r)
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}), Options{Timeout: 50 * time.Millisecond})
	if o.OK() || !strings.Contains(o.Error, "within 50ms") || o.FirstToken == 0 {
		t.Errorf("observation %+v", o)
	}
}

func TestSendCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := New("http://127.0.0.1:1", Options{Origin: time.Now()})
	if o := client.Send(ctx, record.Item{Body: []byte("{}")}); !strings.Contains(o.Error, "canceled") {
		t.Errorf("error %q", o.Error)
	}
}

// TestWarm counts the connections that a server sees.
func TestWarm(t *testing.T) {
	var mu sync.Mutex
	connections := map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr] = true
		mu.Unlock()
		if r.URL.Path == "/v1/models" {
			fmt.Fprint(w, `{"object":"list"}`)
			return
		}
		stream(role, hello, world, usage, finish)(w, r)
	}))
	opened := 0
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			mu.Lock()
			opened++
			mu.Unlock()
		}
	}
	server.Start()
	defer server.Close()
	client := New(server.URL, Options{Origin: time.Now()})
	defer client.Close()
	if err := client.Warm(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if o := client.Send(t.Context(), record.Item{Body: []byte("{}")}); !o.OK() {
		t.Fatal(o.Error)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(connections) != 5 || opened != 5 {
		t.Errorf("%d connections used, %d opened, want 5", len(connections), opened)
	}
}

func TestControl(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version":"1.2"}`) })
	mux.HandleFunc("POST /reset_prefix_cache", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /reset_mm_cache", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"top_logprobs":2`) || strings.Contains(string(body), `"stream":true`) {
			w.WriteHeader(400)
		}
		fmt.Fprint(w, `{"choices":[{"logprobs":{"content":[{"token":"a","logprob":-0.1,"top_logprobs":[{"token":"a","logprob":-0.1},{"token":"b","logprob":-3}]}]}}]}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client := New(server.URL+"/", Options{})
	defer client.Close()
	if err := client.Health(t.Context()); err != nil {
		t.Error(err)
	}
	if v, err := client.Version(t.Context()); v != "1.2" || err != nil {
		t.Errorf("version %q, error %v", v, err)
	}
	if _, err := client.Metrics(t.Context()); err == nil || !strings.Contains(err.Error(), "/metrics answered 404") {
		t.Errorf("metrics: error %v", err)
	}
	if known, err := client.ResetCaches(t.Context()); known != 1 || StatusOf(err) != 500 || !strings.Contains(err.Error(), "/reset_mm_cache answered 500") {
		t.Errorf("reset: error %v", err)
	}
	tokens, err := client.TopLogprobs(t.Context(), []byte(`{"model":"m","messages":[],"stream":true,"max_completion_tokens":32}`), 1)
	if err != nil || len(tokens) != 1 || tokens[0].TopLogprobs[1].Logprob != -3 {
		t.Errorf("logprobs %+v, error %v", tokens, err)
	}
}
