// Package secret keeps what is nobody's business out of everything that is printed,
// logged or recorded.
package secret

import (
	"fmt"
	"regexp"
)

// Hidden stands for a secret wherever one was.
const Hidden = "[hidden]"

// Text is a text that may be a secret: no way of printing, formatting or encoding shows
// it. Only Reveal does, so that every place that shows one can be found. The zero value
// is the empty text.
type Text struct{ text *string } // a pointer, since the verb %p asks no method

// New hides a text.
func New(text string) Text { return Text{&text} }

// Reveal is the text.
func (t Text) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// String is Hidden, as is every other form of a text.
func (Text) String() string { return Hidden }

// GoString is for %#v.
func (Text) GoString() string { return Hidden }

// Format is for every other verb, also wrong ones.
func (Text) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, Hidden) } // to where the caller prints

// MarshalText is for encodings, also as the key of a map.
func (Text) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// name matches names of environment variables and options whose values are secrets:
// HF_TOKEN, --api-key.
var name = regexp.MustCompile(`(?i)(key|token|secret|password|passwd|credentials?|auth)$`)

// Named reports whether what has this name is a secret.
func Named(what string) bool { return name.MatchString(what) }

// userInfo is the name and password of a URL.
var userInfo = regexp.MustCompile(`(://)[^/@\s]+@`)

// Variable is the value of an environment variable as it may be shown.
func Variable(name string, value Text) string {
	if Named(name) {
		return Hidden
	}
	return userInfo.ReplaceAllString(value.Reveal(), "${1}"+Hidden+"@")
}
