package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"siglab/engine/generate"
	"siglab/internal/pace"
)

// protocol is the form of answers: chat or completions.
type protocol interface {
	prefix() string                                                                // of ids
	whole(a *answer, text string, tokens []generate.Token, stopped any) (body any) // at once
	opening(a *answer) (event any)                                                 // before a stream's first token; nil: none
	event(a *answer, p piece) any                                                  // for one token
	closing(a *answer) any                                                         // with the usage, if that was asked for
}

// generation is the route that answers bodies of type T.
func generation[T any](s *Server, prepare func(context.Context, *T) (*job, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		arrived := time.Now()
		s.requests.Add(1)
		defer s.requests.Add(-1)
		// Before anything else is done with the request, so that all of it comes later by
		// the delay: work that overlapped with it would hide a part.
		err := s.delay(r.Context(), arrived)
		if err == nil {
			err = respond(s, w, r, arrived, prepare)
		}
		if err == nil {
			return
		}
		if r.Context().Err() != nil {
			err = r.Context().Err() // whatever else went wrong because of that
		} else {
			s.log.Printf("request of %s: %.500q", r.URL.Path, err.Error()) // quoted, since it may hold what the client sent
		}
		s.metrics.failed(err)
	}
}

func (s *Server) delay(ctx context.Context, arrived time.Time) error {
	if s.config.InjectDelay == 0 {
		return nil
	}
	return pace.SleepUntil(ctx, arrived.Add(s.config.InjectDelay), 0)
}

// respond answers one request. Its error has been told to the client.
func respond[T any](s *Server, w http.ResponseWriter, r *http.Request, arrived time.Time, prepare func(context.Context, *T) (*job, error)) error {
	j, err := readJob(s, w, r, prepare)
	if err != nil {
		writeError(w, err)
		return err
	}
	// The end of this context frees the request's slot: also when a stop string ends
	// the answer before the engine does.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stream, err := s.engine.Submit(ctx, j.request)
	if err != nil {
		writeError(w, err)
		return err
	}
	tokenizer := s.config.Model.Tokenizer()
	a := &answer{
		job: j, id: j.protocol.prefix() + requestID(r), model: s.config.ServedName, created: arrived.Unix(), arrived: arrived,
		tokenizer: tokenizer, metrics: s.metrics, from: stream, decoder: tokenizer.NewDecoder(), stop: stopper{stops: j.stops},
	}
	j.request.Images = nil // the engine lets go of them when it has taken them in
	var out output = &wholeWriter{w: w, answer: a}
	if j.stream {
		out = &streamWriter{w: w, control: http.NewResponseController(w), answer: a, timeout: s.timeouts.write}
	}
	for {
		p, err := a.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = out.piece(p)
		}
		if err != nil {
			out.fail(err)
			return err
		}
	}
	s.metrics.answered(a)
	return out.end()
}

// readJob reads a request and prepares it, unless the queue is full in any case. While
// it does, the request's bytes are counted.
func readJob[T any](s *Server, w http.ResponseWriter, r *http.Request, prepare func(context.Context, *T) (*job, error)) (*job, error) {
	var request T
	release, err := s.read(w, r, &request)
	defer release()
	if err == nil {
		err = s.engine.Full()
	}
	if err != nil {
		return nil, err
	}
	return prepare(r.Context(), &request)
}

// requestID is the client's, as vLLM takes it over, or a random one.
func requestID(r *http.Request) string {
	const longest = 128
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= longest {
		return id
	}
	return fmt.Sprintf("%016x", rand.Uint64())
}
