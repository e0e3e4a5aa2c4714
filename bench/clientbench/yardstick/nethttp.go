package yardstick

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// netHTTP sends by the standard library.
type netHTTP struct {
	url    string
	client *http.Client
}

const mostConnections = 4096

func newNetHTTP(url string) *netHTTP {
	return &netHTTP{url: url + "/v1/chat/completions", client: &http.Client{
		Transport: &http.Transport{MaxIdleConns: mostConnections, MaxIdleConnsPerHost: mostConnections, DisableCompression: true},
	}}
}

func (n *netHTTP) send(ctx context.Context, id string, body []byte, read func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Request-Id", id)
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // read only
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	in := bufio.NewReader(response.Body)
	if err := readEvents(in, read); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in) // to its end, which keeps the connection
	return err
}
