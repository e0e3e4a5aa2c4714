package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"siglab/chatapi"
	"siglab/engine/generate"
)

const chatRoute = "/v1/chat/completions"

// TestGone: a client that goes away frees everything in each stage, while the model
// is still at work for it.
func TestGone(t *testing.T) {
	white := picture(t, color.White)
	for _, tt := range []struct {
		stage  string
		gate   string
		stream bool
	}{
		{"the image is encoded", "encode", false},
		{"the prompt is taken in", "prefill", false},
		{"the answer is generated, whole", "step", false},
		{"the answer is streamed", "step", true},
	} {
		t.Run(tt.stage, func(t *testing.T) {
			g := newGate(tt.gate)
			s, p := startHeld(t, g.hold, func(c *Config, _ *Server) { c.Engine.MaxSeqs = 1 })
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				r, err := p.post(ctx, chatRoute, body("x", []string{white}, fmt.Sprintf(`,"max_tokens":500,"ignore_eos":true,"stream":%v`, tt.stream)))
				if err == nil {
					_, err = io.Copy(io.Discard, r.Body)
					_ = r.Body.Close()
				}
				ended <- err
			}()
			<-g.reached
			cancel()
			if err := <-ended; err == nil {
				t.Error("the cancelled request was answered")
			}
			eventually(t, "an end of the handler, with the model still busy", func() bool { return s.requests.Load() == 0 })
			close(g.open)
			s.idle(t)
			if n := counted(t, s.metrics.success.WithLabelValues("abort")); n != 1 {
				t.Errorf("%v aborted requests are counted, want 1", n)
			}
		})
	}
}

// TestGoneWaiting: a place in the queue is free as soon as its client has gone; until
// then the next one is told to come again.
func TestGoneWaiting(t *testing.T) {
	g := newGate("prefill")
	s, p := startHeld(t, g.hold, func(c *Config, _ *Server) { c.Engine = generate.Config{MaxSeqs: 1, MaxQueue: 1} })
	request := body("x", nil, `,"max_tokens":2,"ignore_eos":true`)
	statuses := make(chan int, 2)
	send := func(ctx context.Context) {
		status := 0
		if r, err := p.post(ctx, chatRoute, request); err == nil {
			status = r.StatusCode
			_ = r.Body.Close()
		}
		statuses <- status
	}
	waits := func(n int) func() bool {
		return func() bool { _, waiting := s.engine.Load(); return waiting == n }
	}
	go send(t.Context())
	<-g.reached
	ctx, cancel := context.WithCancel(t.Context())
	go send(ctx)
	eventually(t, "a request in the queue", waits(1))

	r, err := p.post(t.Context(), chatRoute, request)
	if err != nil {
		t.Fatal(err)
	}
	var refused chatapi.ErrorResponse
	err = json.NewDecoder(r.Body).Decode(&refused)
	_ = r.Body.Close()
	if err != nil || r.StatusCode != 429 || r.Header.Get("Retry-After") == "" || refused.Error.Type != "TooManyRequestsError" {
		t.Errorf("status %d, header %v, error %+v, %v", r.StatusCode, r.Header, refused, err)
	}
	cancel()
	eventually(t, "an empty queue", waits(0))
	if status := <-statuses; status != 0 {
		t.Errorf("the cancelled request got status %d", status)
	}
	go send(t.Context())
	eventually(t, "the next request in the queue", waits(1))
	close(g.open)
	for range 2 {
		if status := <-statuses; status != 200 {
			t.Errorf("an admitted request got status %d", status)
		}
	}
	if n := counted(t, s.metrics.rejections.WithLabelValues("max_num_queued_reqs")); n != 1 {
		t.Errorf("%v rejections are counted, want 1", n)
	}
	s.idle(t)
}

