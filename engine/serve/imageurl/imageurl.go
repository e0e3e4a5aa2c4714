// Package imageurl loads the bytes behind the image URLs of requests: data URLs, and
// where that is allowed http and https URLs, from public addresses only.
//
// A server that fetches what strangers name can be made to fetch what only it can
// reach. The address is therefore checked where the connection is made, after the name
// was resolved: names that point to a private address, that change while they are
// looked up, or that a redirect leads to are all refused. No proxy is used, since it would
// resolve names by itself. Size, time, redirects and the number of downloads at once
// are bounded.
package imageurl

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// RefusedError is a URL that this server does not load, whatever is behind it.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// FetchError is a download that failed.
type FetchError struct{ Reason string }

func (e *FetchError) Error() string { return e.Reason }

// Options of a loader.
type Options struct {
	Fetch   bool                  // also http and https URLs
	Bytes   int                   // the largest image
	Allowed func(netip.Addr) bool // addresses that may be fetched from. nil: Public
	Timeout time.Duration         // of a download. Zero: 10 s
}

// Loader loads images. It is safe for concurrent use.
type Loader struct {
	options Options
	client  *http.Client
	slots   chan struct{} // one for each download at once
}

const (
	mostRedirects = 3
	mostDownloads = 8 // at once
	mostHeader    = 64 << 10
)

// errNotPublic is the reason of a refused connection; which address it was is kept
// from the client, who may be asking for that.
var errNotPublic = errors.New("its address is not a public one")

// New makes a loader.
func New(o Options) *Loader {
	if o.Allowed == nil {
		o.Allowed = Public
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !o.Allowed(to.Addr()) {
			return errNotPublic
		}
		return nil
	}}
	return &Loader{options: o, slots: make(chan struct{}, mostDownloads), client: &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
			TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: mostHeader,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > mostRedirects {
				return fmt.Errorf("more than %d redirects", mostRedirects)
			}
			if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return fmt.Errorf("a redirect to a %.20q URL", r.URL.Scheme)
			}
			return nil
		},
	}}
}

// Load returns the bytes behind a URL, whose kind is not checked. Errors:
// *RefusedError, *FetchError, and ctx's.
func (l *Loader) Load(ctx context.Context, address string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case "data":
		return l.decode(rest)
	case "http", "https":
		if !l.options.Fetch {
			return nil, &RefusedError{fmt.Sprintf("The image URL %.60q is not a data URL; this server fetches nothing unless it is started with --allow-image-urls, so send data:image/jpeg;base64,….", address)}
		}
		return l.fetch(ctx, address)
	case "file":
		return nil, &RefusedError{"Cannot load local files: this server reads images from requests only."}
	}
	return nil, &RefusedError{"The URL must be either a HTTP, data or file URL."}
}

// decode takes the rest of a data URL apart.
func (l *Loader) decode(rest string) ([]byte, error) {
	head, payload, ok := strings.Cut(rest, ",")
	if !ok || !strings.HasSuffix(head, ";base64") {
		return nil, &RefusedError{fmt.Sprintf("The data URL %.60q is not of the form data:image/jpeg;base64,….", "data:"+rest[:min(len(rest), 60)])}
	}
	data, err := base64.StdEncoding.DecodeString(payload)
	switch {
	case err != nil:
		return nil, &RefusedError{fmt.Sprintf("The image is not valid base64: %v.", err)}
	case len(data) > l.options.Bytes:
		return nil, &RefusedError{fmt.Sprintf("The image has more than %d bytes.", l.options.Bytes)}
	}
	return data, nil
}

// fetch downloads an image.
func (l *Loader) fetch(ctx context.Context, address string) ([]byte, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	failed := func(format string, args ...any) error {
		return &FetchError{"Failed to fetch media from URL: " + fmt.Sprintf(format, args...) + fmt.Sprintf(" (parameter=image_url, value=%.200s)", address)}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed("it is not a URL")
	}
	request.Header.Set("Accept", "image/*")
	response, err := l.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failed("%v", reason(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, failed("HTTP %d error", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, int64(l.options.Bytes)+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, failed("%v", reason(err))
	case len(data) > l.options.Bytes:
		return nil, failed("more than %d bytes", l.options.Bytes)
	}
	return data, nil
}

// reason is what a client may know of a failed download: no addresses.
func reason(err error) error {
	var timeout net.Error
	var resolution *net.DNSError
	var outer *url.Error
	switch {
	case errors.Is(err, errNotPublic):
		return errNotPublic
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("it took too long")
	case errors.As(err, &resolution):
		return errors.New("its host name could not be resolved")
	case errors.As(err, new(*net.OpError)):
		return errors.New("the connection failed")
	case errors.As(err, &outer):
		return outer.Err
	}
	return err
}

// Public reports whether an address belongs to the public Internet: it is not
// private, local, of a carrier's network, reserved, for documentation or multicast, and
// it does not stand for such an IPv4 address.
func Public(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsValid() || address.Zone() != "" || !address.IsGlobalUnicast() || address.IsPrivate() {
		return false
	}
	for _, prefix := range notPublic() {
		if prefix.Contains(address) {
			return false
		}
	}
	return true
}

// notPublic are the networks of IANA's special-purpose registries that netip has no
// name for. Those that carry an IPv4 address inside are left out as a whole.
func notPublic() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	return prefixes
}
