package variant

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// URL is a server that runs already. It is neither started nor stopped, its process
// is not known, and nobody is told if it ends: requests fail then.
type URL struct{ Base string }

// NewURL checks a base URL: a scheme that the client speaks, a host, perhaps a path.
// OpenAI's own clients have the base URL end with /v1, which is left out here: it
// belongs to the routes.
func NewURL(base string) (*URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("base URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c" || u.Host == "":
		return nil, fmt.Errorf("%q is no base URL such as http://127.0.0.1:8000 (or https, h2c)", base)
	case u.User != nil:
		return nil, errors.New("a base URL has no name and password, since it is recorded: give a header")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q: a base URL ends with its path", base)
	}
	base = strings.TrimSuffix(strings.TrimSuffix(base, "/"), "/v1")
	return &URL{Base: base}, nil
}

// Start returns the base URL.
func (u *URL) Start(context.Context) (string, error) { return u.Base, nil }

// Stop does nothing: the server is somebody else's.
func (u *URL) Stop(context.Context) error { return nil }

// PID is 0: the process is not known.
func (u *URL) PID() int { return 0 }

// Exited is nil: the end of the server is not seen.
func (u *URL) Exited() <-chan struct{} { return nil }

// Cause is never asked for, since Exited is never closed.
func (u *URL) Cause() error { return nil }
