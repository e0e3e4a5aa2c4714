// Package truthserver is an OpenAI-compatible server that knows the truth about
// itself: it computes nothing, answers by a script, and logs when it really wrote
// every event. What a client says of an answer can so be compared with what
// happened. It also does, on demand, everything wrong that servers have been seen to
// do.
//
// It speaks HTTP/1.1 on raw connections: one write per event, stamped before and
// after, and answers that no HTTP library would write.
package truthserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"siglab/internal/monotime"
)

// Server answers requests. Make it with New.
type Server struct {
	byDefault Script
	origin    time.Time
	base      time.Duration // the shared clock at origin
	journal   journal
}

// LogPath is where GET reads and empties the log: one Entry a line, JSON.
const LogPath = "/truth"

const (
	chatPath        = "/v1/chat/completions"
	completionsPath = "/v1/completions"

	mostBody  = 256 << 20
	idleLimit = 5 * time.Minute // of a connection between requests, and of writing
	holdLimit = 10 * time.Minute
)

// New returns a server that answers requests without a script by the default.
func New(byDefault Script) (*Server, error) {
	if err := byDefault.Check(); err != nil {
		return nil, fmt.Errorf("truth server: %w", err)
	}
	origin := time.Now()
	return &Server{byDefault: byDefault, origin: origin, base: monotime.Of(origin)}, nil
}

// now reads the machine's monotonic clock.
func (s *Server) now() time.Duration { return s.base + time.Since(s.origin) }

// Serve answers on the listener until ctx ends, closes it and every connection, and
// returns when all is quiet.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // nothing to lose
	defer stop()
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel() // before the wait: ends the connections
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			var network net.Error
			if errors.As(err, &network) && network.Timeout() {
				continue
			}
			return fmt.Errorf("truth server: accept: %w", err)
		}
		open.Go(func() { s.serve(ctx, conn) })
	}
}

// serve answers the requests of one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }() // whoever is there has been told by then
	in := bufio.NewReaderSize(conn, 32<<10)
	for {
		if conn.SetDeadline(time.Now().Add(idleLimit)) != nil {
			return
		}
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		entry := Entry{ID: request.Header.Get("X-Request-Id"), Head: s.now()}
		body, err := readBody(request)
		if err != nil {
			return
		}
		entry.Read, entry.Bytes = s.now(), len(body)
		if conn.SetDeadline(time.Now().Add(holdLimit)) != nil || !s.route(ctx, conn, request, body, entry) {
			return
		}
	}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > mostBody {
		return nil, fmt.Errorf("a body of %d bytes", r.ContentLength)
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(r.Body, mostBody))
}

// route answers one request and reports whether the connection can take another.
func (s *Server) route(ctx context.Context, conn net.Conn, r *http.Request, body []byte, entry Entry) bool {
	switch {
	case r.Method == http.MethodPost && (r.URL.Path == chatPath || r.URL.Path == completionsPath):
		script, err := scriptOf(body, s.byDefault)
		if err != nil {
			return plain(conn, http.StatusBadRequest, "application/json", errorBody(err.Error(), http.StatusBadRequest)) == nil
		}
		if r.URL.Path == completionsPath {
			script.Role, script.Reasoning = RoleNone, 0 // completions have neither
		}
		w := &writer{server: s, conn: conn, script: script, entry: entry, completion: r.URL.Path == completionsPath}
		keep := w.answer(ctx)
		s.journal.add(w.entry)
		return keep
	case r.URL.Path == LogPath:
		return s.writeLog(conn) == nil
	case r.URL.Path == "/v1/models":
		return plain(conn, http.StatusOK, "application/json", []byte(`{"object":"list","data":[{"id":"truth","object":"model"}]}`)) == nil
	case r.URL.Path == "/version":
		return plain(conn, http.StatusOK, "application/json", []byte(`{"version":"truth"}`)) == nil
	case r.URL.Path == "/health":
		return plain(conn, http.StatusOK, "text/plain", nil) == nil
	}
	return plain(conn, http.StatusNotFound, "application/json", errorBody("no such route", http.StatusNotFound)) == nil
}

// writeLog answers with the log and empties it.
func (s *Server) writeLog(conn net.Conn) error {
	entries, lost := s.journal.take()
	var body []byte
	for i := range entries {
		line, err := json.Marshal(&entries[i])
		if err != nil {
			return err
		}
		body = append(append(body, line...), '\n')
	}
	if lost > 0 {
		message := fmt.Sprintf("%d entries did not fit into the log; read it more often", lost)
		return plain(conn, http.StatusInternalServerError, "application/json", errorBody(message, http.StatusInternalServerError))
	}
	return plain(conn, http.StatusOK, "application/jsonl", body)
}

// plain writes a whole answer.
func plain(conn net.Conn, status int, kind string, body []byte) error {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", status, http.StatusText(status), kind, len(body))
	_, err := conn.Write(append([]byte(head), body...))
	return err
}

func errorBody(message string, code int) []byte {
	body, err := json.Marshal(map[string]any{"error": map[string]any{"message": message, "type": "TruthError", "param": nil, "code": code}})
	if err != nil {
		return nil // of strings and numbers: it does not fail
	}
	return body
}
