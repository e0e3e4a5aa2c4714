package truthserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Entry is the truth about one request: what was written, and when. Times are
// readings of the machine's monotonic clock (package monotime).
type Entry struct {
	ID     string        `json:"id"`      // the request's x-request-id
	Head   time.Duration `json:"head_ns"` // its head had been read
	Read   time.Duration `json:"read_ns"` // its body had been read
	Bytes  int           `json:"bytes"`   // of the body
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

// logTimeout bounds the transfer of a log.
const logTimeout = 30 * time.Second

// ReadLog reads the log of the server at a base URL, and empties it.
func ReadLog(ctx context.Context, url string) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+LogPath, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the server's log: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // read only
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read the server's log: %s", response.Status)
	}
	var entries []Entry
	for d := json.NewDecoder(bufio.NewReader(response.Body)); d.More(); {
		var e Entry
		if err := d.Decode(&e); err != nil {
			return entries, fmt.Errorf("read the server's log: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
