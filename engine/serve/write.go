package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"siglab/chatapi"
)

// wholeWriter answers in one piece, at the end.
type wholeWriter struct {
	server   *Server
	w        http.ResponseWriter
	text     strings.Builder
	logprobs *chatapi.Logprobs
	stopped  any
}

func (o *wholeWriter) piece(p piece) error {
	o.text.WriteString(p.text)
	if p.stopped != "" {
		o.stopped = p.stopped
	}
	if p.logprobs != nil {
		if o.logprobs == nil {
			o.logprobs = &chatapi.Logprobs{}
		}
		o.logprobs.Content = append(o.logprobs.Content, p.logprobs.Content...)
	}
	return nil
}

func (o *wholeWriter) end(a *answer) error {
	finish := string(a.finish)
	o.server.writeJSON(o.w, http.StatusOK, chatapi.ChatResponse{
		ID: a.id, Object: "chat.completion", Created: a.created, Model: o.server.config.ServedName, Usage: a.usage(),
		Choices: []chatapi.Choice{{
			Message:  chatapi.AnswerMessage{Role: "assistant", Content: o.text.String()},
			Logprobs: o.logprobs, FinishReason: &finish, StopReason: o.stopped,
		}},
	})
	return nil
}

func (o *wholeWriter) fail(err error) { o.server.writeError(o.w, err) }

// streamWriter answers with one event per token.
type streamWriter struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	answer  *answer
	options chatapi.StreamOptions
	begun   bool
}

func newStreamWriter(s *Server, w http.ResponseWriter, a *answer, options *chatapi.StreamOptions) *streamWriter {
	o := &streamWriter{server: s, w: w, control: http.NewResponseController(w), answer: a}
	if options != nil {
		o.options = *options
	}
	return o
}

// piece writes the token's event; the first also the role's, as vLLM does.
func (o *streamWriter) piece(p piece) error {
	if !o.begun {
		o.begun = true
		o.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		empty := ""
		if err := o.event(chatapi.ChunkChoice{Delta: chatapi.Delta{Role: "assistant", Content: &empty}}); err != nil {
			return err
		}
	}
	choice := chatapi.ChunkChoice{Delta: chatapi.Delta{Content: &p.text}, Logprobs: p.logprobs}
	if p.finish != "" {
		finish := string(p.finish)
		choice.FinishReason = &finish
	}
	if p.stopped != "" {
		choice.StopReason = p.stopped
	}
	if err := o.event(choice); err != nil {
		return err
	}
	return o.control.Flush()
}

func (o *streamWriter) event(choice chatapi.ChunkChoice) error {
	chunk := o.chunk([]chatapi.ChunkChoice{choice})
	if o.options.ContinuousUsageStats {
		usage := o.answer.usage()
		chunk.Usage = &usage
	}
	return o.write(chunk)
}

func (o *streamWriter) chunk(choices []chatapi.ChunkChoice) chatapi.ChatChunk {
	return chatapi.ChatChunk{
		ID: o.answer.id, Object: "chat.completion.chunk", Created: o.answer.created, Model: o.server.config.ServedName, Choices: choices,
	}
}

func (o *streamWriter) write(chunk chatapi.ChatChunk) error {
	data, err := json.Marshal(chunk)
	if err != nil {
		return err
	}
	return o.writeData(data)
}

// writeData bounds the time that a client who does not read can hold us up.
func (o *streamWriter) writeData(data []byte) error {
	_ = o.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not supported by a test's recorder
	return chatapi.WriteEvent(o.w, data)
}

func (o *streamWriter) end(a *answer) error {
	if o.options.IncludeUsage {
		chunk := o.chunk([]chatapi.ChunkChoice{})
		usage := a.usage()
		chunk.Usage = &usage
		if err := o.write(chunk); err != nil {
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
		o.server.writeError(o.w, err)
		return
	}
	body := asAPIError(err).body()
	data, merr := json.Marshal(chatapi.ErrorResponse{Error: body})
	if merr == nil && o.writeData(data) == nil {
		_ = o.control.Flush() // the client may be the reason of the failure
	}
}
