package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"siglab/chatapi"
	"siglab/engine/generate"
)

// output is where an answer goes, piece by piece. fail is called instead of end.
type output interface {
	piece(piece) error
	end() error
	fail(error)
}

// wholeWriter answers in one piece, at the end.
type wholeWriter struct {
	w       http.ResponseWriter
	answer  *answer
	text    strings.Builder
	tokens  []generate.Token
	stopped any
}

func (o *wholeWriter) piece(p piece) error {
	o.text.WriteString(p.text)
	if o.answer.logprobs {
		o.tokens = append(o.tokens, p.token)
	}
	if p.stopped != nil {
		o.stopped = p.stopped
	}
	return nil
}

func (o *wholeWriter) end() error {
	writeJSON(o.w, http.StatusOK, o.answer.protocol.whole(o.answer, o.text.String(), o.tokens, o.stopped))
	return nil
}

func (o *wholeWriter) fail(err error) { writeError(o.w, err) }

// streamWriter answers with one event per token.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	answer  *answer
	timeout time.Duration // of one event, to a client that does not read
	begun   bool
}

// piece writes the token's event, before the first the opening, as vLLM does.
func (o *streamWriter) piece(p piece) error {
	if !o.begun {
		o.begun = true
		o.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		if opening := o.answer.protocol.opening(o.answer); opening != nil {
			if err := o.write(opening); err != nil {
				return err
			}
		}
	}
	if err := o.write(o.answer.protocol.event(o.answer, p)); err != nil {
		return err
	}
	return o.control.Flush()
}

func (o *streamWriter) write(event any) error {
	data, err := json.Marshal(event)
	if err != nil {
		return err
	}
	return o.writeData(data)
}

// writeData bounds the time that a client who does not read can hold us up.
func (o *streamWriter) writeData(data []byte) error {
	_ = o.control.SetWriteDeadline(time.Now().Add(o.timeout)) // not supported by a test's recorder
	return chatapi.WriteEvent(o.w, data)
}

func (o *streamWriter) end() error {
	if o.answer.options.IncludeUsage {
		if err := o.write(o.answer.protocol.closing(o.answer)); err != nil {
			return err
		}
	}
	if err := o.writeData([]byte(chatapi.DoneData)); err != nil {
		return err
	}
	return o.control.Flush()
}

// fail tells the client, in the stream if that has begun.
func (o *streamWriter) fail(err error) {
	if !o.begun {
		writeError(o.w, err)
		return
	}
	data, merr := json.Marshal(chatapi.ErrorResponse{Error: asAPIError(err).body()})
	if merr == nil && o.writeData(data) == nil {
		_ = o.control.Flush() // the client may be the reason of the failure
	}
}

// writeJSON answers with a JSON body. An error of the write means that the client
// has gone, who cannot be told.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // not supported by a test's recorder
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
