package truthserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"siglab/chatapi"
)

// writer writes one answer by its script.
type writer struct {
	server *Server
	conn   net.Conn
	script Script
	entry  Entry
	events int // with a token
	// completion is an answer of completions: text without a message around it.
	completion bool
	err        error
}

// Word is the text of a token.
const Word = " tok"

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"

// answer writes the answer and reports whether the connection can take another
// request.
func (w *writer) answer(ctx context.Context) (keep bool) {
	w.entry.Fault = w.script.Fault
	if handled, keep := w.noStream(ctx); handled {
		return keep
	}
	w.entry.Status = 200
	w.write([]byte(streamHead))
	w.tokens(ctx)
	if w.err != nil {
		w.entry.Left = w.err.Error()
		return false
	}
	return w.end(ctx)
}

// noStream plays the faults that come before a stream.
func (w *writer) noStream(ctx context.Context) (handled, keep bool) {
	wait := w.script.waits(w.entry.ID)
	pause := func() bool { return sleep(ctx, wait(w.script.TTFT)) }
	switch w.script.Fault {
	case FaultStatus:
		w.entry.Status = w.script.Code
		return true, pause() && plain(w.conn, w.script.Code, "application/json", errorBody("scripted", w.script.Code)) == nil
	case FaultType:
		w.entry.Status = 200
		return true, pause() && plain(w.conn, 200, "application/json", []byte(`{"choices":[{"message":{"content":"whole"}}]}`)) == nil
	case FaultSilent:
		w.hold()
		return true, false
	case FaultHang:
		pause()
		return true, false
	case FaultGarbage:
		w.write([]byte("SSH-2.0-none\r\n\r\n"))
		return true, false
	case FaultHalfHead:
		w.write([]byte(streamHead[:40]))
		return true, false
	}
	return false, false
}

// tokens writes the events of the answer, up to the fault if there is one.
func (w *writer) tokens(ctx context.Context) {
	s := w.script
	if s.Fault == FaultEmpty {
		return
	}
	wait := s.waits(w.entry.ID)
	due := w.entry.Read + wait(s.TTFT)
	var joined []byte
	if s.Role != RoleNone {
		role := w.event(delta{Role: "assistant", Content: new(string)}, 0, false)
		if s.Role == RoleJoined {
			joined = role
		} else if w.pause(ctx, due-s.RoleLead) {
			w.send(role, 0)
		}
	}
	for sent := 0; w.err == nil && (sent < s.Tokens || s.Fault == FaultEndless); {
		n := s.PerEvent
		if s.Fault != FaultEndless {
			n = min(n, s.Tokens-sent)
		}
		if w.breaks() {
			return
		}
		last := sent+n >= s.Tokens && s.Fault != FaultEndless
		event := w.event(w.delta(sent, n), sent+n, last)
		if !w.pause(ctx, due) {
			return
		}
		if joined != nil {
			w.send(append(joined, event...), 0, n)
			joined = nil
		} else {
			w.send(event, n)
		}
		if w.err == nil {
			sent += n
			w.events++
			w.entry.Tokens = sent
			if last {
				w.entry.Finish = s.Finish
			}
		}
		due += wait(s.ITL * time.Duration(n))
	}
}

// breaks reports whether the fault comes now.
func (w *writer) breaks() bool {
	switch w.script.Fault {
	case FaultNone, FaultEndless, FaultNoDone, FaultLinger:
		return false
	}
	return w.events >= w.script.After
}

// end plays the fault, or ends the answer as it should.
func (w *writer) end(ctx context.Context) (keep bool) {
	switch w.script.Fault {
	case FaultReset:
		if tcp, ok := w.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // close sends a reset
		}
		return false
	case FaultAbort, FaultEndless:
		return false
	case FaultStall:
		w.hold()
		return false
	case FaultLongLine:
		for junk := bytes.Repeat([]byte("x"), 64<<10); w.err == nil && ctx.Err() == nil; {
			w.write(chunk(junk))
		}
		return false
	case FaultBadJSON:
		w.write(chunk([]byte("data: {\"choices\":[{\"delta\n\n")))
	case FaultErrorEvent:
		w.write(chunk([]byte("data: " + string(errorBody("scripted", 500)) + "\n\n")))
	}
	w.write(w.epilogue())
	if w.script.Fault == FaultLinger {
		w.hold()
	}
	return w.err == nil && w.script.Fault != FaultLinger
}

