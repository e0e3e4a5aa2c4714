package variant

import (
	"strings"
	"testing"
)

func TestNewURL(t *testing.T) {
	for _, test := range []struct{ why, base, want string }{
		{"a host and a port", "http://127.0.0.1:8000", ""},
		{"TLS, and a path", "https://host/prefix", ""},
		{"HTTP/2 without TLS", "h2c://host:1", ""},
		{"no scheme", "127.0.0.1:8000", "base URL"},
		{"another scheme", "ftp://host", "no base URL"},
		{"no host", "http://", "no base URL"},
		{"a password, which would be recorded", "http://me:secret@host", "give a header"},
		{"a query", "http://host/?a=b", "ends with its path"},
	} {
		_, err := NewURL(test.base)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the password: %v", test.why, err)
		}
	}
}

// TestURLBase: the ways to write one address are one.
func TestURLBase(t *testing.T) {
	for _, base := range []string{"http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"} {
		if u, err := NewURL(base); err != nil || u.Base != "http://h:1" {
			t.Errorf("%s: %+v, error %v", base, u, err)
		}
	}
}

func TestURLIsLeftAlone(t *testing.T) {
	u, err := NewURL("http://127.0.0.1:8000")
	if err != nil {
		t.Fatal(err)
	}
	base, err := u.Start(t.Context())
	if base != "http://127.0.0.1:8000" || err != nil || u.PID() != 0 || u.Exited() != nil || u.Stop(t.Context()) != nil {
		t.Errorf("base %q, error %v, process %d", base, err, u.PID())
	}
}
