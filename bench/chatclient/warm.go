package chatclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Warm opens n keep-alive connections, so that no measured request pays for one.
// Each request's answer is left unread until all have one: a connection whose
// answer is unread cannot serve a second request.
func (c *Client) Warm(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	responses := make([]*http.Response, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/models", nil)
			if err == nil {
				responses[i], err = c.http.Do(request)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for _, r := range responses {
		if r != nil {
			_, err := io.Copy(io.Discard, io.LimitReader(r.Body, mostControl))
			errs = append(errs, err, r.Body.Close())
		}
	}
	return errors.Join(errs...)
}
