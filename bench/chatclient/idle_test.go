package chatclient

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"siglab/bench/record"
)

// TestTimeoutsExactly measures both time-outs on the bubble's clock.
func TestTimeoutsExactly(t *testing.T) {
	tests := []struct {
		name    string
		gaps    []time.Duration // before each event
		failure record.Failure
		end     time.Duration // after it was sent
	}{
		{"slow is not stalled: no gap reaches a minute", []time.Duration{50 * time.Second, 59 * time.Second, 59 * time.Second}, "", 168 * time.Second},
		{"a minute after the last byte", []time.Duration{10 * time.Second, 20 * time.Second, time.Hour}, record.FailedStalled, 90 * time.Second},
		{"no byte at all", []time.Duration{time.Hour}, record.FailedStalled, time.Minute},
		{"ten minutes for the whole", []time.Duration{
			59 * time.Second, 59 * time.Second, 59 * time.Second, 59 * time.Second, 59 * time.Second, 59 * time.Second,
			59 * time.Second, 59 * time.Second, 59 * time.Second, 59 * time.Second, 59 * time.Second,
		}, record.FailedTimeout, 10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				origin := time.Now().Add(-time.Second)
				client := New("http://pipe", Options{Origin: origin})
				client.measure.(*http1).put(&http1Conn{Conn: ours})
				defer client.Close()
				var served sync.WaitGroup
				defer served.Wait()
				served.Go(func() { serveSlowly(theirs, tt.gaps) })
				o := client.Send(t.Context(), record.Item{Body: []byte("{}")})
				if o.Failure != tt.failure || o.End-o.Sent != tt.end || o.Connection.New {
					t.Errorf("%q (%s) after %v, want %q after %v", o.Failure, o.Error, o.End-o.Sent, tt.failure, tt.end)
				}
			})
		})
	}
}

// serveSlowly answers one request with an event after each gap.
func serveSlowly(conn net.Conn, gaps []time.Duration) {
	defer func() { _ = conn.Close() }()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	if _, err := io.ReadAll(r.Body); err != nil {
		return
	}
	text := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	for _, gap := range gaps {
		time.Sleep(gap)
		if _, err := io.WriteString(conn, text+"data: "+hello+"\n\n"); err != nil {
			return
		}
		text = ""
	}
	_, _ = io.WriteString(conn, "data: [DONE]\n\n")
}
