package hub_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/internal/hub"
	"siglab/internal/hub/hubtest"
)

const repo = "org/set"

var content = strings.Repeat("0123456789", 100_000)

func server(t *testing.T, change func(s *hubtest.Server)) *hubtest.Server {
	t.Helper()
	s := &hubtest.Server{Repo: repo, Files: map[string]string{"README.md": "hello", "data/train-0.parquet": content}}
	if change != nil {
		change(s)
	}
	s.Start(t)
	return s
}

func client(t *testing.T, c hub.Config) *hub.Client {
	t.Helper()
	if c.Cache == "" {
		c.Cache = t.TempDir()
	}
	c.Backoff, c.Idle = time.Millisecond, 5*time.Second
	client, err := hub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// fetch resolves main and fetches the Parquet file.
func fetch(t *testing.T, c *hub.Client) (string, error) {
	t.Helper()
	s, err := c.Resolve(t.Context(), repo, "main")
	if err != nil {
		return "", err
	}
	for _, file := range s.Files {
		if file.Path == "data/train-0.parquet" {
			return c.Fetch(t.Context(), s, file)
		}
	}
	t.Fatalf("files %v", s.Files)
	return "", nil
}

func TestFetch(t *testing.T) {
	tests := []struct {
		sentence string
		change   func(s *hubtest.Server)
		requests int // downloads
	}{
		{"a download is redirected to another host", nil, 1},
		{"a gated set opens with the token, which the other host does not see", func(s *hubtest.Server) { s.Token = "hf_x" }, 1},
		{"a list of files of several pages", func(s *hubtest.Server) { s.PageSize = 1 }, 1},
		{"an overloaded server is asked again", func(s *hubtest.Server) { s.Fail = 3 }, 1},
		{"a body that breaks off goes on by a range", func(s *hubtest.Server) { s.Cut = 1 }, 2},
		{"a line that breaks often gets there", func(s *hubtest.Server) { s.Cut = 12 }, 13},
		{"a server without ranges begins again", func(s *hubtest.Server) { s.Cut, s.NoRange = 1, true }, 2},
		{"a file that was changed on the way is fetched again", func(s *hubtest.Server) { s.Corrupt = 1 }, 2},
		{"a file without a hash is checked by its size", func(s *hubtest.Server) { s.NoHash = true }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			s := server(t, tt.change)
			last := hub.Progress{}
			c := client(t, hub.Config{Endpoint: s.URL(), Token: "hf_x", Progress: func(p hub.Progress) { last = p }})
			path, err := fetch(t, c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != content {
				t.Errorf("%d bytes, error %v", len(got), err)
			}
			downloads := 0
			for _, r := range s.Requests() {
				if strings.HasPrefix(r, "/"+hubtest.Commit) {
					downloads++
				}
			}
			if downloads != tt.requests || s.Leaked() || !last.End || last.Done != int64(len(content)) {
				t.Errorf("%d downloads, want %d; token leaked: %v; last progress %+v", downloads, tt.requests, s.Leaked(), last)
			}
			before := len(s.Requests())
			if again, err := fetch(t, c); err != nil || again != path {
				t.Errorf("again: %s, %v", again, err)
			}
			if asked := len(s.Requests()) - before; asked != 1 {
				t.Errorf("a cached file took %d requests, want 1 for the commit", asked)
			}
		})
	}
}

// TestFetchGoesOn leaves half a file in the cache, as a program that was killed does.
func TestFetchGoesOn(t *testing.T) {
	s := server(t, nil)
	cache := t.TempDir()
	part := filepath.Join(cache, "org--set", hubtest.Commit, "files", "data", "train-0.parquet.part")
	for _, left := range []string{content[:1000], "wrong bytes", content + "too many"} {
		if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(part, []byte(left), 0o644); err != nil {
			t.Fatal(err)
		}
		path, err := fetch(t, client(t, hub.Config{Endpoint: s.URL(), Cache: cache}))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%d bytes, error %v", len(got), err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(strings.Join(s.Requests(), "\n"), "bytes=1000-") {
		t.Errorf("no range was asked for: %v", s.Requests())
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		sentence string
		config   hub.Config
		change   func(s *hubtest.Server)
		is       error
		want     []string
	}{
		{"gated: how to log in", hub.Config{}, func(s *hubtest.Server) { s.Token = "hf_x" }, hub.ErrDenied,
			[]string{"401", "GatedRepo", "accept its terms at ", "/datasets/org/set", "set HF_TOKEN", "--dataset DIR"}},
		{"gated: a token that is not enough", hub.Config{Token: "hf_other"}, func(s *hubtest.Server) { s.Token = "hf_x" }, hub.ErrDenied,
			[]string{"403", "awaiting a review", "the token in HF_TOKEN does not open it", "--dataset DIR"}},
		{"an unknown repository", hub.Config{}, func(s *hubtest.Server) { s.Repo = "org/other" }, hub.ErrNotFound,
			[]string{"404", "check the name and revision", "--dataset DIR"}},
		{"a server that stays overloaded", hub.Config{}, func(s *hubtest.Server) { s.Fail = 1000 }, hub.ErrUnreachable,
			[]string{"503", "5 attempts", "siglab dataset freeze org/set", "--dataset DIR"}},
		{"a file that is always changed", hub.Config{}, func(s *hubtest.Server) { s.Corrupt = 1000 }, nil,
			[]string{"SHA-256", "the hub lists"}},
		{"offline, with nothing in the cache", hub.Config{Offline: true}, nil, hub.ErrUnreachable,
			[]string{"offline", "not in the cache", "--dataset DIR"}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			s := server(t, tt.change)
			tt.config.Endpoint = s.URL()
			_, err := fetch(t, client(t, tt.config))
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("error %v, want %v", err, tt.is)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %v lacks %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hf_") {
				t.Errorf("the token is in the error: %v", err)
			}
		})
	}
}