// TestBadClients: what clients do wrong costs nothing for longer than the timeouts
// allow, and they are told where they still listen.
func TestBadClients(t *testing.T) {
	chat := body("x", nil, `,"max_tokens":400,"ignore_eos":true,"stream":true`)
	post := func(route, header string) string {
		return "POST " + route + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n"
	}
	for _, tt := range []struct {
		name string
		sent string
		want string // the begin of the answer's first line; "": the connection is closed without one
	}{
		{"half a header", "POST /v1/chat/compl", "HTTP/1.1 400"},
		{"a header without an end", "GET /health HTTP/1.1\r\nHost: x\r\n", ""},
		{"half a body", post(chatRoute, "Content-Length: 500\r\n") + `{"messages":[`, "HTTP/1.1 408"},
		{"no body", post(chatRoute, "Content-Length: 500\r\n"), "HTTP/1.1 408"},
		{"half a chunked body", post(chatRoute, "Transfer-Encoding: chunked\r\n") + "5\r\n{\"me", "HTTP/1.1 408"},
		{"a huge body that is announced", post(chatRoute, "Content-Length: 50000000000\r\n") + "{", "HTTP/1.1 413"},
		{"a huge body that waits to be asked for", post(chatRoute, "Expect: 100-continue\r\nContent-Length: 50000000000\r\n"), "HTTP/1.1 413"},
		{"a body that a route does not read and that does not come", post("/reset_mm_cache", "Content-Length: 500\r\n"), "HTTP/1.1 200"},
		{"a body on a route that is not there", post("/nothing", "Content-Length: 500\r\n"), "HTTP/1.1 404"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400"},
		{"a large header", "GET /health HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", mostHeader+5000) + "\r\n\r\n", "HTTP/1.1 431"},
		{"a length that is no number", post(chatRoute, "Content-Length: -1\r\n"), "HTTP/1.1 400"},
		{"a body beyond its length", post(chatRoute, "Content-Length: 2\r\n") + "{}garbage garbage\r\n\r\n", "HTTP/1.1 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, p := startHeld(t, func(string) {}, func(_ *Config, s *Server) {
				s.timeouts = timeouts{header: 100 * time.Millisecond, body: 100 * time.Millisecond, write: 100 * time.Millisecond}
			})
			c := connect(t, p)
			go func() { _, _ = io.WriteString(c, tt.sent) }()
			answer, err := io.ReadAll(c) // until the server closes the connection
			first, _, _ := strings.Cut(string(answer), "\r\n")
			if err != nil || !strings.HasPrefix(first, tt.want) || tt.want == "" && first != "" {
				t.Errorf("answer %q, error %v, want %q", first, err, tt.want)
			}
			if strings.Contains(string(answer), "->") {
				t.Errorf("the answer names addresses: %q", answer)
			}
			s.idle(t)
		})
	}
	for _, tt := range []struct {
		name string
		read int // lines of the answer that are read
		sent string
	}{
		{"a stream of which nothing is read", 0, chat},
		{"a stream of which the begin is read", 20, chat},
		{"an answer of which nothing is read", 0, strings.Replace(chat, `"stream":true`, `"stream":false`, 1)},
		{"an error of which nothing is read", 0, "{"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, p := startHeld(t, func(string) {}, func(_ *Config, s *Server) { s.timeouts.write = 100 * time.Millisecond })
			c := connect(t, p)
			go func() {
				_, _ = fmt.Fprintf(c, "%s%s", post(chatRoute, fmt.Sprintf("Content-Length: %d\r\n", len(tt.sent))), tt.sent)
			}()
			lines := bufio.NewReader(c)
			for range tt.read {
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "a request that has arrived", func() bool {
				return counted(t, s.metrics.generationTokens) > 0 || tt.sent == "{"
			})
			s.idle(t)
		})
	}
}

// counted is a counter's value.
func counted(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// connect is a connection that ends with the test.
func connect(t *testing.T, p *pipes) net.Conn {
	t.Helper()
	c, err := p.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestLargeBodies: more than the limit is refused, for one body and for all of them
// together.
func TestLargeBodies(t *testing.T) {
	s, p := startHeld(t, func(string) {}, nil)
	send := func(n int64) int {
		r, err := http.NewRequest(http.MethodPost, "http://pipe"+chatRoute, io.LimitReader(spaces{}, n))
		if err != nil {
			t.Fatal(err)
		}
		response, err := p.client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if status := send(mostBody + 1); status != 413 {
		t.Errorf("status %d for a body beyond the limit, want 413", status)
	}
	s.bodies.held.Add(mostBodies - 1000)
	if status := send(100_000); status != 503 {
		t.Errorf("status %d when all bodies together are beyond the limit, want 503", status)
	}
	s.bodies.held.Add(1000 - mostBodies)
	if status := send(100_000); status != 400 {
		t.Errorf("status %d for spaces, want 400", status)
	}
}

// spaces are a body without an end.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestValues: many small values are refused before they are decoded, long strings
// are not many.
func TestValues(t *testing.T) {
	for _, tt := range []struct {
		body string
		want int
	}{
		{``, 0}, {`{"a":1}`, 0}, {`[1,2,3]`, 2}, {`{"a":"1,2,3","b":[1,2]}`, 2},
		{`["\",",",\\","\\\",",1]`, 3}, {`"no end,,,`, 0}, {`,,,"`, 3}, {`"a\`, 0},
	} {
		if got := values([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.body, got, tt.want)
		}
	}
	var request chatapi.ChatRequest
	err := decode([]byte(`{"messages":[`+strings.Repeat(`{},`, mostValues+1)+`{}]}`), &request)
	if err == nil || request.Messages != nil {
		t.Errorf("error %v, %d messages", err, len(request.Messages))
	}
}
