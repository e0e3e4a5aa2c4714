// Package hubtest is a small server with the API of the Hugging Face hub, for tests: it
// redirects downloads to another host, gates sets, and breaks in the ways that the real
// one and the networks before it do.
package hubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Commit is the commit that every revision of a repository stands for.
const Commit = "0123456789abcdef0123456789abcdef01234567"

// Server has one data set, or model.
type Server struct {
	Repo   string
	Models bool
	Token  string            // "" for an open set
	Files  map[string]string // path and content
	Other  map[string]string // files of refs/convert/parquet, with commit OtherCommit

	// What breaks; each number of times.
	Fail     int  // requests that are answered 503 first
	Cut      int  // downloads that end after half of what is left
	Corrupt  int  // downloads whose first byte is another
	NoRange  bool // ranges are ignored
	NoHash   bool // files are not of LFS
	PageSize int  // entries of a page of the list of files; 0 for all
	Stall    bool // downloads send half and then nothing

	mu       sync.Mutex
	requests []string
	leaked   bool
	api, cdn *httptest.Server
}

// OtherCommit is the commit of refs/convert/parquet.
const OtherCommit = "fedcba9876543210fedcba9876543210fedcba98"

// Start starts the server and its second host, and stops both after the test.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.cdn = httptest.NewServer(http.HandlerFunc(s.download))
	s.api = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(func() { s.api.Close(); s.cdn.Close() })
}

// URL is the endpoint.
func (s *Server) URL() string { return s.api.URL }

// Requests are the paths that were asked for so far, with ranges.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// Leaked reports whether the token reached the second host.
func (s *Server) Leaked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaked
}

// take uses up one of a number of failures.
func (s *Server) take(n *int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}

func (s *Server) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
}

func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", text)
	w.WriteHeader(status)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	api, resolve := "/api/datasets/"+s.Repo+"/", "/datasets/"+s.Repo+"/resolve/"
	if s.Models {
		api, resolve = "/api/models/"+s.Repo+"/", "/"+s.Repo+"/resolve/"
	}
	switch path := r.URL.Path; {
	case s.take(&s.Fail):
		w.WriteHeader(http.StatusServiceUnavailable)
	case path == "/api/models":
		fmt.Fprint(w, `[{"id":"org/other"}]`)
	case path == "/api/whoami-v2" && s.Token != "" && r.Header.Get("Authorization") == "Bearer "+s.Token:
		fmt.Fprint(w, `{"type":"user","name":"somebody"}`)
	case path == "/api/whoami-v2":
		refuse(w, http.StatusUnauthorized, "", "Invalid user token.")
	case !strings.HasPrefix(path, api) && !strings.HasPrefix(path, resolve):
		refuse(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
	case s.Token != "" && r.Header.Get("Authorization") == "":
		refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to dataset is restricted. You must have access to it and be authenticated to access it. Please log in.")
	case s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token:
		refuse(w, http.StatusForbidden, "GatedRepo", "Your request to access this dataset is awaiting a review")
	case strings.HasPrefix(path, resolve):
		http.Redirect(w, r, s.cdn.URL+"/"+strings.TrimPrefix(path, resolve), http.StatusFound)
	case path == api+"revision/main", path == api+"revision/"+Commit:
		fmt.Fprintf(w, `{"id":%q,"sha":%q,"gated":false}`, s.Repo, Commit)
	case path == api+"revision/refs/convert/parquet" && len(s.Other) > 0:
		fmt.Fprintf(w, `{"id":%q,"sha":%q}`, s.Repo, OtherCommit)
	case path == api+"tree/"+Commit:
		s.tree(w, r, s.Files)
	case path == api+"tree/"+OtherCommit:
		s.tree(w, r, s.Other)
	default:
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id")
	}
}

// tree lists files in pages, in the order of their paths.
func (s *Server) tree(w http.ResponseWriter, r *http.Request, files map[string]string) {
	entries := []map[string]any{{"type": "directory", "path": "data", "size": 0}}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[path]))
		entry := map[string]any{"type": "file", "path": path, "size": len(files[path]), "oid": "00"}
		if !s.NoHash {
			entry["lfs"] = map[string]any{"oid": hex.EncodeToString(sum[:]), "size": len(files[path]), "pointerSize": 130}
		}
		entries = append(entries, entry)
	}
	var page int
	_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &page) // none is 0
	if s.PageSize > 0 {
		last := min(len(entries), (page+1)*s.PageSize)
		if last < len(entries) {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=%d>; rel="next"`, s.api.URL, r.URL.Path, page+1))
		}
		entries = entries[page*s.PageSize : last]
	}
	_ = json.NewEncoder(w).Encode(entries) // a client that went away is its own matter
}

// download serves a file as the second host.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	s.mu.Lock()
	s.leaked = s.leaked || r.Header.Get("Authorization") != ""
	s.mu.Unlock()
	commit, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	files := s.Files
	if commit == OtherCommit {
		files = s.Other
	}
	content, ok := files[path]
	if !ok {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	var from int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil && !s.NoRange {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
		content = content[min(from, len(content)):]
	}
	switch {
	case s.take(&s.Cut):
		w.Header().Set("Content-Length", fmt.Sprint(len(content))) // a lie, which breaks the connection
		content = content[:len(content)/2]
	case s.take(&s.Corrupt):
		content = "?" + content[1:]
	case s.Stall:
		_, _ = w.Write([]byte(content[:len(content)/2]))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
		return
	}
	_, _ = w.Write([]byte(content))
}
