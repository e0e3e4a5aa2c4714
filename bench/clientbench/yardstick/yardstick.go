// Package yardstick has two minimal load clients, one on raw sockets and one on
// net/http. They do nothing but send, stamp and write the stamps down: a measure of
// what this machine and this language allow, not clients for use.
package yardstick

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"siglab/bench/arrival"
	"siglab/internal/monotime"
)

// The transports.
const (
	Raw     = "raw"
	NetHTTP = "net/http"
)

// Options of a run.
type Options struct {
	Transport string
	URL       string  // such as http://127.0.0.1:8000
	Rate      float64 // Poisson arrivals per second; 0: a closed loop
	Streams   int     // of a closed loop
	Requests  int
	Tokens    int
	Image     string // file of a JPEG that every request has
	Seed      uint64
	Out       string // file of an Answer a line
}

// Answer is one request. Times are on the machine's monotonic clock.
type Answer struct {
	ID    string          `json:"id"`
	Sent  time.Duration   `json:"sent_ns"`
	Reads []time.Duration `json:"reads_ns"` // of each event with a token
	Error string          `json:"error,omitempty"`
}

// sender sends one body and calls read at every line of data that has a token.
type sender interface {
	send(ctx context.Context, id string, body []byte, read func()) error
}

// Run sends the load and writes the answers.
func Run(ctx context.Context, o Options) error {
	if o.Requests < 1 || o.Rate <= 0 && o.Streams < 1 {
		return fmt.Errorf("%d requests at %g per second or over %d streams: that is no load", o.Requests, o.Rate, o.Streams)
	}
	body, err := o.body()
	if err != nil {
		return err
	}
	var s sender
	switch o.Transport {
	case Raw:
		s, err = newRaw(o.URL)
	case NetHTTP:
		s = newNetHTTP(o.URL)
	default:
		err = fmt.Errorf("transport %q: it is %s or %s", o.Transport, Raw, NetHTTP)
	}
	if err != nil {
		return err
	}
	r := &run{Options: o, sender: s, body: body, origin: time.Now(), answers: make([]Answer, o.Requests)}
	r.base = monotime.Of(r.origin)
	if o.Rate > 0 {
		err = r.open(ctx)
	} else {
		r.closed(ctx)
	}
	return errors.Join(err, ctx.Err(), r.write())
}

func (o Options) body() ([]byte, error) {
	picture, err := os.ReadFile(o.Image)
	if err != nil {
		return nil, err
	}
	part := map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(picture)}}
	return json.Marshal(map[string]any{
		"model": "truth", "stream": true, "max_completion_tokens": o.Tokens, "stream_options": map[string]any{"include_usage": true},
		"messages": []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": "what is this"}, part}}},
	})
}

// run is the state of one load.
type run struct {
	Options
	sender  sender
	body    []byte
	origin  time.Time
	base    time.Duration // the shared clock at the origin
	answers []Answer
}

func (r *run) now() time.Duration { return r.base + time.Since(r.origin) }

// open sends at Poisson offsets, each request from a goroutine of its own.
func (r *run) open(ctx context.Context) error {
	offsets, err := arrival.Poisson(r.Requests, r.Rate, rand.New(rand.NewPCG(r.Seed, 1)))
	if err != nil {
		return err
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	start := time.Now().Add(100 * time.Millisecond)
	for i, offset := range offsets {
		select {
		case <-ctx.Done():
			return nil // told by the caller
		case <-time.After(time.Until(start.Add(offset))):
		}
		sending.Go(func() { r.send(ctx, i) })
	}
	return nil
}

// closed keeps the streams busy.
func (r *run) closed(ctx context.Context) {
	next := make(chan int)
	var sending sync.WaitGroup
	for range r.Streams {
		sending.Go(func() {
			for i := range next {
				r.send(ctx, i)
			}
		})
	}
	for i := range r.Requests {
		next <- i
	}
	close(next)
	sending.Wait()
}

func (r *run) send(ctx context.Context, i int) {
	a := &r.answers[i]
	a.ID = fmt.Sprintf("y%06d", i)
	a.Reads = make([]time.Duration, 0, r.Tokens+1)
	a.Sent = r.now()
	err := r.sender.send(ctx, a.ID, r.body, func() { a.Reads = append(a.Reads, r.now()) })
	if err != nil {
		a.Error = err.Error()
	}
}

func (r *run) write() error {
	file, err := os.Create(r.Out)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	encoder := json.NewEncoder(out)
	for i := range r.answers {
		err = errors.Join(err, encoder.Encode(&r.answers[i]))
	}
	return errors.Join(err, out.Flush(), file.Close())
}

// readEvents reads an event stream by lines, up to [DONE].
func readEvents(in *bufio.Reader, read func()) error {
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		case bytes.HasPrefix(line, []byte("data: [DONE]")):
			return nil
		case bytes.HasPrefix(line, []byte(`data: {`)) && !bytes.Contains(line, []byte(`"choices":[]`)) && !bytes.Contains(line, []byte(`"role"`)):
			read()
		}
	}
}
