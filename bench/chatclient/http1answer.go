package chatclient

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"siglab/bench/record"
)

// http1Answer is one request on its connection: written, then read.
type http1Answer struct {
	transport *http1
	conn      *http1Conn
	ctx       context.Context // of this one request
	stop      func() bool     // ends the watch on ctx
	limits    limits
	buffer    *[]byte // of raw reads
	unread    []byte  // of buffer: what a raw read brought beyond the head

	started time.Duration // when the idle time-out began to count
	readAt  time.Duration // of the last raw read
	armed   bool          // a read deadline is set

	writing   sync.WaitGroup // a long body is being written
	writtenTo atomic.Int64   // when it last moved, ns since the origin
	writtenAt atomic.Int64   // when the request had been written, 0 before
	firstByte time.Duration

	responseHead
	chunks chunkDecoder
	ended  bool // the body was read to its end
}

const (
	readBuffer = 16 << 10
	longBody   = 64 << 10 // from here on a server may answer before it has read all
	writePiece = 256 << 10

	// writeGrace is how much longer a request is written whose answer has ended.
	writeGrace = 20 * time.Millisecond
)

// buffers are those of raw reads; idle connections have none.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, readBuffer)
	return &b
}}

func newHTTP1Answer(ctx context.Context, t *http1, conn *http1Conn, r *request) *http1Answer {
	a := &http1Answer{transport: t, conn: conn, ctx: ctx, limits: r.limits, started: t.now(), buffer: buffers.Get().(*[]byte)}
	// A deadline in the past wakes whoever reads or writes.
	a.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return a
}

// exchange writes the request and reads the answer's head. A server that refuses a
// request may close the connection before it has read it: its answer says why.
func (a *http1Answer) exchange(head, body []byte) error {
	writeErr := a.send(head, body)
	if writeErr != nil && kindOf(writeErr) != record.FailedReset {
		return writeErr
	}
	err := a.readHead()
	if err != nil && writeErr != nil {
		return writeErr
	}
	return err
}

// send writes the request. A long body is written beside the reading, so that a
// server that refuses it early is heard; why the writing failed, the reading tells.
func (a *http1Answer) send(head, body []byte) error {
	if len(body) < longBody {
		err := a.write(net.Buffers{head, body}, a.limits)
		if err == nil {
			a.writtenAt.Store(int64(a.transport.now()))
			a.started = a.transport.now()
		}
		return err
	}
	bounds := a.limits // the reading may shorten its own
	a.writing.Go(func() {
		err := a.write(net.Buffers{head, body[:longBody]}, bounds)
		for rest := body[longBody:]; err == nil && len(rest) > 0; {
			n := min(writePiece, len(rest))
			err = a.write(net.Buffers{rest[:n]}, bounds)
			rest = rest[n:]
			a.writtenTo.Store(int64(a.transport.now()))
		}
		if err == nil {
			a.writtenAt.Store(int64(a.transport.now()))
		}
	})
	return nil
}

// write writes one piece within the limits.
func (a *http1Answer) write(pieces net.Buffers, bounds limits) error {
	deadline := time.Now().Add(bounds.idle)
	if bounds.deadline.Before(deadline) {
		deadline = bounds.deadline
	}
	if err := a.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	if err := a.ctx.Err(); err != nil { // after the deadline: one of both is seen
		return err
	}
	_, err := pieces.WriteTo(a.conn.Conn)
	if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(bounds.deadline) {
		return failf(record.FailedStalled, "the server took no byte of the request for %v (the idle time-out)", bounds.idle)
	}
	return err
}

