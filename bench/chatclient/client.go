// Package chatclient sends requests of OpenAI's protocol and stamps what comes back.
//
// A request's body is encoded before the run; sending it costs a write. Every raw
// read is stamped before its bytes are looked at, so that the time to parse one
// event never counts into the time of the next. All stamps are offsets on one
// monotonic clock.
//
// A base URL of scheme http is spoken to over plain HTTP/1.1 by a transport of our
// own: net/http passes a request through two goroutines of its connection and an
// answer's head through one, each of which may wait for a core where the server
// wants it too. https (HTTP/2 or 1.1, as the server offers) and h2c (HTTP/2 without
// TLS) go through net/http.
package chatclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"siglab/bench/record"
)

// Backend is the protocol of the requests' bodies and answers.
type Backend int

// The backends.
const (
	Chat        Backend = iota // /v1/chat/completions
	Completions                // /v1/completions
)

func (b Backend) path() string {
	if b == Completions {
		return "/v1/completions"
	}
	return "/v1/chat/completions"
}

// Options of a client.
type Options struct {
	Origin      time.Time     // of the run's clock; its monotonic reading is used
	Timeout     time.Duration // for one whole answer. Zero: 10 min
	IdleTimeout time.Duration // longest time without a byte of it. Zero: 60 s
	Backend     Backend
	Path        string      // of the requests, after the base URL. "": the backend's
	Header      http.Header // sent with every request
	TLS         *tls.Config // for https; nil: the system's roots
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	base    string
	options Options
	http    *http.Client // for what is not measured, and https
	measure transport
}

// transport sends one request at a time and hands back its answer.
type transport interface {
	// roundTrip writes the request and reads the answer's head. The caller closes
	// the answer, whose reads are bounded by the limits.
	roundTrip(ctx context.Context, r *request, o *record.Observation) (answer, error)
	close()
}

// request is what is sent.
type request struct {
	method, path, id string
	body             []byte
	limits           limits
}

// limits bound a request in time.
type limits struct {
	deadline time.Time     // of the whole answer
	idle     time.Duration // without a byte
}

// answer is what comes back, head first.
type answer interface {
	head() (status int, contentType string)
	// next blocks for one raw read, and returns the bytes of the body that it
	// brought, possibly none, with its time. io.EOF ends the body; bytes may come
	// with it. The bytes are valid until the next call.
	next() (data []byte, at time.Duration, err error)
	// limit shortens the time in which the answer must end.
	limit(deadline time.Time)
	// written is when the request had been written, 0 if it has not been.
	written() time.Duration
	// close gives the connection back if the body was read to its end, and closes it
	// otherwise.
	close()
}

const (
	idleConnections = 8192 // kept open: more than any load here has in flight
	controlTimeout  = 10 * time.Second
	mostControl     = 16 << 20 // bytes of an answer that is not a stream
	defaultTimeout  = 10 * time.Minute
	defaultIdle     = 60 * time.Second
)

// New returns a client for a base URL such as "http://127.0.0.1:8000". A URL that
// cannot be used fails every request with the reason.
func New(baseURL string, o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdle
	}
	if o.Path == "" {
		o.Path = o.Backend.path()
	}
	c := &Client{base: strings.TrimSuffix(baseURL, "/"), options: o}
	standard := &http.Transport{
		MaxIdleConns: idleConnections, MaxIdleConnsPerHost: idleConnections,
		DisableCompression: true, // it would delay events
		TLSClientConfig:    o.TLS,
		Protocols:          new(http.Protocols),
	}
	standard.Protocols.SetHTTP1(true)
	standard.Protocols.SetHTTP2(true)
	c.http = &http.Client{Transport: standard}
	u, err := url.Parse(c.base)
	switch {
	case err != nil:
		c.measure = noTransport{err}
	case u.Scheme == "http" && u.Host != "":
		c.measure = newHTTP1(u, o.Header, c.now)
	case u.Scheme == "https" && u.Host != "":
		c.measure = &standardTransport{base: c.base, header: o.Header, http: c.http, now: c.now}
	case u.Scheme == "h2c" && u.Host != "":
		standard.Protocols.SetHTTP1(false)
		standard.Protocols.SetUnencryptedHTTP2(true)
		c.base = "http" + strings.TrimPrefix(c.base, "h2c")
		c.measure = &standardTransport{base: c.base, header: o.Header, http: c.http, now: c.now}
	default:
		c.measure = noTransport{fmt.Errorf("%q is not a base URL such as http://127.0.0.1:8000 (or https, h2c)", baseURL)}
	}
	return c
}

// noTransport fails with the reason.
type noTransport struct{ reason error }

func (t noTransport) roundTrip(context.Context, *request, *record.Observation) (answer, error) {
	return nil, &failure{record.FailedConnect, t.reason}
}

func (noTransport) close() {}

// Close closes the idle connections.
func (c *Client) Close() {
	c.measure.close()
	c.http.CloseIdleConnections()
}

// now is the offset on the run's clock.
func (c *Client) now() time.Duration { return time.Since(c.options.Origin) }
