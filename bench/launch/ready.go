package launch

import (
	"context"
	"net/http"
	"time"
)

const (
	readyEvery   = 50 * time.Millisecond
	readyTimeout = 2 * time.Second // of one question
)

// whenReady yields the server's URL when one of its Ready URLs answers 200. It stops
// asking with ctx.
func (p *Process) whenReady(ctx context.Context) <-chan string {
	ready := make(chan string, 1)
	client := &http.Client{Timeout: readyTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		for ctx.Err() == nil {
			for _, url := range p.spec.Ready {
				if answersOK(ctx, client, url) {
					ready <- p.spec.URL
					return
				}
			}
			select {
			case <-ctx.Done():
			case <-p.died:
				return
			case <-time.After(readyEvery):
			}
		}
	}()
	return ready
}

func answersOK(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false // said by the time-out, which names the URL
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // not read
	return response.StatusCode == http.StatusOK
}
