package chatapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxEvent bounds the data of one event, in bytes.
const MaxEvent = 4 << 20

// DoneData is the data of the event that ends a stream.
const DoneData = "[DONE]"

// ErrEventTooLong is an event whose data is longer than MaxEvent.
var ErrEventTooLong = errors.New("server-sent event is longer than 4 MiB")

// EventParser takes a text/event-stream apart as the WHATWG HTML standard says
// (section "Server-sent events"): lines end in CR, LF or CRLF, lines of several
// data fields are joined by LF, comments and other fields are skipped, a leading
// byte order mark is ignored, an event that no blank line ends is dropped.
//
// It is pushed rather than pulled, so that a client can stamp the raw read first
// and parse afterwards. The zero value is ready to use.
type EventParser struct {
	line  []byte // the current line, as far as it has come
	data  []byte // data of the current event
	some  bool   // the current event has a data field
	begun bool   // the byte order mark is behind us
	cr    bool   // the last byte was CR: an LF that follows belongs to it
}

// Feed takes the next bytes of the stream, cut anywhere, and calls emit with the
// data of every event that they complete. The data is valid during the call only.
func (p *EventParser) Feed(chunk []byte, emit func(data []byte)) error {
	for len(chunk) > 0 {
		if p.cr {
			p.cr = false
			if chunk[0] == '\n' {
				chunk = chunk[1:]
				continue
			}
		}
		end := bytes.IndexByte(chunk, '\n')
		if cr := bytes.IndexByte(chunk[:max(end, 0)], '\r'); cr >= 0 {
			end = cr
		} else if end < 0 {
			end = bytes.IndexByte(chunk, '\r')
		}
		if end < 0 {
			p.line = append(p.line, chunk...)
			return p.check()
		}
		p.line = append(p.line, chunk[:end]...)
		p.cr = chunk[end] == '\r'
		chunk = chunk[end+1:]
		if err := p.check(); err != nil {
			return err
		}
		p.endLine(emit)
	}
	return nil
}

func (p *EventParser) check() error {
	if len(p.line)+len(p.data) > MaxEvent {
		return ErrEventTooLong
	}
	return nil
}

// Pending reports whether an event has begun that is not complete: at the end of a
// stream it says that the stream was cut off.
func (p *EventParser) Pending() bool { return len(p.line) > 0 || p.some }

// endLine takes in the line that has just ended.
func (p *EventParser) endLine(emit func(data []byte)) {
	line := p.line
	p.line = p.line[:0]
	if !p.begun {
		p.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if len(line) == 0 {
		if p.some {
			emit(p.data[:len(p.data)-1]) // without the LF after the last field
		}
		p.data, p.some = p.data[:0], false
		return
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	if string(field) != "data" { // an empty field name is a comment
		return
	}
	value = bytes.TrimPrefix(value, []byte(" "))
	p.data = append(append(p.data, value...), '\n')
	p.some = true
}

// WriteEvent writes one event. data must not hold line ends, which encoded JSON
// never does.
func WriteEvent(w io.Writer, data []byte) error {
	if bytes.ContainsAny(data, "\r\n") {
		return fmt.Errorf("event data %.40q holds a line end", data)
	}
	event := make([]byte, 0, len(data)+8)
	event = append(event, "data: "...)
	event = append(event, data...)
	event = append(event, "\n\n"...)
	_, err := w.Write(event) // one write: one packet
	return err
}
