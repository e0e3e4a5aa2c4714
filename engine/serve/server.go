// Package serve answers OpenAI's chat protocol over HTTP with an embedded model, as
// vLLM does: the same routes, errors and metric names, so that any client and any
// dashboard of the one works with the other.
//
// Deviations from vLLM 0.32: images come as data URLs only (this server fetches
// nothing), unknown routes get an error in OpenAI's shape, top_p and n other than 1
// are refused, and there are no caches to reset: the reset routes succeed.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"siglab/engine/generate"
	"siglab/engine/imageprep"
	"siglab/engine/vlm"
)

// Config of a server.
type Config struct {
	Model        *vlm.Model
	ServedName   string        // what clients ask for. "": the model's name
	MaxBatch     int           // requests that share decode steps. Zero: the engine's default
	DrainTimeout time.Duration // longest wait for running requests at the end. Zero: 30 s
	// InjectDelay holds up every chat request by itself, after its arrival was
	// stamped and before it is queued: a positive control for measurements.
	InjectDelay time.Duration
	DebugSiglip bool      // log a line for every bilinear resampling, as VLLM_DEBUG_SIGLIP=1 does
	Log         io.Writer // nil: nowhere
	Version     string
}

// Server is an HTTP server of one model. It is safe for concurrent use.
type Server struct {
	config  Config
	engine  *generate.Engine
	metrics *metrics
	log     *log.Logger
	limits  imageprep.Limits
	started time.Time
}

const (
	mostBody      = 64 << 20 // bytes of a request
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second // to receive a body
	writeTimeout  = 20 * time.Second // to hand one event to a client that does not read
	idleTimeout   = 5 * time.Minute
)

// New starts the model's engine; Run ends it.
func New(c Config) (*Server, error) {
	if c.Model == nil {
		return nil, errors.New("serve: no model")
	}
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
		config: c, log: log.New(c.Log, "", log.LstdFlags|log.Lmicroseconds),
		limits: imageprep.DefaultLimits(), started: time.Now(),
	}
	s.metrics = newMetrics(c.ServedName)
	s.engine = generate.New(c.Model, generate.Config{MaxBatch: c.MaxBatch, Observer: observer{s}})
	s.metrics.watch(s.engine)
	s.metrics.watchCaches(c.Model.PositionCaches)
	return s, nil
}

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/models", only(http.MethodGet, s.models))
	mux.HandleFunc("/v1/chat/completions", only(http.MethodPost, s.chat))
	mux.HandleFunc("/health", only(http.MethodGet, func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("/ping", only(http.MethodGet, func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("/version", only(http.MethodGet, s.version))
	mux.HandleFunc("/metrics", only(http.MethodGet, s.metrics.handler.ServeHTTP))
	mux.HandleFunc("/reset_prefix_cache", only(http.MethodPost, func(w http.ResponseWriter, _ *http.Request) {
		s.writeJSON(w, http.StatusOK, map[string]bool{"success": true})
	}))
	mux.HandleFunc("/reset_mm_cache", only(http.MethodPost, func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("/reset_encoder_cache", only(http.MethodPost, func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, &apiError{http.StatusNotFound, "There is no route " + r.URL.Path + "; the chat route is /v1/chat/completions.", ""})
	})
	return mux
}

// only lets one method through.
func only(method string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			writeError(w, &apiError{http.StatusMethodNotAllowed, "The method " + r.Method + " is not allowed for " + r.URL.Path + "; use " + method + ".", ""})
			return
		}
		next(w, r)
	}
}

// Run serves until ctx ends, then drains: it accepts no more, answers what runs for
// at most DrainTimeout, and returns nil if that was enough.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: s.log,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTimeout)
	defer cancel()
	running, waiting := s.engine.Load()
	if running+waiting > 0 {
		s.log.Printf("draining %d requests", running+waiting)
	}
	late := server.Shutdown(drain)
	if late != nil {
		_ = server.Close() // the connections of those that did not end in time
	}
	late = errors.Join(late, s.engine.Close(drain))
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

// observer passes what the engine does on to the metrics and the log.
type observer struct{ *Server }

func (o observer) Admitted(queue time.Duration) { o.metrics.queue.Observe(queue.Seconds()) }

func (o observer) Encoded(d time.Duration, r vlm.Resample) {
	o.metrics.encoder.Observe(d.Seconds())
	o.metrics.resampled(r)
	if o.config.DebugSiglip && !r.Skipped && isFastPath(r.Mode) {
		o.log.Printf("[SIGLIP] fast_interpolate called: h=%d, w=%d", r.To.Rows, r.To.Cols)
	}
}

func (o observer) Prefilled(d time.Duration, promptTokens int) {
	o.metrics.prefill.Observe(d.Seconds())
	o.metrics.promptTokens.Add(float64(promptTokens))
}

func (o observer) Stepped(_ time.Duration, batch int) { o.metrics.batch.Observe(float64(batch)) }
