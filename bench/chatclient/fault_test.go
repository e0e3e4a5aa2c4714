package chatclient

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"siglab/bench/record"
	"siglab/bench/truthserver"
)

// truth starts a truth server on the loopback device and returns its URL.
func truth(t testing.TB) string {
	t.Helper()
	server, err := truthserver.New(truthserver.Script{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		if err := server.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); served.Wait() })
	return "http://" + listener.Addr().String()
}

// ask sends one scripted request.
func ask(t testing.TB, client *Client, s truthserver.Script) record.Observation {
	t.Helper()
	body, err := truthserver.Body(s, 0)
	if err != nil {
		t.Fatal(err)
	}
	return client.Send(t.Context(), record.Item{ID: "r", Body: body})
}

// TestAnswers reads the same answer in every form that servers give it.
func TestAnswers(t *testing.T) {
	type script = truthserver.Script
	ms := time.Millisecond
	tests := []struct {
		name   string
		script script
		want   record.TokenSource
		chunks int
	}{
		{"one event a token", script{Tokens: 5}, record.TokensByUsage, 6},
		{"several tokens in an event", script{Tokens: 5, PerEvent: 2}, record.TokensByUsage, 4},
		{"tokens told with every event", script{Tokens: 5, PerEvent: 2, Usage: truthserver.UsageContinuous}, record.TokensByChunk, 4},
		{"no usage: events with text are counted", script{Tokens: 5, Usage: truthserver.UsageNone}, record.TokensCounted, 6},
		{"the role well before the first token", script{Tokens: 5, TTFT: 20 * ms, Role: truthserver.RoleEarly, RoleLead: 15 * ms}, record.TokensByUsage, 6},
		{"no role event", script{Tokens: 5, Role: truthserver.RoleNone}, record.TokensByUsage, 5},
		{"reasoning first", script{Tokens: 5, Reasoning: 2}, record.TokensByUsage, 6},
		{"reasoning only", script{Tokens: 5, Reasoning: 5}, record.TokensByUsage, 6},
		{"lines that end in CRLF, cut anywhere", script{Tokens: 5, LineEnd: "\r\n", Split: 3}, record.TokensByUsage, 6},
		{"lines that end in CR, byte by byte", script{Tokens: 5, LineEnd: "\r", Split: 1}, record.TokensByUsage, 6},
	}
	client := New(truth(t), Options{Origin: time.Now().Add(-time.Second)})
	defer client.Close()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := ask(t, client, tt.script)
			if !o.OK() || o.FinishReason != "length" || o.OutputTokens != 5 || o.Text+o.Reasoning == "" || len(o.Text)+len(o.Reasoning) != 5*len(" tok") {
				t.Fatalf("observation %+v", o)
			}
			if o.TokenSource != tt.want || len(o.ChunkAt) != tt.chunks || len(o.ChunkLens) != tt.chunks {
				t.Errorf("%q, %d chunks; want %q, %d", o.TokenSource, len(o.ChunkAt), tt.want, tt.chunks)
			}
			if sum := total(o.ChunkTokens); tt.want == record.TokensByChunk && (sum != 5 || len(o.ChunkTokens) != tt.chunks) {
				t.Errorf("tokens of the chunks %v", o.ChunkTokens)
			}
			if o.RoleChunk == 0 || o.RoleChunk > o.FirstToken {
				t.Errorf("the role came at %v, the first token at %v", o.RoleChunk, o.FirstToken)
			}
			if r := tt.script.Reasoning; r > 0 && (total(o.ReasoningLens) != r*len(" tok") || len(o.ReasoningLens) != tt.chunks || (o.FirstContent > 0) != (r < 5)) {
				t.Errorf("reasoning %v, first content %v", o.ReasoningLens, o.FirstContent)
			}
		})
	}
	if o := ask(t, client, script{}); o.Connection.New || o.Connection.Got == 0 {
		t.Errorf("the connection was not kept: %+v", o.Connection)
	}
}

func total(numbers []int) (sum int) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}

// TestFaults wants every fault counted by its kind, what came before it kept, and
// the next request unharmed.
func TestFaults(t *testing.T) {
	wants := map[truthserver.Fault]record.Failure{
		truthserver.FaultStatus:     record.FailedStatus,
		truthserver.FaultSilent:     record.FailedStalled,
		truthserver.FaultHang:       record.FailedReset,
		truthserver.FaultGarbage:    record.FailedProtocol,
		truthserver.FaultHalfHead:   record.FailedCut,
		truthserver.FaultType:       record.FailedType,
		truthserver.FaultReset:      record.FailedReset,
		truthserver.FaultAbort:      record.FailedCut,
		truthserver.FaultStall:      record.FailedStalled,
		truthserver.FaultEndless:    record.FailedTimeout,
		truthserver.FaultLongLine:   record.FailedEvent,
		truthserver.FaultBadJSON:    record.FailedEvent,
		truthserver.FaultErrorEvent: record.FailedServer,
		truthserver.FaultNoDone:     record.FailedCut,
		truthserver.FaultEmpty:      record.FailedEmpty,
		truthserver.FaultLinger:     "",
	}
	const after = 3
	url := truth(t)
	for _, fault := range truthserver.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			client := New(url, Options{Origin: time.Now().Add(-time.Second), IdleTimeout: time.Second, Timeout: 4 * time.Second})
			defer client.Close()
			o := ask(t, client, truthserver.Script{Tokens: 8, ITL: 20 * time.Millisecond, Fault: fault, After: after})
			want, known := wants[fault]
			if !known || o.Failure != want || (o.Error == "") != (want == "") || o.Sent == 0 || o.End < o.Sent {
				t.Fatalf("failure %q (%s), want %q; %+v", o.Failure, o.Error, want, o)
			}
			switch fault {
			case truthserver.FaultAbort, truthserver.FaultStall, truthserver.FaultBadJSON, truthserver.FaultErrorEvent, truthserver.FaultLongLine:
				if o.Text != strings.Repeat(" tok", after) || o.FirstToken == 0 {
					t.Errorf("what came before is lost: %q", o.Text)
				}
			case truthserver.FaultStatus:
				if o.Status != 503 || !strings.Contains(o.ErrorBody, "scripted") || !strings.Contains(o.Error, "scripted") {
					t.Errorf("status %d, body %q, error %q", o.Status, o.ErrorBody, o.Error)
				}
			case truthserver.FaultType:
				if !strings.Contains(o.ErrorBody, "whole") {
					t.Errorf("body %q", o.ErrorBody)
				}
			}
			if next := ask(t, client, truthserver.Script{Tokens: 2}); !next.OK() {
				t.Errorf("the next request: %s", next.Error)
			}
		})
	}
}

