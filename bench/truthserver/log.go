package truthserver

import (
	"sync"
	"time"
)

// Entry is the truth about one request: what was written, and when. Times are
// readings of the machine's monotonic clock (package monotime).
type Entry struct {
	ID     string        `json:"id"`      // the request's x-request-id
	Head   time.Duration `json:"head_ns"` // its head had been read
	Read   time.Duration `json:"read_ns"` // its body had been read
	Status int           `json:"status,omitempty"`
	Events []Event       `json:"events,omitempty"` // those with a choice, in order
	Tokens int           `json:"tokens,omitempty"`
	Finish string        `json:"finish,omitempty"`
	Fault  Fault         `json:"fault,omitempty"`
	// Left is how writing failed, if it did: the client had gone.
	Left string `json:"left,omitempty"`
}

// Event is one event with a choice.
type Event struct {
	At     time.Duration `json:"at_ns"`   // just before the write that brought its last byte
	Done   time.Duration `json:"done_ns"` // that write had returned
	Tokens int           `json:"tokens"`
}

// mostEntries bounds the log; what is beyond is counted.
const mostEntries = 1 << 20

// journal is the log. It is safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	entries []Entry
	lost    int
}

func (j *journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == mostEntries {
		j.lost++
		return
	}
	j.entries = append(j.entries, e)
}

// take empties the log.
func (j *journal) take() (entries []Entry, lost int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries, lost = j.entries, j.lost
	j.entries, j.lost = nil, 0
	return entries, lost
}
