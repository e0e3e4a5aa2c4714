package chatclient

import (
	"context"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"siglab/bench/record"
)

// http1 speaks HTTP/1.1 over TCP: one request at a time on a connection, which is
// kept for the next. Requests are written and answers read by the caller's own
// goroutine.
type http1 struct {
	address string // host and port
	prefix  string // path of the base URL
	header  string // lines of every request
	dialer  net.Dialer
	now     func() time.Duration

	mu     sync.Mutex
	idle   []*http1Conn // the one used last is last
	closed bool
}

// http1Conn is one connection.
type http1Conn struct {
	net.Conn
	idleSince time.Time
}

const (
	dialTimeout = 10 * time.Second
	// staleAfter is how long a connection must have been idle for its end to be taken
	// for the server's keep-alive time-out, rather than for an answer.
	staleAfter = time.Second
)

func newHTTP1(u *url.URL, header http.Header, now func() time.Duration) *http1 {
	t := &http1{address: u.Host, prefix: strings.TrimSuffix(u.EscapedPath(), "/"), now: now, dialer: net.Dialer{Timeout: dialTimeout}}
	if u.Port() == "" {
		t.address = net.JoinHostPort(u.Hostname(), "80")
	}
	t.header = headerLines(u, header)
	return t
}

// headerLines are those of every request: ours, and those given, which win. What
// frames or names a request is not theirs to set.
func headerLines(u *url.URL, given http.Header) string {
	header := http.Header{
		"Host": {u.Host}, "User-Agent": {"siglab"}, "Accept": {"text/event-stream, application/json"}, "Content-Type": {"application/json"},
	}
	if u.User != nil {
		secret, _ := u.User.Password()
		login := http.Request{Header: header}
		login.SetBasicAuth(u.User.Username(), secret)
	}
	for name, values := range given {
		header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection", "X-Request-Id"} {
		header.Del(name)
	}
	var lines strings.Builder
	_ = header.Write(&lines) // a builder takes everything; line ends in values become blanks
	return lines.String()
}

// head is the request's head.
func (t *http1) head(r *request) []byte {
	head := make([]byte, 0, len(t.header)+256)
	head = append(head, r.method...)
	head = append(head, ' ')
	head = append(head, t.prefix...)
	head = append(head, r.path...)
	head = append(head, " HTTP/1.1\r\n"...)
	head = append(head, t.header...)
	if r.id != "" {
		head = append(head, "X-Request-Id: "...)
		head = append(head, r.id...)
		head = append(head, "\r\n"...)
	}
	head = append(head, "Content-Length: "...)
	head = strconv.AppendInt(head, int64(len(r.body)), 10)
	return append(head, "\r\n\r\n"...)
}

// roundTrip sends the request on a kept connection, or a new one.
func (t *http1) roundTrip(ctx context.Context, r *request, o *record.Observation) (answer, error) {
	if strings.ContainsAny(r.id, "\r\n") {
		return nil, failf(record.FailedProtocol, "request id %q holds a line end", r.id)
	}
	head := t.head(r)
	for {
		conn, err := t.get(ctx, r.limits.deadline, o)
		if err != nil {
			return nil, unconnected(err)
		}
		idleFor := time.Since(conn.idleSince) // of a kept one
		a := newHTTP1Answer(ctx, t, conn, r)
		err = a.exchange(head, r.body)
		o.Written, o.FirstByte = a.written(), a.firstByte
		if err == nil {
			return a, nil
		}
		a.close()
		// A server may close a connection that was long idle while we write on it.
		stale := !o.Connection.New && idleFor > staleAfter && a.firstByte == 0 && kindOf(err) == record.FailedReset
		if !stale || ctx.Err() != nil || o.Connection.Retries > 0 {
			return nil, err
		}
		o.Connection.Retries++
	}
}

// get takes the connection that was used last, if it is still open, or opens one.
func (t *http1) get(ctx context.Context, deadline time.Time, o *record.Observation) (*http1Conn, error) {
	for o.Connection.Retries == 0 {
		conn := t.takeIdle()
		if conn == nil {
			break
		}
		if stillOpen(conn.Conn) {
			o.Connection.Got = t.now()
			return conn, nil
		}
		_ = conn.Close() // the server has closed it
	}
	return t.open(ctx, deadline, o)
}

func (t *http1) takeIdle() *http1Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == 0 {
		return nil
	}
	last := len(t.idle) - 1
	conn := t.idle[last]
	t.idle = slices.Delete(t.idle, last, last+1)
	return conn
}

// open dials, stamping its phases.
func (t *http1) open(ctx context.Context, deadline time.Time, o *record.Observation) (*http1Conn, error) {
	o.Connection.New = true
	dialer := t.dialer
	dialer.Deadline = deadline
	dialer.ControlContext = func(context.Context, string, string, syscall.RawConn) error {
		if o.Connection.Resolved == 0 { // the first address that is tried
			o.Connection.Resolved = t.now()
		}
		return nil
	}
	dialer.FallbackDelay = -1 // one address after the other: the stamp has one writer
	conn, err := dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	o.Connection.Opened = t.now()
	o.Connection.Got = o.Connection.Opened
	return &http1Conn{Conn: conn}, nil
}

// put keeps a connection for the next request.
func (t *http1) put(conn *http1Conn) {
	conn.idleSince = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.idle) >= idleConnections {
		_ = conn.Close() // nothing is in flight on it
		return
	}
	t.idle = append(t.idle, conn)
}

func (t *http1) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, conn := range t.idle {
		_ = conn.Close() // nothing is in flight on it
	}
	t.idle = nil
}
