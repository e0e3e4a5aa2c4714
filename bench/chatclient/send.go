package chatclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

const (
	mostErrorBody = 4 << 10
	mostStream    = 256 << 20 // bytes; a server that never ends is an error, not a full memory

	// endGrace is how long a body may take to end once its events have: a server that
	// keeps the connection open after [DONE] must not stretch the block.
	endGrace = time.Second
)

// Send sends one request and reads its answer to the end. It fills in the times
// from Sent on and everything about the answer; a request that fails has its reason
// in Error and Failure, and keeps what came before. It ends when the answer does, or
// by Options.Timeout or IdleTimeout, or with ctx.
func (c *Client) Send(ctx context.Context, item record.Item) record.Observation {
	o := record.Observation{Item: item.ID, Index: item.Index}
	o.Sent = c.now()
	err := ctx.Err()
	if err == nil {
		err = c.send(ctx, item.Body, &o)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = &failure{record.FailedCancelled, context.Cause(ctx)}
		}
		o.Error, o.Failure = err.Error(), kindOf(err)
		o.End = c.now()
	}
	return o
}

func (c *Client) send(ctx context.Context, body []byte, o *record.Observation) error {
	r := &request{
		method: http.MethodPost, path: c.options.Path, id: o.Item, body: body,
		limits: limits{deadline: time.Now().Add(c.options.Timeout), idle: c.options.IdleTimeout},
	}
	a, err := c.measure.roundTrip(ctx, r, o)
	if err != nil {
		return c.explain(err, r)
	}
	defer func() {
		a.close()
		o.Written = a.written() // a server may answer before it has read the request
	}()
	status, kind := a.head()
	o.Status = status
	isStream := strings.HasPrefix(strings.ToLower(kind), "text/event-stream")
	if status == http.StatusOK && isStream {
		return c.explain(c.readStream(a, o), r)
	}
	said := readSome(a)
	o.ErrorBody = strings.ToValidUTF8(string(said), "\uFFFD")
	if status != http.StatusOK {
		return &failure{record.FailedStatus, &statusError{"the server", status, errorText(said)}}
	}
	return failf(record.FailedType, "the answer is %q, not an event stream", kind)
}

// explain says which limit an expired deadline was.
func (c *Client) explain(err error, r *request) error {
	if err != nil && kindOf(err) == record.FailedTimeout && !time.Now().Before(r.limits.deadline) {
		return late(c.options.Timeout)
	}
	return err
}

// readSome is the beginning of an answer that is no stream; part of it is better
// than none. A short answer is read to its end, which keeps the connection.
func readSome(a answer) []byte {
	var said []byte
	a.limit(time.Now().Add(controlTimeout))
	for len(said) <= mostErrorBody {
		data, _, err := a.next()
		said = append(said, data...)
		if err != nil {
			break
		}
	}
	return said[:min(len(said), mostErrorBody)]
}

// readStream reads events to the end, each stamped by the read that brought it.
func (c *Client) readStream(a answer, o *record.Observation) error {
	r := reader{observation: o}
	var parser chatapi.EventParser
	for total := 0; total <= mostStream; {
		data, at, err := a.next()
		total += len(data)
		done := r.done
		if perr := parser.Feed(data, func(data []byte) { r.event(data, at) }); perr != nil {
			return r.finish(perr)
		}
		if err == nil && r.err != nil {
			err = r.err // an answer that went wrong need not be waited for
		}
		switch {
		case r.done && err != nil: // however the body ends, the answer is complete
			if errors.Is(err, io.EOF) || !done {
				o.End = at
			}
			return r.finish(nil)
		case r.done && !done:
			o.End = at
			a.limit(time.Now().Add(endGrace))
		case errors.Is(err, io.EOF):
			o.End = at
			return r.finish(nil)
		case err != nil:
			return r.finish(err)
		}
	}
	return r.finish(failf(record.FailedTooLong, "the stream has more than %d bytes", mostStream))
}
