package chatclient

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
)

// responseHead is what of an answer's head decides how it is read.
type responseHead struct {
	status      int
	contentType string
	framing     framing
	left        int64 // bytes of a body of known length
	keep        bool  // the connection may be used again once the body is read
}

// framing is how a body ends.
type framing int

const (
	untilClose framing = iota
	byLength
	byChunks
)

const (
	mostHead    = 64 << 10
	mostInterim = 8 // answers of status 1xx
)

// headParser collects the bytes of an answer's head, interim answers skipped. The
// zero value is ready.
type headParser struct {
	collected []byte
	interim   int
	head      responseHead // once done
}

func (p *headParser) begun() bool { return len(p.collected) > 0 || p.interim > 0 }

// feed takes the next bytes. rest is what follows the head.
func (p *headParser) feed(data []byte) (rest []byte, done bool, err error) {
	for {
		before := len(p.collected)
		p.collected = append(p.collected, data...)
		end := headEnd(p.collected, max(0, before-3))
		if end < 0 {
			if len(p.collected) > mostHead {
				return nil, false, fmt.Errorf("the answer's head has more than %d bytes", mostHead)
			}
			return nil, false, nil
		}
		rest = data[end-before:]
		p.head, err = parseHead(p.collected[:end])
		if err != nil {
			return nil, false, err
		}
		if p.head.status >= 200 {
			return rest, true, nil
		}
		if p.interim++; p.interim > mostInterim {
			return nil, false, fmt.Errorf("more than %d interim answers", mostInterim)
		}
		p.collected, data = p.collected[:0], rest
		if len(data) == 0 {
			return nil, false, nil
		}
	}
}

// headEnd is the index behind the blank line that ends a head, -1 if there is none
// yet; nothing before from can begin one.
func headEnd(data []byte, from int) int {
	for i := from; i < len(data); i++ {
		if data[i] != '\n' {
			continue
		}
		if i+1 < len(data) && data[i+1] == '\n' {
			return i + 2
		}
		if i+2 < len(data) && data[i+1] == '\r' && data[i+2] == '\n' {
			return i + 3
		}
	}
	return -1
}

// parseHead reads a whole head by the rules of net/http.
func parseHead(head []byte) (responseHead, error) {
	const small = 512 // of the head's lines; the body is not read through it
	r, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(head), small), &http.Request{Method: http.MethodPost})
	if err != nil {
		return responseHead{}, fmt.Errorf("the answer %.60q is not HTTP: %w", head, err)
	}
	h := responseHead{status: r.StatusCode, contentType: r.Header.Get("Content-Type"), keep: !r.Close}
	switch {
	case r.StatusCode < 200 || r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified:
		h.framing = byLength
	case len(r.TransferEncoding) > 0:
		h.framing = byChunks
	case r.ContentLength >= 0:
		h.framing, h.left = byLength, r.ContentLength
	default:
		h.keep = false
	}
	return h, nil
}
