package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Kinds of failure that a caller may want to tell apart.
var (
	// ErrUnreachable: no answer, or none that helps, after all attempts.
	ErrUnreachable = errors.New("the hub cannot be reached")
	// ErrDenied: the set is gated or private, or does not exist; the hub does not say
	// which to strangers.
	ErrDenied = errors.New("the hub does not give it")
	// ErrNotFound: there is no such repository, revision or file.
	ErrNotFound = errors.New("the hub does not have it")
)

// get asks for a path of the endpoint, following redirects, until the answer is 200,
// 206 or 416, which the caller handles and closes. What may pass is tried again:
// broken connections, 408, 429 and 5xx.
func (c *Client) get(ctx context.Context, target string, header http.Header) (*http.Response, error) {
	var last error
	for attempt := 1; ; attempt++ {
		response, err := c.try(ctx, target, header)
		var again *retry
		if err == nil || !errors.As(err, &again) {
			return response, err
		}
		last = again.cause
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if attempt >= c.config.Attempts || attempt >= 2 && again.hopeless {
			return nil, fmt.Errorf("%w (%s, %s): %w", ErrUnreachable, c.endpoint, attempts(attempt), last)
		}
		if err := c.wait(ctx, attempt, again.after); err != nil {
			return nil, err
		}
	}
}

// retry is a failure that may pass.
type retry struct {
	cause    error
	after    time.Duration // the server's wish
	hopeless bool          // nobody listens there: one more attempt is enough
}

func (r *retry) Error() string { return r.cause.Error() }

func (c *Client) try(ctx context.Context, target string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "siglab")
	if c.config.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
	for key, values := range header {
		request.Header[key] = values
	}
	response, err := c.http.Do(request)
	if err != nil {
		var dial *net.OpError
		return nil, &retry{cause: err, hopeless: errors.As(err, &dial) && dial.Op == "dial"}
	}
	switch status := response.StatusCode; {
	case status == http.StatusOK, status == http.StatusPartialContent, status == http.StatusRequestedRangeNotSatisfiable:
		return response, nil
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // a date counts as 0
		return nil, &retry{cause: c.refusal(response), after: time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	default:
		return nil, c.refusal(response)
	}
}

// refusal is the error of an answer, which it closes.
func (c *Client) refusal(response *http.Response) error {
	defer func() { _ = response.Body.Close() }() // read for its text only
	text := response.Header.Get("X-Error-Message")
	if text == "" {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // best effort
		text = strings.Join(strings.Fields(string(body)), " ")
	}
	said := fmt.Sprintf("%s said %s", response.Request.URL.Host, response.Status)
	if code := response.Header.Get("X-Error-Code"); code != "" {
		said += ", " + code
	}
	if text != "" {
		said += fmt.Sprintf(": %.300s", text)
	}
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrDenied, said)
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: %s", ErrNotFound, said)
	default:
		return errors.New(said)
	}
}

// String names one of the kind.
func (k Kind) String() string {
	if k == Models {
		return "model"
	}
	return "data set"
}

// advise adds to an error about a repository what to do next.
func (c *Client) advise(repo string, err error) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("%s %s", c.config.Kind, repo)
	local := "or point to a copy on this machine: --dataset DIR"
	copied := fmt.Sprintf("`siglab dataset freeze %s --out DIR` makes a folder: copy it here and say --dataset DIR", repo)
	if c.config.Kind == Models {
		local = "or name a directory with its config.json"
		copied = fmt.Sprintf("`hf download %s config.json --local-dir DIR` makes a folder: copy it here and name it", repo)
	}
	switch {
	case errors.Is(err, ErrDenied) && c.config.Token == "":
		return fmt.Errorf("%s: %w; if it is gated, accept its terms at %s, make a token at %s/settings/tokens and set HF_TOKEN to it; %s", what, err, c.page(repo), c.endpoint, local)
	case errors.Is(err, ErrDenied):
		return fmt.Errorf("%s: %w; the token in HF_TOKEN does not open it: accept its terms at %s with the token's account, and let the token read gated repositories; %s", what, err, c.page(repo), local)
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%s: %w; check the name and revision, set HF_TOKEN if it is private, %s", what, err, local)
	case errors.Is(err, ErrUnreachable):
		return fmt.Errorf("%s: %w; where the hub can be reached, %s", what, err, copied)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// address is a URL of the endpoint from path elements, each escaped.
func (c *Client) address(parts ...string) string {
	var escaped []string
	for _, part := range parts {
		escaped = append(escaped, url.PathEscape(part))
	}
	return c.endpoint.String() + "/" + strings.Join(escaped, "/")
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}
