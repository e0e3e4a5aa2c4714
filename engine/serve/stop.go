package serve

import "strings"

// stopper looks for stop strings in text that comes in pieces. It holds back what
// may be the beginning of one.
type stopper struct {
	stops []string
	held  string
}

// push takes the next piece. It returns the text that is certain to belong to the
// answer, and the stop string that ended it, if one did: that and what follows are
// not part of the answer.
func (s *stopper) push(piece string) (text, stopped string) {
	s.held += piece
	at := -1
	for _, stop := range s.stops {
		if i := strings.Index(s.held, stop); i >= 0 && (at < 0 || i < at) {
			at, stopped = i, stop
		}
	}
	if at >= 0 {
		text, s.held = s.held[:at], ""
		return text, stopped
	}
	keep := s.ambiguous()
	text, s.held = s.held[:len(s.held)-keep], s.held[len(s.held)-keep:]
	return text, ""
}

// ambiguous is the length of the longest end of the held text that begins a stop
// string.
func (s *stopper) ambiguous() int {
	longest := 0
	for _, stop := range s.stops {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if strings.HasSuffix(s.held, stop[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}

// flush returns what is still held at the end of the answer.
func (s *stopper) flush() string {
	text := s.held
	s.held = ""
	return text
}
