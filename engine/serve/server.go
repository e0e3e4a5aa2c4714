// Package serve answers OpenAI's chat and completions protocols over HTTP with an
// embedded model, as vLLM does: the same routes, errors and metric names, so that any
// client and any dashboard of the one works with the other.
//
// # Bounds
//
// A request has at most 64 MiB, with at most 262,144 values, and comes within a
// minute; all bodies that are read or prepared at a time have at most 512 MiB. An
// image has at most 32 MiB and 64 megapixels (imageprep.DefaultLimits); as many as there are
// processors are decoded at a time. A request has at most 4 MiB of text; as many long
// texts as there are processors are tokenized at a time. A prompt has as many images
// and tokens as the model takes. An event that a client does not take within 20 s ends its answer. When
// the queue is full the answer is 429 with Retry-After. A client that goes away frees
// its place in every stage.
//
// # Deviations from vLLM 0.32
//
//   - Unknown routes and methods get an error in OpenAI's shape, and errors of
//     validation, whose types and parameters are vLLM's, say in plain words what
//     Pydantic says with a dictionary.
//   - A missing API key gets an error in OpenAI's shape as well: vLLM's, a bare string,
//     is more than OpenAI's own client can read.
//   - n other than 1, lists of prompts, and the fields of chatapi.Unsupported are refused
//     by name. Other fields that are not known are ignored, as vLLM does.
//   - http and https images are refused unless allowed, files always (400, where vLLM
//     says 500).
//   - The prefix cache is off unless asked for. It keeps the sequences that ended last,
//     and reuses whole blocks of 16 tokens; images are encoded all the same. Where
//     a prompt sees itself both ways, as PaliGemma's, it finds nothing. Nothing is ever
//     preempted. The encoder cache, off by default, keeps the tower's output, where vLLM's
//     mm cache keeps the processor's; it has the same counters and is emptied by
//     /reset_mm_cache and /reset_encoder_cache alike.
//   - A stop string is held back only while the text may still begin one; vLLM holds
//     back its length always. The texts are the same, their events are not.
//   - top_logprobs of the chat protocol are the likeliest tokens; vLLM puts the
//     sampled one among them when it is none of these.
//   - After an error within a stream the stream ends without [DONE].
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"siglab/engine/generate"
	"siglab/engine/imageprep"
	"siglab/engine/serve/imageurl"
	"siglab/engine/vlm"
)

// Config of a server.
type Config struct {
	Model          *vlm.Model
	ServedName     string          // what clients ask for. "": the model's name
	Engine         generate.Config // its observer is the server's
	DrainTimeout   time.Duration   // longest wait for running requests at the end. Zero: 30 s
	APIKey         string          // what clients must send on the routes below /v1. "": nothing
	AllowImageURLs bool            // fetch images of http and https URLs, from public addresses
	// InjectDelay holds up every request by itself, after its arrival was stamped and
	// before it is queued: a positive control for measurements.
	InjectDelay time.Duration
	DebugSiglip bool      // log a line for every bilinear resampling, as VLLM_DEBUG_SIGLIP=1 does
	Log         io.Writer // nil: nowhere
	Version     string
}

// Server is an HTTP server of one model. It is safe for concurrent use.
type Server struct {
	config   Config
	engine   *generate.Engine
	metrics  *metrics
	log      *log.Logger
	limits   imageprep.Limits
	loader   *imageurl.Loader
	started  time.Time
	timeouts timeouts
	bodies   bodyBudget
	decoding chan struct{} // one for each image that may be decoded at a time
	texts    chan struct{} // one for each long text that may be tokenized at a time
	requests atomic.Int64  // that are being answered, from their arrival on
	draining context.Context
	drain    context.CancelFunc // begins to drain
}

// timeouts bound what a client can make the server wait for.
type timeouts struct {
	header time.Duration // to receive the header
	body   time.Duration // to receive the body
	write  time.Duration // to hand over one event
	late   time.Duration // to receive the body once the server drains
}

const (
	writeTimeout = 20 * time.Second
	idleTimeout  = 5 * time.Minute // between requests of a connection
	mostHeader   = 64 << 10        // bytes
)

// fingerprint names what computes the answers, as vLLM's does.
const fingerprint = "siglab"

// New starts the model's engine; Run ends it.
func New(c Config) (*Server, error) {
	if c.Model == nil {
		return nil, errors.New("serve: no model")
	}
	return newServer(c, generate.OnVLM(c.Model))
}

// newServer runs requests on a model other than the configuration's, which is what a
// test may slow down.
func newServer(c Config, model generate.Model) (*Server, error) {
	if c.ServedName == "" {
		c.ServedName = c.Model.Name()
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	s := &Server{
		config: c, log: log.New(c.Log, "", log.LstdFlags|log.Lmicroseconds), started: time.Now(), limits: imageprep.DefaultLimits(),
		timeouts: timeouts{header: 10 * time.Second, body: time.Minute, write: writeTimeout, late: time.Second},
		decoding: make(chan struct{}, runtime.GOMAXPROCS(0)), texts: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	s.loader = imageurl.New(imageurl.Options{Fetch: c.AllowImageURLs, Bytes: s.limits.Bytes})
	s.metrics = newMetrics(c.ServedName)
	s.config.Engine.Observer = observer{s}
	var err error
	if s.engine, err = generate.New(model, s.config.Engine); err != nil {
		s.drain()
		return nil, fmt.Errorf("serve: %w", err)
	}
	s.config.Engine = s.engine.Config()
	s.metrics.watch(s.engine)
	s.metrics.watchCaches(c.Model.PositionCaches)
	return s, nil
}

// Memory is what the model's weights take, and what the keys and values of all requests
// that run at a time may take, in bytes.
func (s *Server) Memory() (weights, keysAndValues int64) {
	return s.config.Model.WeightBytes(), s.config.Engine.KVBytes
}

// Run serves until ctx ends, then drains: it accepts no more, answers what runs for
// at most DrainTimeout, and returns nil if that was enough. Requests whose bodies have
// not come whole have a second to do so.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	server := s.httpServer()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.drain()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTimeout)
	defer cancel()
	if n := s.requests.Load(); n > 0 {
		s.log.Printf("draining %d requests", n)
	}
	late := server.Shutdown(drain)
	if late != nil {
		_ = server.Close() // the connections of those that did not end in time
	}
	if ended := s.engine.Close(drain); late == nil {
		late = ended
	}
	if err == nil {
		if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
			err = ended
		}
	}
	s.config.Model.Close()
	if late != nil {
		late = fmt.Errorf("requests were still running after %v and were ended: %w", s.config.DrainTimeout, late)
	}
	return errors.Join(err, late)
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: s.timeouts.header, IdleTimeout: idleTimeout, MaxHeaderBytes: mostHeader, ErrorLog: s.log,
	}
}