// TestKeptConnection: a server that closes idle connections costs no request.
func TestKeptConnection(t *testing.T) {
	url := truth(t)
	client := New(url, Options{Origin: time.Now()})
	defer client.Close()
	if err := client.Warm(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	transport := client.measure.(*http1)
	if len(transport.idle) != 3 {
		t.Fatalf("%d warm connections", len(transport.idle))
	}
	for _, conn := range transport.idle {
		if err := conn.Conn.(*net.TCPConn).CloseRead(); err != nil { // looks as if the server had
			t.Fatal(err)
		}
	}
	if o := ask(t, client, truthserver.Script{}); !o.OK() || !o.Connection.New {
		t.Errorf("%s; connection %+v", o.Error, o.Connection)
	}
}

// TestLongBody: a request that does not fit into the socket's buffer, read or
// refused before it is read.
func TestLongBody(t *testing.T) {
	client := New(truth(t), Options{Origin: time.Now().Add(-time.Second)})
	defer client.Close()
	body, err := truthserver.Body(truthserver.Script{Tokens: 3}, 20<<20)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o := client.Send(t.Context(), record.Item{ID: "long", Body: body})
		if !o.OK() || o.Written < o.Sent || o.FirstByte < o.Sent {
			t.Errorf("%s: sent %v, written %v, first byte %v", o.Error, o.Sent, o.Written, o.FirstByte)
		}
	}
	early := refuse(t, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge")
	client = New(early, Options{Origin: time.Now().Add(-time.Second)})
	defer client.Close()
	if o := client.Send(t.Context(), record.Item{Body: body}); o.Status != 413 || o.Failure != record.FailedStatus || o.ErrorBody != "large" {
		t.Errorf("refused early: status %d, %q %s", o.Status, o.Failure, o.Error)
	}
}

// refuse answers every connection with these bytes, and reads nothing until then.
func refuse(t *testing.T, answer string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); served.Wait() })
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(answer))
			_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // lets the answer arrive before the reset
			for buffer := make([]byte, 1<<16); err == nil; {
				_, err = conn.Read(buffer)
			}
			_ = conn.Close()
		}
	})
	return "http://" + listener.Addr().String()
}

// TestServerThatTakesNothing: a request that cannot be written ends by the idle
// time-out.
func TestServerThatTakesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // its backlog accepts, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	client := New("http://"+listener.Addr().String(), Options{Origin: time.Now(), IdleTimeout: 100 * time.Millisecond})
	defer client.Close()
	for _, size := range []int{100, 40 << 20} {
		if o := client.Send(t.Context(), record.Item{Body: make([]byte, size)}); o.Failure != record.FailedStalled {
			t.Errorf("%d bytes: %q %s", size, o.Failure, o.Error)
		}
	}
}

// TestCancelInFlight: the end of the run ends a stalled answer at once.
func TestCancelInFlight(t *testing.T) {
	client := New(truth(t), Options{Origin: time.Now()})
	defer client.Close()
	for _, fault := range []truthserver.Fault{truthserver.FaultSilent, truthserver.FaultStall, truthserver.FaultEndless} {
		body, err := truthserver.Body(truthserver.Script{Fault: fault, ITL: time.Millisecond}, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(50*time.Millisecond, cancel)
		if o := client.Send(ctx, record.Item{Body: body}); o.Failure != record.FailedCancelled {
			t.Errorf("%s: %q %s", fault, o.Failure, o.Error)
		}
		timer.Stop()
	}
}

// TestUnconnected: what ran out is said with what to do about it.
func TestUnconnected(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"open files", &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, "ulimit -n"},
		{"local ports", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}, "ip_local_port_range"},
		{"neither", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "refused"},
	} {
		err := unconnected(test.err)
		if kindOf(err) != record.FailedConnect || !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: %q %v", test.name, kindOf(err), err)
		}
	}
}

// TestBadURL fails every request with what is wrong.
func TestBadURL(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8000", "ftp://x", "http://", "http://127.0.0.1:1", "http://[::1", "https://127.0.0.1:1", "h2c://127.0.0.1:1"} {
		client := New(url, Options{Origin: time.Now().Add(-time.Second), Timeout: 2 * time.Second})
		if o := client.Send(t.Context(), record.Item{Body: []byte("{}")}); o.Failure != record.FailedConnect || o.Error == "" {
			t.Errorf("%q: %q %s", url, o.Failure, o.Error)
		}
		client.Close()
	}
	if kinds := truthserver.Faults(); slices.Contains(kinds, truthserver.FaultNone) {
		t.Error("no fault is listed as one")
	}
}