// epilogue is what comes after the last token: usage, [DONE], the end of the body.
func (w *writer) epilogue() []byte {
	var out []byte
	event := func(data string) {
		out = append(out, chunk([]byte("data: "+data+w.script.LineEnd+w.script.LineEnd))...)
	}
	if w.script.Usage != UsageNone && w.script.Fault != FaultEmpty {
		event(fmt.Sprintf(`{"id":"truth","object":"chat.completion.chunk","choices":[],"usage":%s}`, usage(w.entry.Tokens)))
	}
	if w.script.Fault != FaultNoDone {
		event(chatapi.DoneData)
	}
	if w.script.Fault == FaultLinger {
		return out
	}
	return append(out, "0\r\n\r\n"...)
}

// delta is what an event says.
type delta struct {
	Role      string  `json:"role,omitempty"`
	Content   *string `json:"content,omitempty"`
	Reasoning string  `json:"reasoning,omitempty"`
}

// delta of n tokens after sent ones.
func (w *writer) delta(sent, n int) delta {
	text := strings.Repeat(Word, n)
	if sent < w.script.Reasoning {
		return delta{Reasoning: text}
	}
	return delta{Content: &text}
}

func usage(tokens int) string {
	return fmt.Sprintf(`{"prompt_tokens":1,"total_tokens":%d,"completion_tokens":%d}`, tokens+1, tokens)
}

// event is an encoded event with a choice, tokens counted up to it.
func (w *writer) event(d delta, tokens int, last bool) []byte {
	object, member, value := "chat.completion.chunk", "delta", any(d)
	if w.completion {
		object, member, value = "text_completion", "text", d.Content
	}
	said, err := json.Marshal(value)
	if err != nil {
		w.err = err
		return nil
	}
	finish, counted := "null", ""
	if last {
		finish = strconv.Quote(w.script.Finish)
	}
	if w.script.Usage == UsageContinuous {
		counted = `,"usage":` + usage(tokens)
	}
	data := fmt.Sprintf(`data: {"id":"truth","object":"%s","created":1,"model":"truth","choices":[{"index":0,"%s":%s,"logprobs":null,"finish_reason":%s}]%s}%s%s`,
		object, member, said, finish, counted, w.script.LineEnd, w.script.LineEnd)
	return chunk([]byte(data))
}

// chunk frames data for the transfer.
func chunk(data []byte) []byte {
	framed := strconv.AppendInt(make([]byte, 0, len(data)+16), int64(len(data)), 16)
	framed = append(framed, "\r\n"...)
	framed = append(framed, data...)
	return append(framed, "\r\n"...)
}

// send writes encoded events and logs them, with the tokens of each.
func (w *writer) send(encoded []byte, tokens ...int) {
	for s := w.script.Split; s > 0 && len(encoded) > s; encoded = encoded[s:] {
		w.write(encoded[:s])
	}
	at := w.server.now()
	w.write(encoded)
	done := w.server.now()
	if w.err != nil {
		return
	}
	for _, n := range tokens {
		w.entry.Events = append(w.entry.Events, Event{At: at, Done: done, Tokens: n})
	}
}

func (w *writer) write(data []byte) {
	if w.err == nil {
		_, w.err = w.conn.Write(data)
	}
}

// pause waits until the shared clock shows due.
func (w *writer) pause(ctx context.Context, due time.Duration) bool {
	if w.err == nil && !sleep(ctx, due-w.server.now()) {
		w.err = ctx.Err()
	}
	return w.err == nil
}

// hold waits until the client closes the connection, or its deadline.
func (w *writer) hold() { _, _ = io.Copy(io.Discard, w.conn) }

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
