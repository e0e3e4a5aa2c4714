package yardstick

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
)

// raw writes requests to sockets and reads lines from them. It knows of HTTP what
// the server of known truth speaks, no more.
type raw struct {
	address string
	mu      sync.Mutex
	idle    []*rawConn
}

type rawConn struct {
	net.Conn
	in *bufio.Reader
}

func newRaw(base string) (*raw, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return &raw{address: u.Host}, nil
}

func (r *raw) send(ctx context.Context, id string, body []byte, read func()) error {
	conn, err := r.get(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends the reads
	defer stop()
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\nContent-Length: %d\r\n\r\n",
		r.address, id, len(body))
	buffers := net.Buffers{head.Bytes(), body}
	if _, err := buffers.WriteTo(conn); err != nil {
		return err
	}
	if err := readEvents(conn.in, read); err != nil {
		_ = conn.Close() // of no use any more
		return err
	}
	for { // what is left of the chunked body ends with a chunk of no bytes
		line, err := conn.in.ReadSlice('\n')
		if err != nil {
			_ = conn.Close() // of no use any more
			return err
		}
		if string(line) == "0\r\n" {
			break
		}
	}
	if _, err := conn.in.ReadSlice('\n'); err != nil {
		return err
	}
	r.put(conn)
	return nil
}

func (r *raw) get(ctx context.Context) (*rawConn, error) {
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		conn := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return conn, nil
	}
	r.mu.Unlock()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	return &rawConn{Conn: conn, in: bufio.NewReader(conn)}, nil
}

func (r *raw) put(conn *rawConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, conn)
}
