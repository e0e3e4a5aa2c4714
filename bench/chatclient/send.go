package chatclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

const (
	mostErrorBody = 4 << 10
	mostStream    = 256 << 20 // bytes; a server that never ends is an error, not a full memory
)

// errNotFinished is a stream without its end mark.
var errNotFinished = errors.New("the stream ended before " + chatapi.DoneData)

// Send sends one request and reads its answer to the end. It fills in the times
// from Sent on and everything about the answer; a request that fails has its reason
// in Error, and keeps what came before. The whole takes at most Options.Timeout.
func (c *Client) Send(ctx context.Context, item record.Item) record.Observation {
	o := record.Observation{Item: item.ID, Index: item.Index}
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, fmt.Errorf("no complete answer within %v", c.options.Timeout))
	defer cancel()
	if err := c.send(ctx, item.Body, &o); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		o.Error = err.Error()
	}
	o.End = c.now()
	return o
}

// now is the offset on the run's clock.
func (c *Client) now() time.Duration { return time.Since(c.options.Origin) }

func (c *Client) send(ctx context.Context, body []byte, o *record.Observation) error {
	stamps := &traceStamps{now: c.now}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, stamps.trace()), http.MethodPost, c.base+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("X-Request-Id", o.Item)
	o.Sent = c.now()
	response, err := c.http.Do(request)
	o.Written, o.FirstByte = stamps.read()
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // read only
	o.Status = response.StatusCode
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, mostErrorBody)) // part of it is better than none
		return &statusError{"the server", response.StatusCode, errorText(answer)}
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return fmt.Errorf("the answer is %q, not an event stream", kind)
	}
	err = c.readStream(response.Body, o)
	o.Written, _ = stamps.read() // a server may answer before it has read the request
	return err
}

// readStream reads events to the end, each stamped by the read that brought it.
func (c *Client) readStream(body io.Reader, o *record.Observation) error {
	answer := answerReader{observation: o}
	var parser chatapi.EventParser
	buffer := make([]byte, 32<<10)
	for total := 0; total <= mostStream; {
		n, err := body.Read(buffer)
		at := c.now()
		total += n
		if perr := parser.Feed(buffer[:n], func(data []byte) { answer.event(data, at) }); perr != nil {
			return perr
		}
		switch {
		case err == io.EOF:
			return answer.finish()
		case err != nil:
			return errors.Join(answer.err, err)
		}
	}
	return fmt.Errorf("the stream has more than %d bytes", mostStream)
}

// answerReader collects the events of one answer.
type answerReader struct {
	observation *record.Observation
	text        strings.Builder
	pieces      int // events with content, should the server not count its tokens
	done        bool
	err         error // the first thing that was wrong
}

func (a *answerReader) event(data []byte, at time.Duration) {
	if a.err != nil || a.done {
		return
	}
	if string(data) == chatapi.DoneData {
		a.done = true
		return
	}
	var chunk chatapi.ChatChunk
	if err := json.Unmarshal(data, &chunk); err != nil {
		a.err = fmt.Errorf("event %.80q: %w", data, err)
		return
	}
	o := a.observation
	if chunk.Error != nil {
		a.err = fmt.Errorf("the server ended the stream: %s", chunk.Error.Message)
		return
	}
	if chunk.Usage != nil {
		o.PromptTokens, o.OutputTokens = chunk.Usage.PromptTokens, chunk.Usage.CompletionTokens
	}
	if len(chunk.Choices) == 0 {
		return
	}
	choice := chunk.Choices[0]
	content := ""
	if choice.Delta.Content != nil {
		content = *choice.Delta.Content
	}
	if o.RoleChunk == 0 {
		o.RoleChunk = at
	}
	if content != "" {
		a.pieces++
		a.text.WriteString(content)
		if o.FirstToken == 0 {
			o.FirstToken = at
		}
	}
	o.LastToken = at
	o.ChunkAt = append(o.ChunkAt, at)
	o.ChunkLens = append(o.ChunkLens, len(content))
	if choice.FinishReason != nil {
		o.FinishReason = *choice.FinishReason
	}
}

// finish judges the answer once the stream is at its end.
func (a *answerReader) finish() error {
	o := a.observation
	o.Text = a.text.String()
	if o.OutputTokens == 0 {
		o.OutputTokens = a.pieces // the server did not say: one token an event
	}
	switch {
	case a.err != nil:
		return a.err
	case !a.done:
		return errNotFinished
	case o.FirstToken == 0:
		return errors.New("the answer has no content")
	}
	return nil
}

// traceStamps are stamped by the transport's goroutines.
type traceStamps struct {
	now func() time.Duration

	mu                 sync.Mutex
	written, firstByte time.Duration
}

func (s *traceStamps) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
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
