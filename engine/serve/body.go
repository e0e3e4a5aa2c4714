package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"siglab/engine/generate"
)

// Bounds of request bodies.
const (
	mostBody   = 64 << 20  // bytes of one
	mostBodies = 512 << 20 // bytes of all that are read or prepared at a time
	mostValues = 1 << 18   // values that one's lists and objects may hold
)

// bodyBudget bounds the memory of the bodies that are held at a time, by what has
// really come: a client that announces much and sends nothing takes none of it.
type bodyBudget struct{ held atomic.Int64 }

// heldBody counts a body's bytes while it is read, until they are given back.
type heldBody struct {
	budget *bodyBudget
	from   io.Reader
	bytes  int64
}

var errTooManyBodies = &apiError{status: http.StatusServiceUnavailable, message: "Too many large requests are being received; try again later."}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.bytes += int64(n)
	if b.budget.held.Add(int64(n)) > mostBodies {
		return n, errTooManyBodies
	}
	return n, err
}

func (b *heldBody) release() { b.budget.held.Add(-b.bytes) }

// read reads a body and decodes it into v. The caller must call release when the
// body's text is no longer held.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any) (release func(), err error) {
	if r.ContentLength > mostBody { // before any of it is asked for
		return func() {}, errTooLarge
	}
	held := &heldBody{budget: &s.bodies, from: http.MaxBytesReader(w, r.Body, mostBody)}
	hurried := s.hurry(http.NewResponseController(w))
	body, err := io.ReadAll(held)
	if draining := hurried(); err != nil && draining {
		err = generate.ErrClosed
	}
	if err == nil {
		// The handler's deadline was for the body: one that lasted would end long answers.
		// After an error it stays, or what is left of the body would be waited for.
		w.Header().Del("Connection")
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not supported by a test's recorder
		err = decode(body, v)
	} else {
		err = s.unread(err)
	}
	return held.release, err
}

// hurry gives a body that is being read a little time once the server drains. The
// caller must call hurried when it is read, which reports whether that was so, before it
// sets another deadline.
func (s *Server) hurry(control *http.ResponseController) (hurried func() bool) {
	done := make(chan struct{})
	stop := context.AfterFunc(s.draining, func() {
		defer close(done)
		_ = control.SetReadDeadline(time.Now().Add(s.timeouts.late)) // not supported by a test's recorder
	})
	return func() bool {
		if stop() {
			return false
		}
		<-done
		return true
	}
}

var errTooLarge = &apiError{status: http.StatusRequestEntityTooLarge, message: "The request has more than 64 MiB."}

// unread is what the client is told of a body that could not be read: no addresses.
func (s *Server) unread(err error) error {
	var connection *net.OpError
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return errTooLarge
	case errors.As(err, new(*apiError)), errors.Is(err, generate.ErrClosed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &apiError{status: http.StatusRequestTimeout, message: fmt.Sprintf("The request did not come whole within %v.", s.timeouts.body)}
	case errors.As(err, &connection):
		err = connection.Err
	}
	return badRequest("", "The request could not be read: %v.", err)
}

// decode reads a JSON body.
func decode(body []byte, v any) error {
	if values(body) > mostValues {
		return invalidBody("body", "The lists and objects of the request hold more than %d values.", mostValues)
	}
	err := json.Unmarshal(body, v)
	var field *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field):
		place := strings.TrimSuffix("body."+strings.TrimPrefix(field.Field, "Sampling."), ".")
		return invalidBody(place, "1 validation error: %s must be %s, got %s.", place, kindName(field), field.Value)
	case errors.As(err, &syntax):
		return invalidBody(fmt.Sprintf("body.%d", syntax.Offset), "1 validation error: the request is not valid JSON: %v at byte %d.", err, syntax.Offset)
	}
	return invalidBody("body", "1 validation error: %v.", err)
}

// kindName is what a field should have been, in JSON's terms.
func kindName(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); {
	case strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint"):
		return "an integer"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "bool":
		return "true or false"
	case kind == "string":
		return "a string"
	case kind == "slice":
		return "a list"
	}
	return "an object"
}

// values is about the number of values in a JSON text: its commas outside of strings. It
// bounds what decoding allocates, which may be many times the text.
func values(body []byte) int {
	count := 0
	for len(body) > 0 {
		quote := bytes.IndexByte(body, '"')
		if quote < 0 {
			return count + bytes.Count(body, []byte(","))
		}
		count += bytes.Count(body[:quote], []byte(","))
		body = body[quote+1:]
		for { // to the end of the string
			end := bytes.IndexByte(body, '"')
			if end < 0 {
				return count
			}
			escapes := 0
			for escapes < end && body[end-1-escapes] == '\\' {
				escapes++
			}
			body = body[end+1:]
			if escapes%2 == 0 {
				break
			}
		}
	}
	return count
}
