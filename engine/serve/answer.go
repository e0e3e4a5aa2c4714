package serve

import (
	"context"
	"io"
	"time"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/tokenizer"
)

// answer turns the engine's tokens into pieces of text.
type answer struct {
	server       *Server
	stream       *generate.Stream
	arrived      time.Time
	decoder      *tokenizer.Decoder
	stop         stopper
	logprobs     bool
	id           string
	created      int64
	promptTokens int

	tokens      int
	first, last time.Time
	ended       bool
	finish      generate.Finish
}

// piece is what one token brought.
type piece struct {
	text     string
	logprobs *chatapi.Logprobs
	finish   generate.Finish // on the last piece
	stopped  string          // the stop string that ended the answer
}

// next waits for the next token's piece, whose text may be empty: half a rune, or
// what may be the beginning of a stop string, waits for the next. After the last
// piece it returns io.EOF.
func (a *answer) next(ctx context.Context) (piece, error) {
	if a.ended {
		return piece{}, io.EOF
	}
	token, err := a.stream.Next(ctx)
	if err != nil {
		return piece{}, err
	}
	a.count(token)
	var p piece
	text := a.decoder.Push(token.ID)
	if token.Finish != "" {
		text += a.decoder.Flush()
	}
	p.text, p.stopped = a.stop.push(text)
	p.finish = token.Finish
	switch {
	case p.stopped != "":
		p.finish = generate.FinishStop
	case token.Finish != "":
		p.text += a.stop.flush()
	}
	a.finish, a.ended = p.finish, p.finish != ""
	if a.logprobs {
		p.logprobs = a.describe(token)
	}
	return p, nil
}

// count keeps the times that the metrics want.
func (a *answer) count(t generate.Token) {
	m := a.server.metrics
	a.tokens++
	m.generationTokens.Inc()
	if a.tokens == 1 {
		a.first = t.At
		m.ttft.Observe(t.At.Sub(a.arrived).Seconds())
	} else {
		m.itl.Observe(t.At.Sub(a.last).Seconds())
	}
	a.last = t.At
}

// observe records the finished answer.
func (a *answer) observe() {
	m := a.server.metrics
	m.e2e.Observe(a.last.Sub(a.arrived).Seconds())
	m.decode.Observe(a.last.Sub(a.first).Seconds())
	if a.tokens > 1 {
		m.tpot.Observe(a.last.Sub(a.first).Seconds() / float64(a.tokens-1))
	}
	m.success.WithLabelValues(string(a.finish)).Inc()
}

// describe is a token's log probability in the protocol's form.
func (a *answer) describe(t generate.Token) *chatapi.Logprobs {
	tokenizer := a.server.config.Model.Tokenizer()
	entry := chatapi.TokenLogprob{
		Token: tokenizer.Text(t.ID), Bytes: byteValues(tokenizer.Bytes(t.ID)), Logprob: t.Logprob, TopLogprobs: []chatapi.TopLogprob{},
	}
	for _, c := range t.Top {
		entry.TopLogprobs = append(entry.TopLogprobs, chatapi.TopLogprob{
			Token: tokenizer.Text(c.ID), Bytes: byteValues(tokenizer.Bytes(c.ID)), Logprob: c.Logprob,
		})
	}
	return &chatapi.Logprobs{Content: []chatapi.TokenLogprob{entry}}
}

// byteValues are bytes as the numbers that the protocol wants.
func byteValues(b []byte) []int {
	values := make([]int, len(b))
	for i, v := range b {
		values[i] = int(v)
	}
	return values
}