// read is one raw read, stamped.
func (a *http1Answer) read() ([]byte, error) {
	for {
		if err := a.arm(); err != nil {
			return nil, err
		}
		n, err := a.conn.Read(*a.buffer)
		at := a.transport.now()
		if n > 0 {
			a.readAt = at
			if a.firstByte == 0 {
				a.firstByte = at
			}
			return (*a.buffer)[:n], nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || a.ctx.Err() != nil {
			return nil, err
		}
		// The deadline was set some reads ago: it may be too early by now.
		a.armed = false
		if !time.Now().Before(a.limits.deadline) {
			return nil, err
		}
		if at-a.moved() >= a.limits.idle {
			return nil, stalled(a.limits.idle)
		}
	}
}

// moved is when a byte last went either way.
func (a *http1Answer) moved() time.Duration {
	return max(a.started, a.readAt, time.Duration(a.writtenTo.Load()))
}

// arm sets the read deadline, unless one is set.
func (a *http1Answer) arm() error {
	if a.armed {
		return nil
	}
	deadline := time.Now().Add(a.limits.idle - (a.transport.now() - a.moved()))
	if a.limits.deadline.Before(deadline) {
		deadline = a.limits.deadline
	}
	if err := a.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	a.armed = true
	return a.ctx.Err() // after the deadline: one of both is seen
}

// readHead reads up to the end of the answer's head.
func (a *http1Answer) readHead() error {
	var parser headParser
	for {
		data, err := a.read()
		switch {
		case errors.Is(err, io.EOF) && parser.begun():
			return failf(record.FailedCut, "the connection ended within the answer's head")
		case errors.Is(err, io.EOF):
			return failf(record.FailedReset, "the server closed the connection without an answer")
		case err != nil:
			return err
		}
		rest, done, err := parser.feed(data)
		if err != nil {
			return &failure{record.FailedProtocol, err}
		}
		if done {
			a.responseHead, a.unread = parser.head, rest
			a.ended = a.framing == byLength && a.left == 0
			return nil
		}
	}
}

func (a *http1Answer) head() (status int, contentType string) { return a.status, a.contentType }

// next returns what one raw read brought of the body.
func (a *http1Answer) next() ([]byte, time.Duration, error) {
	if a.ended {
		return nil, a.readAt, io.EOF
	}
	data := a.unread
	a.unread = nil
	if len(data) == 0 {
		var err error
		if data, err = a.read(); err != nil {
			return nil, a.transport.now(), a.cut(err)
		}
	}
	payload, err := a.unframe(data)
	if err == nil && a.ended {
		err = io.EOF
	}
	return payload, a.readAt, err
}

// cut says what the end of a connection means for the body.
func (a *http1Answer) cut(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if a.framing == untilClose {
		a.ended, a.keep = true, false
		return io.EOF
	}
	return failf(record.FailedCut, "the connection ended within the answer")
}

// unframe takes the body's bytes out of what came.
func (a *http1Answer) unframe(data []byte) ([]byte, error) {
	switch a.framing {
	case byChunks:
		payload, rest, err := a.chunks.decode(data)
		a.ended = a.chunks.done()
		a.keep = a.keep && len(rest) == 0
		if err != nil {
			return payload, &failure{record.FailedProtocol, err}
		}
		return payload, nil
	case byLength:
		n := min(int64(len(data)), a.left)
		a.left -= n
		a.ended = a.left == 0
		a.keep = a.keep && n == int64(len(data))
		return data[:n], nil
	}
	return data, nil
}

func (a *http1Answer) limit(deadline time.Time) {
	if deadline.Before(a.limits.deadline) {
		a.limits.deadline, a.armed = deadline, false
	}
}

func (a *http1Answer) written() time.Duration { return time.Duration(a.writtenAt.Load()) }

func (a *http1Answer) close() {
	alive := a.stop()
	if alive && a.ended { // the last piece may be written but not stamped yet
		_ = a.conn.SetWriteDeadline(time.Now().Add(writeGrace))
		a.writing.Wait()
	}
	keep := alive && a.ended && a.keep && len(a.unread) == 0 && a.writtenAt.Load() > 0
	if !keep {
		_ = a.conn.Close() // wakes the writing as well
	}
	a.writing.Wait()
	if keep {
		a.transport.put(a.conn)
	}
	buffers.Put(a.buffer)
	a.buffer = nil
}
