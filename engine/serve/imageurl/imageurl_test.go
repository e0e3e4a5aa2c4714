package imageurl

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:1.1.1.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:0:1::": false, "2001:db8::1": false, "fe80::1%eth0": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public %v, want %v", address, got, want)
		}
	}
}

// images is a server of good and bad images.
func images(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("an image")) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 200)) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/circle", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.2:1/secret", http.StatusFound)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestLoad(t *testing.T) {
	base := images(t)
	off := New(Options{Bytes: 100})
	public := New(Options{Bytes: 100, Fetch: true})
	here := New(Options{Bytes: 100, Fetch: true, Timeout: 200 * time.Millisecond,
		Allowed: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }})
	const refused, failed = "refused", "failed"
	tests := []struct {
		name   string
		loader *Loader
		url    string
		kind   string // of the error; "": none
		want   string // the data, or a part of the error
	}{
		{"a data URL", off, "data:image/png;base64,aGVsbG8=", "", "hello"},
		{"its scheme in capitals", off, "DATA:;base64,aGVsbG8=", "", "hello"},
		{"not base64", off, "data:image/png;base64,@@@", refused, "base64"},
		{"no base64 at all", off, "data:image/png,hello", refused, "form"},
		{"no comma", off, "data:", refused, "form"},
		{"a large data URL", off, "data:;base64," + strings.Repeat("AAAA", 100), refused, "more than 100 bytes"},
		{"fetching is off", off, base + "/good", refused, "--allow-image-urls"},
		{"a file", here, "file:///etc/passwd", refused, "local files"},
		{"another scheme", here, "ftp://example/x", refused, "HTTP, data or file"},
		{"no scheme", here, "/etc/passwd", refused, "HTTP, data or file"},
		{"nothing", here, "", refused, "HTTP, data or file"},
		{"a good image", here, base + "/good", "", "an image"},
		{"a redirect", here, base + "/moved", "", "an image"},
		{"redirects without an end", here, base + "/circle", failed, "more than 3 redirects"},
		{"a redirect to a file", here, base + "/file", failed, "redirect to a"},
		{"a redirect to an address that is not allowed", here, base + "/inside", failed, "not a public one"},
		{"not there", here, base + "/none", failed, "HTTP 404 error"},
		{"too large", here, base + "/large", failed, "more than 100 bytes"},
		{"it never ends", here, base + "/endless", failed, "too long"},
		{"a closed port", here, "http://127.0.0.1:1/x", failed, "connection failed"},
		{"a private address", public, base + "/good", failed, "not a public one"},
		{"a name of a private address", public, strings.Replace(base, "127.0.0.1", "localhost", 1) + "/good", failed, "not a public one"},
		{"a private address in another spelling", public, strings.Replace(base, "127.0.0.1", "[::ffff:127.0.0.1]", 1) + "/good", failed, "not a public one"},
		{"not a URL", here, "http://[", failed, "not a URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := tt.loader.Load(t.Context(), tt.url)
			kind, got := "", string(data)
			if err != nil {
				kind, got = "another error", err.Error()
			}
			if errors.As(err, new(*RefusedError)) {
				kind = refused
			}
			if errors.As(err, new(*FetchError)) {
				kind = failed
			}
			if kind != tt.kind || !strings.Contains(got, tt.want) {
				t.Errorf("%s %q, want %s %q", kind, got, tt.kind, tt.want)
			}
			if tt.kind == failed && strings.Contains(strings.ReplaceAll(got, tt.url, ""), "127.0.0") {
				t.Errorf("the error names an address: %s", got)
			}
		})
	}
}

// TestLoadCancelled: a client that goes away ends the download, also one that waits
// for its turn.
func TestLoadCancelled(t *testing.T) {
	base := images(t)
	l := New(Options{Bytes: 100, Fetch: true, Allowed: func(netip.Addr) bool { return true }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2*mostDownloads)
	for range cap(ended) {
		go func() {
			_, err := l.Load(ctx, base+"/endless")
			ended <- err
		}()
	}
	cancel()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("data:image/png;base64,aGVsbG8=")
	f.Add("http://[::1]/x")
	l := New(Options{Bytes: 100})
	f.Fuzz(func(t *testing.T, url string) {
		data, err := l.Load(t.Context(), url)
		if err == nil && len(data) > 100 {
			t.Errorf("%d bytes", len(data))
		}
		if err != nil && !errors.As(err, new(*RefusedError)) {
			t.Errorf("error %v", err)
		}
	})
}
