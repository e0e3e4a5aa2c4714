package serve

import (
	"context"
	"io"
	"time"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/tokenizer"
)

// job is a request that is ready for the engine, with what its answer needs besides.
type job struct {
	request     generate.Request
	stops       []string
	includeStop bool // the stop string, or the token, that ends an answer is a part of it
	logprobs    bool
	stream      bool
	options     chatapi.StreamOptions
	protocol    protocol
}

// answer turns the engine's tokens into pieces of text.
type answer struct {
	*job
	id      string
	model   string
	created int64
	arrived time.Time

	tokenizer *tokenizer.Tokenizer
	metrics   *metrics
	from      *generate.Stream
	decoder   *tokenizer.Decoder
	stop      stopper

	tokens      int
	first, last time.Time
	ended       bool
	finish      generate.Finish
}

// piece is what one token brought.
type piece struct {
	text    string
	token   generate.Token
	finish  generate.Finish // on the last piece
	stopped any             // on the last piece: the stop string or token that ended the answer, if one did
}

// next waits for the next token's piece, whose text may be empty: half a rune, or
// what may be the beginning of a stop string, waits for the next. After the last
// piece it returns io.EOF.
func (a *answer) next(ctx context.Context) (piece, error) {
	if a.ended {
		return piece{}, io.EOF
	}
	token, err := a.from.Next(ctx)
	if err != nil {
		return piece{}, err
	}
	a.count(token)
	p := piece{token: token, finish: token.Finish}
	text := ""
	if token.Finish != generate.FinishStop || a.includeStop {
		text = a.decoder.Push(token.ID)
	}
	if token.Finish != "" {
		text += a.decoder.Flush()
	}
	if token.Stopped {
		p.stopped = token.ID
	}
	a.findStop(&p, text)
	a.finish, a.ended = p.finish, p.finish != ""
	return p, nil
}

// findStop sets the piece's text to what is certain of the answer after more text has
// come, and ends it if there is a stop string.
func (a *answer) findStop(p *piece, text string) {
	if a.tokens <= a.request.Sampling.MinTokens { // stop strings do not count yet
		p.text = a.stop.flush() + text
		return
	}
	var stopped string
	p.text, stopped = a.stop.push(text)
	switch {
	case stopped != "":
		p.finish, p.stopped = generate.FinishStop, stopped
		if a.includeStop {
			p.text += stopped
		}
	case p.finish != "":
		p.text += a.stop.flush()
	}
}

// count keeps the times that the metrics want.
func (a *answer) count(t generate.Token) {
	a.tokens++
	a.metrics.generationTokens.Inc()
	if a.tokens == 1 {
		a.first = t.At
		a.metrics.ttft.Observe(t.At.Sub(a.arrived).Seconds())
	} else {
		a.metrics.itl.Observe(t.At.Sub(a.last).Seconds())
	}
	a.last = t.At
}

// usage counts the tokens so far.
func (a *answer) usage() chatapi.Usage {
	prompt := len(a.request.Prompt)
	return chatapi.Usage{PromptTokens: prompt, CompletionTokens: a.tokens, TotalTokens: prompt + a.tokens}
}

// wholeUsage are the counts with what vLLM adds in an answer that is no stream.
func (a *answer) wholeUsage() chatapi.Usage {
	u := a.usage()
	u.PromptTokensDetails, u.CompletionTokensDetails = &chatapi.Null{}, &chatapi.Null{}
	return u
}