// TestUnreachable: what was fetched before is used, with a note; what was not is an
// error that comes soon.
func TestUnreachable(t *testing.T) {
	s := server(t, nil)
	cache := t.TempDir()
	want, err := fetch(t, client(t, hub.Config{Endpoint: s.URL(), Cache: cache}))
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	gone := hub.Config{Endpoint: "http://127.0.0.1:9", Cache: cache, Note: func(text string) { notes = append(notes, text) }}
	got, err := fetch(t, client(t, gone))
	if err != nil || got != want || len(notes) != 1 || !strings.Contains(notes[0], hubtest.Commit) {
		t.Errorf("%s, notes %q, error %v", got, notes, err)
	}
	offline := client(t, hub.Config{Cache: cache, Offline: true})
	if got, err := fetch(t, offline); err != nil || got != want {
		t.Errorf("offline: %s, %v", got, err)
	}
	sets, err := offline.List()
	listed := hub.CachedSet{Repo: repo, Commit: hubtest.Commit, Fetched: 1, Files: 2, Bytes: int64(len(content)), Path: filepath.Join(cache, "org--set", hubtest.Commit, "files")}
	if diff := cmp.Diff([]hub.CachedSet{listed}, sets); diff != "" || err != nil {
		t.Errorf("list (-want +got):\n%s%v", diff, err)
	}
	if _, err := client(t, hub.Config{Endpoint: "http://127.0.0.1:9"}).Resolve(t.Context(), repo, "main"); !errors.Is(err, hub.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

// TestStall: a download that sends nothing more is given up, and the context ends it at
// once.
func TestStall(t *testing.T) {
	s := server(t, func(s *hubtest.Server) { s.Stall = true })
	c, err := hub.New(hub.Config{Endpoint: s.URL(), Cache: t.TempDir(), Idle: 30 * time.Millisecond, Backoff: time.Millisecond, Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, c); !errors.Is(err, hub.ErrUnreachable) || !strings.Contains(err.Error(), "no byte for 30ms") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	patient := client(t, hub.Config{Endpoint: s.URL()})
	snapshot, err := patient.Resolve(t.Context(), repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := patient.Fetch(ctx, snapshot, snapshot.Files[1]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestParseName(t *testing.T) {
	tests := []struct {
		name, repo, revision string // repo "": an error
	}{
		{"lmarena-ai/VisionArena-Chat", "lmarena-ai/VisionArena-Chat", "main"},
		{"a/b@refs/convert/parquet", "a/b", "refs/convert/parquet"},
		{"a/b@" + hubtest.Commit, "a/b", hubtest.Commit},
		{"squad", "", ""},
		{"a/b/c", "", ""},
		{"../b", "", ""},
		{"a/..", "", ""},
		{"a/b@", "", ""},
		{"a/b@../x", "", ""},
		{"a/b@x y", "", ""},
		{"a--b/c", "", ""},
	}
	for _, tt := range tests {
		repo, revision, err := hub.ParseName(tt.name)
		if repo != tt.repo || revision != tt.revision || (err != nil) != (tt.repo == "") {
			t.Errorf("%q: %q, %q, %v", tt.name, repo, revision, err)
		}
	}
}

func TestNew(t *testing.T) {
	for _, c := range []hub.Config{{}, {Cache: "x", Endpoint: "hub"}, {Cache: "x", Endpoint: "ftp://hub"}, {Cache: "x", Token: "a\nb"}} {
		if _, err := hub.New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
