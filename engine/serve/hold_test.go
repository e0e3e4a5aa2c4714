package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/engine/generate"
	"siglab/engine/imageprep"
	"siglab/engine/vlm"
)

// heldModel is a model whose calls can be made to wait.
type heldModel struct {
	generate.Model
	hold func(call string) // "encode", "prefill" or "step"
}

func (m heldModel) NewSequence(capacity int) generate.Sequence {
	return heldSequence{m.Model.NewSequence(capacity), m.hold}
}

func (m heldModel) EncodeImage(px imageprep.Input) (vlm.Features, vlm.Resample, error) {
	m.hold("encode")
	return m.Model.EncodeImage(px)
}

func (m heldModel) Step(sequences []generate.Sequence, tokens []int, logits [][]float32) error {
	m.hold("step")
	inner := make([]generate.Sequence, len(sequences))
	for i, s := range sequences {
		inner[i] = s.(heldSequence).Sequence
	}
	return m.Model.Step(inner, tokens, logits)
}

type heldSequence struct {
	generate.Sequence
	hold func(call string)
}

func (s heldSequence) Advance(most int, logits []float32) error {
	s.hold("prefill")
	return s.Sequence.Advance(most, logits)
}

// gate holds up the first of a kind of calls until it is opened.
type gate struct {
	call          string
	once          sync.Once
	reached, open chan struct{}
}

func newGate(call string) *gate {
	return &gate{call: call, reached: make(chan struct{}), open: make(chan struct{})}
}

func (g *gate) hold(call string) {
	if call == g.call {
		g.once.Do(func() {
			close(g.reached)
			<-g.open
		})
	}
}

// startHeld serves the tiny model, held up, over connections without any buffer:
// what one side does not read the other cannot write. At the end of the test it
// holds the server to leave no goroutine behind.
func startHeld(t *testing.T, hold func(call string), change func(*Config, *Server)) (*Server, *pipes) {
	t.Helper()
	before := runtime.NumGoroutine()
	model, err := vlm.Open("random:tiny", vlm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, patient := Config{Model: model, Version: "test"}, timeouts{header: time.Minute, body: time.Minute, write: time.Minute}
	probe := &Server{timeouts: patient}
	if change != nil {
		change(&c, probe)
	}
	s, err := newServer(c, heldModel{generate.OnVLM(model), hold})
	if err != nil {
		t.Fatal(err)
	}
	s.timeouts = probe.timeouts
	l := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	server := s.httpServer()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.engine.Close(ctx)
		model.Close()
		l.client().CloseIdleConnections()
		eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
		if held := s.bodies.held.Load(); held != 0 {
			t.Errorf("%d bytes of bodies are still counted", held)
		}
	})
	return s, l
}

// pipes is a listener of net.Pipe connections.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
	http        *http.Client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial is the client's end of a new connection.
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) client() *http.Client {
	if p.http == nil {
		p.http = &http.Client{Transport: &http.Transport{DialContext: p.dial}}
	}
	return p.http
}

// post sends a body to a route.
func (p *pipes) post(ctx context.Context, route, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pipe"+route, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return p.client().Do(r)
}

// eventually waits for a condition, with a bound that only a fault reaches.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("never: %s; the goroutines are\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// idle waits until nothing is left of any request.
func (s *Server) idle(t *testing.T) {
	t.Helper()
	eventually(t, "an idle server", func() bool {
		running, waiting := s.engine.Load()
		return running == 0 && waiting == 0 && s.requests.Load() == 0 && s.engine.KVUsage() == 0
	})
}
