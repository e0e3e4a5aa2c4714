package chatclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"siglab/bench/record"
)

// standardTransport sends by net/http: TLS and HTTP/2. A read is stamped when
// net/http hands its bytes over.
type standardTransport struct {
	base   string
	header http.Header
	http   *http.Client
	now    func() time.Duration
}

func (t *standardTransport) roundTrip(ctx context.Context, r *request, o *record.Observation) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &standardAnswer{transport: t, limits: r.limits, cancel: cancel, ctx: ctx, stamps: traceStamps{now: t.now}}
	a.watch = time.AfterFunc(a.untilLimit(), a.expire)
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, a.stamps.trace()), r.method, t.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		a.close()
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream, application/json")
	setHeader(request, t.header)
	request.Header.Set("X-Request-Id", r.id)
	a.response, err = t.http.Do(request)
	a.stamps.copyTo(o)
	if err != nil {
		err = a.cause(err)
		if o.Connection.Got == 0 && kindOf(err) != record.FailedStalled && kindOf(err) != record.FailedTimeout {
			err = unconnected(err)
		}
		a.close()
		return nil, err
	}
	a.buffer = buffers.Get().(*[]byte)
	return a, nil
}

func (t *standardTransport) close() { t.http.CloseIdleConnections() }

// standardAnswer is an answer that net/http reads. Its time limits are kept by a
// timer that cancels the request.
type standardAnswer struct {
	transport *standardTransport
	ctx       context.Context // of this one request
	cancel    context.CancelCauseFunc
	watch     *time.Timer
	limits    limits
	response  *http.Response
	buffer    *[]byte
	stamps    traceStamps
}

// untilLimit is how long nothing may happen from now on.
func (a *standardAnswer) untilLimit() time.Duration {
	return min(a.limits.idle, time.Until(a.limits.deadline))
}

// expire ends the request.
func (a *standardAnswer) expire() {
	if time.Now().Before(a.limits.deadline) {
		a.cancel(stalled(a.limits.idle))
		return
	}
	a.cancel(&failure{record.FailedTimeout, context.DeadlineExceeded})
}

// cause is why a request was cancelled, where that is the reason of err.
func (a *standardAnswer) cause(err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	return err
}

func (a *standardAnswer) head() (status int, contentType string) {
	return a.response.StatusCode, a.response.Header.Get("Content-Type")
}

func (a *standardAnswer) next() ([]byte, time.Duration, error) {
	n, err := a.response.Body.Read(*a.buffer)
	at := a.transport.now()
	if err == nil {
		a.watch.Reset(a.untilLimit())
	} else {
		err = a.cause(err) // a cancelled HTTP/1.1 body may end as if it were whole
	}
	return (*a.buffer)[:n], at, err
}

func (a *standardAnswer) limit(deadline time.Time) {
	if !deadline.Before(a.limits.deadline) || !a.watch.Stop() {
		return
	}
	a.limits.deadline = deadline
	a.watch = time.AfterFunc(a.untilLimit(), a.expire)
}

func (a *standardAnswer) written() time.Duration {
	written, _ := a.stamps.read()
	return written
}

func (a *standardAnswer) close() {
	a.watch.Stop()
	if a.response != nil {
		_ = a.response.Body.Close() // read only
	}
	a.cancel(nil)
	if a.buffer != nil {
		buffers.Put(a.buffer)
	}
}

// traceStamps are stamped by the transport's goroutines.
type traceStamps struct {
	now func() time.Duration

	mu                 sync.Mutex
	written, firstByte time.Duration
	connection         record.Connection
}

func (s *traceStamps) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSDone:          func(httptrace.DNSDoneInfo) { s.stamp(&s.connection.Resolved) },
		ConnectDone:      func(string, string, error) { s.stamp(&s.connection.Opened) },
		TLSHandshakeDone: func(tls.ConnectionState, error) { s.stamp(&s.connection.Secured) },
		GotConn: func(info httptrace.GotConnInfo) {
			s.stamp(&s.connection.Got)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.connection.New = !info.Reused
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { s.stamp(&s.written) },
		GotFirstResponseByte: func() { s.stamp(&s.firstByte) },
	}
}

func (s *traceStamps) stamp(field *time.Duration) {
	at := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	*field = at
}

func (s *traceStamps) read() (written, firstByte time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written, s.firstByte
}

// copyTo writes the stamps down.
func (s *traceStamps) copyTo(o *record.Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Written, o.FirstByte, o.Connection = s.written, s.firstByte, s.connection
	if !o.Connection.New { // another request's, which this one did not wait for
		o.Connection = record.Connection{Got: s.connection.Got}
	}
}
