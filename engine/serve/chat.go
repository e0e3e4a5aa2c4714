package serve

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"siglab/chatapi"
	"siglab/internal/pace"
)

// chat answers POST /v1/chat/completions.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if err := s.answerChat(w, r, arrived); err != nil {
		s.metrics.failed(err)
		if r.Context().Err() == nil {
			s.log.Printf("chat request: %v", err)
		}
	}
}

func (s *Server) answerChat(w http.ResponseWriter, r *http.Request, arrived time.Time) error {
	// Before anything else is done with the request, so that all of it comes later by
	// the delay: work that overlapped with it would hide a part.
	if s.config.InjectDelay > 0 {
		if err := pace.SleepUntil(r.Context(), arrived.Add(s.config.InjectDelay), 0); err != nil {
			return err
		}
	}
	chat, err := readRequest(w, r)
	if err != nil {
		s.writeError(w, err)
		return err
	}
	id := "chatcmpl-" + strconv.FormatUint(rand.Uint64(), 16)
	request, err := s.prepare(chat, id)
	if err != nil {
		s.writeError(w, err)
		return err
	}
	// The end of this context frees the request's slot: also when a stop string ends
	// the answer before the engine does.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stream, err := s.engine.Submit(ctx, request)
	if err != nil {
		s.writeError(w, err)
		return err
	}
	a := &answer{
		server: s, stream: stream, arrived: arrived, decoder: s.config.Model.Tokenizer().NewDecoder(), stop: stopper{stops: chat.Stop},
		logprobs: chat.Logprobs, id: id, created: arrived.Unix(), promptTokens: len(request.Prompt),
	}
	var out interface {
		piece(piece) error
		end(*answer) error
		fail(error)
	} = &wholeWriter{server: s, w: w}
	if chat.Stream {
		out = newStreamWriter(s, w, a, chat.StreamOptions)
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
	a.observe()
	return out.end(a)
}

// usage counts the tokens of an answer so far.
func (a *answer) usage() chatapi.Usage {
	return chatapi.Usage{PromptTokens: a.promptTokens, CompletionTokens: a.tokens, TotalTokens: a.promptTokens + a.tokens}
}
