// Package hub fetches files of data sets and models from the Hugging Face hub, or from
// a server with its API, into a cache.
//
// A revision is resolved to a commit first, and everything else is asked of that
// commit, so that a set is named exactly. A download goes to a partial file, goes on
// by a range where it broke off, and becomes visible only when its size and, where the
// hub gives one (files of Git LFS and Xet), its SHA-256 are right. Every wait is bounded
// and ends with the context.
//
// The cache is laid out as
//
//	ORG--NAME/refs/REVISION.json       the commit that a revision stood for
//	ORG--NAME/COMMIT/tree.json         the files of a commit
//	ORG--NAME/COMMIT/files/PATH        the files that were fetched
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// DefaultEndpoint is the hub itself.
const DefaultEndpoint = "https://huggingface.co"

// Kind is what repositories hold.
type Kind int8

// The kinds.
const (
	DataSets Kind = iota
	Models
)

// Config says how the hub is reached. Its zero value, with a Cache, is the hub without
// a token, and its data sets.
type Config struct {
	Kind     Kind
	Endpoint string // "" is DefaultEndpoint
	Token    string // "" for none; it goes to the endpoint alone
	Cache    string // folder; it is made
	Offline  bool   // use the cache only
	// Progress is told how a download goes, several times a second, from one goroutine
	// at a time; nil for nobody.
	Progress func(Progress)
	// Note is told what a person should know, such as that a cached commit is used
	// because the hub cannot be reached; nil for nobody.
	Note func(text string)

	Attempts int           // per request; 0 is 5
	Backoff  time.Duration // before the second attempt, doubled for each later one; 0 is 1 s
	Idle     time.Duration // longest wait for the next byte; 0 is 60 s
}

// Progress is the state of a download.
type Progress struct {
	File  string
	Done  int64 // bytes, those of an earlier try included
	Total int64
	End   bool // the file is complete and checked
}

// Client fetches from the hub. It may be used concurrently, though a file should be
// fetched once at a time.
type Client struct {
	config   Config
	endpoint *url.URL
	http     *http.Client
}

// New checks the configuration.
func New(c Config) (*Client, error) {
	if c.Endpoint == "" {
		c.Endpoint = DefaultEndpoint
	}
	endpoint, err := url.Parse(strings.TrimSuffix(c.Endpoint, "/"))
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, fmt.Errorf("hub endpoint %q: write a URL such as %s", c.Endpoint, DefaultEndpoint)
	}
	if c.Cache == "" {
		return nil, errors.New("the hub's files need a cache folder")
	}
	if strings.ContainsAny(c.Token, "\r\n") {
		return nil, errors.New("the hub's token has a line break in it")
	}
	if c.Attempts == 0 {
		c.Attempts = 5
	}
	if c.Backoff == 0 {
		c.Backoff = time.Second
	}
	if c.Idle == 0 {
		c.Idle = time.Minute
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Note == nil {
		c.Note = func(string) {}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // proxies of the environment, as other clients of the hub
	transport.ResponseHeaderTimeout = c.Idle
	transport.DisableCompression = true // sizes and ranges are of the files
	client := &http.Client{Transport: transport, CheckRedirect: func(request *http.Request, via []*http.Request) error {
		if len(via) > 10 {
			return errors.New("more than 10 redirects")
		}
		if request.URL.Host != endpoint.Host || request.URL.Scheme != endpoint.Scheme {
			request.Header.Del("Authorization") // files come from other hosts by signed addresses
		}
		return nil
	}}
	return &Client{config: c, endpoint: endpoint, http: client}, nil
}

// Names of repositories and of revisions as the hub allows them.
var (
	repoName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	revisionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
	commitName   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// IsName reports whether text could be ORG/NAME or ORG/NAME@REVISION.
func IsName(text string) bool {
	_, _, err := ParseName(text)
	return err == nil
}

// ParseName takes ORG/NAME or ORG/NAME@REVISION apart; the revision is "main" if it is
// left out.
func ParseName(text string) (repo, revision string, err error) {
	repo, revision, found := strings.Cut(text, "@")
	if !found {
		revision = "main"
	}
	if !repoName.MatchString(repo) || strings.Contains(repo, "..") || strings.Contains(repo, "--") {
		return "", "", fmt.Errorf("%q is not a name on the hub: write ORG/NAME or ORG/NAME@REVISION", text)
	}
	if !revisionName.MatchString(revision) || strings.Contains(revision, "..") {
		return "", "", fmt.Errorf("%q is not a revision: write a branch, a tag or a commit after the @", revision)
	}
	return repo, revision, nil
}

// api is the address of a repository's part in the API.
func (c *Client) api(repo string, parts ...string) string {
	org, name, _ := strings.Cut(repo, "/")
	kind := "datasets"
	if c.config.Kind == Models {
		kind = "models"
	}
	return c.address(append([]string{"api", kind, org, name}, parts...)...)
}

// page is the address of a repository's page and what is below it.
func (c *Client) page(repo string, parts ...string) string {
	org, name, _ := strings.Cut(repo, "/")
	parts = append([]string{org, name}, parts...)
	if c.config.Kind == DataSets {
		parts = append([]string{"datasets"}, parts...)
	}
	return c.address(parts...)
}

// repoDir is the folder of a repository in the cache.
func (c *Client) repoDir(repo string) string {
	return filepath.Join(c.config.Cache, strings.ReplaceAll(repo, "/", "--"))
}

// wait waits before attempt n (from 1), or for as long as the server asks.
func (c *Client) wait(ctx context.Context, n int, asked time.Duration) error {
	const longest = time.Minute
	pause := min(max(c.config.Backoff<<min(n-1, 10), asked), longest)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
