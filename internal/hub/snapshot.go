package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// File is a file of a repository.
type File struct {
	Path   string `json:"path"` // slash-separated, inside the repository
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"` // of files of Git LFS and Xet
}

// Snapshot is a commit of a repository.
type Snapshot struct {
	Repo   string `json:"repo"`
	Commit string `json:"commit"`
	Files  []File `json:"files"`
}

// Bounds of answers of the API.
const (
	mostAnswer = 64 << 20
	mostPages  = 1000
	mostFiles  = 200_000
)

// Resolve finds the commit that a revision stands for, and its files. A commit that
// is cached asks nothing of the hub. Where the hub cannot be reached, the commit that
// the revision last stood for is taken from the cache, with a note.
func (c *Client) Resolve(ctx context.Context, repo, revision string) (Snapshot, error) {
	if _, _, err := ParseName(repo + "@" + revision); err != nil {
		return Snapshot{}, err
	}
	if commitName.MatchString(revision) {
		if s, err := c.cachedTree(repo, revision); err == nil {
			return s, nil
		}
	}
	if c.config.Offline {
		s, err := c.cached(repo, revision)
		if err != nil {
			err = c.advise(repo, fmt.Errorf("%w: this is offline, and %w", ErrUnreachable, err))
		}
		return s, err
	}
	commit, err := c.resolveCommit(ctx, repo, revision)
	if errors.Is(err, ErrUnreachable) {
		if s, cacheErr := c.cached(repo, revision); cacheErr == nil {
			c.config.Note(fmt.Sprintf("%s %s: %v; using commit %s from the cache, which is what %s was then", c.config.Kind, repo, err, s.Commit, revision))
			return s, nil
		}
	}
	if err != nil {
		return Snapshot{}, c.advise(repo, err)
	}
	if s, err := c.cachedTree(repo, commit); err == nil {
		return s, nil
	}
	s := Snapshot{Repo: repo, Commit: commit}
	if s.Files, err = c.tree(ctx, repo, commit); err != nil {
		return s, c.advise(repo, err)
	}
	return s, writeJSON(filepath.Join(c.repoDir(repo), commit, "tree.json"), s)
}

// ref is what refs/REVISION.json holds.
type ref struct {
	Revision string    `json:"revision"`
	Commit   string    `json:"commit"`
	Resolved time.Time `json:"resolved"`
}

func (c *Client) refFile(repo, revision string) string {
	return filepath.Join(c.repoDir(repo), "refs", url.PathEscape(revision)+".json")
}

func (c *Client) resolveCommit(ctx context.Context, repo, revision string) (string, error) {
	var info struct {
		SHA string `json:"sha"`
	}
	if _, err := c.getJSON(ctx, c.api(repo, "revision", revision), &info); err != nil {
		return "", err
	}
	if !commitName.MatchString(info.SHA) {
		return "", fmt.Errorf("the hub answered with commit %.60q for revision %s", info.SHA, revision)
	}
	return info.SHA, writeJSON(c.refFile(repo, revision), ref{revision, info.SHA, time.Now().UTC()})
}

// entry is one of the tree API.
type entry struct {
	Type string `json:"type"`
	Path string `json:"path"`
	Size int64  `json:"size"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

var (
	nextLink = regexp.MustCompile(`<([^>]+)>\s*;\s*rel="?next"?`)
	hexHash  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// tree lists the files of a commit, page by page.
func (c *Client) tree(ctx context.Context, repo, commit string) ([]File, error) {
	target := c.api(repo, "tree", commit) + "?recursive=true"
	var files []File
	for range mostPages {
		var entries []entry
		header, err := c.getJSON(ctx, target, &entries)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type != "file" {
				continue
			}
			file := File{Path: e.Path, Size: e.Size}
			if e.LFS != nil {
				if hash := strings.TrimPrefix(e.LFS.OID, "sha256:"); hexHash.MatchString(hash) {
					file.SHA256 = hash
				}
				file.Size = e.LFS.Size
			}
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) || file.Size < 0 {
				return nil, fmt.Errorf("the hub lists a file %.80q of %d bytes", file.Path, file.Size)
			}
			files = append(files, file)
		}
		next := nextLink.FindStringSubmatch(header.Get("Link"))
		if next == nil || len(files) > mostFiles {
			return files, nil
		}
		if target, err = c.sameHost(next[1]); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the list of files has more than %d pages", mostPages)
}

// sameHost lets the next page be on the endpoint only: the token goes with the request.
func (c *Client) sameHost(link string) (string, error) {
	next, err := c.endpoint.Parse(link)
	if err != nil || next.Host != c.endpoint.Host || next.Scheme != c.endpoint.Scheme {
		return "", fmt.Errorf("the hub's next page is elsewhere: %.200q", link)
	}
	return next.String(), nil
}

// getJSON reads one answer of the API, with a bound on its size and time.
func (c *Client) getJSON(ctx context.Context, target string, into any) (http.Header, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*c.config.Idle, fmt.Errorf("%w: no whole answer in %v", ErrUnreachable, 10*c.config.Idle))
	defer cancel()
	response, err := c.get(ctx, target, nil)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrUnreachable, target, err)
	}
	if len(data) > mostAnswer {
		return nil, fmt.Errorf("read %s: the answer has more than %d bytes", target, mostAnswer)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("read %s: %w; is it the hub's API?", target, err)
	}
	return response.Header, nil
}

// cached is what the cache has for a revision.
func (c *Client) cached(repo, revision string) (Snapshot, error) {
	commit := revision
	if !commitName.MatchString(revision) {
		var r ref
		if err := readJSON(c.refFile(repo, revision), &r); err != nil {
			return Snapshot{}, fmt.Errorf("revision %s is not in the cache %s", revision, c.config.Cache)
		}
		commit = r.Commit
	}
	s, err := c.cachedTree(repo, commit)
	if err != nil {
		return s, fmt.Errorf("commit %s is not in the cache %s", commit, c.config.Cache)
	}
	return s, nil
}

func (c *Client) cachedTree(repo, commit string) (s Snapshot, err error) {
	if !commitName.MatchString(commit) {
		return s, fmt.Errorf("%q is not a commit", commit)
	}
	if err := readJSON(filepath.Join(c.repoDir(repo), commit, "tree.json"), &s); err != nil {
		return s, err
	}
	for _, file := range s.Files {
		if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
			return s, fmt.Errorf("the cache lists a file %q", file.Path)
		}
	}
	if s.Repo != repo || s.Commit != commit {
		return s, errors.New("the cached list of files is of another commit")
	}
	return s, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
