package chatclient

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"siglab/bench/record"
)

// Warm opens n keep-alive connections, so that no measured request pays for one.
// Each has carried a GET of /v1/models, whatever that answers, and none is used
// twice: an answer that is not closed keeps its connection.
func (c *Client) Warm(ctx context.Context, n int) error {
	deadline := time.Now().Add(controlTimeout)
	answers := make([]answer, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r := &request{method: http.MethodGet, path: "/v1/models", limits: limits{deadline, controlTimeout}}
			answers[i], errs[i] = c.measure.roundTrip(ctx, r, &record.Observation{})
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a == nil {
			continue
		}
		for err, total := error(nil), 0; err == nil && total < mostControl; {
			var data []byte
			data, _, err = a.next()
			total += len(data)
		}
		a.close()
	}
	return errors.Join(errs...)
}
