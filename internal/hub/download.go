package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// path is where a file of a commit is in the cache.
func (c *Client) path(s Snapshot, file File) string {
	return filepath.Join(c.repoDir(s.Repo), s.Commit, "files", filepath.FromSlash(file.Path))
}

// Cached is the place of a file in the cache, and whether it is there.
func (c *Client) Cached(s Snapshot, file File) (string, bool) {
	path := c.path(s, file)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular() && info.Size() == file.Size
}

// Fetch gives the place of a file, which it downloads if it is not in the cache.
func (c *Client) Fetch(ctx context.Context, s Snapshot, file File) (string, error) {
	path, ok := c.Cached(s, file)
	if ok {
		return path, nil
	}
	if c.config.Offline {
		return "", c.advise(s.Repo, fmt.Errorf("%w: this is offline, and %s of commit %s is not in the cache %s", ErrUnreachable, file.Path, s.Commit, c.config.Cache))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := c.download(ctx, s, file, path+".part"); err != nil {
		return "", c.advise(s.Repo, fmt.Errorf("fetch %s: %w", file.Path, err))
	}
	if err := os.Rename(path+".part", path); err != nil {
		return "", err
	}
	c.config.Progress(Progress{File: file.Path, Done: file.Size, Total: file.Size, End: true})
	return path, nil
}

// download completes a partial file and checks it. A try that brought bytes does not
// count against the attempts: a slow line that breaks often still gets there. A file
// that is whole but wrong is fetched once more from its start.
func (c *Client) download(ctx context.Context, s Snapshot, file File, part string) error {
	wrong := 0
	for failed := 0; ; {
		before := size(part)
		err := c.receive(ctx, s, file, part)
		if err == nil {
			if err = verify(ctx, part, file); err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if wrong++; wrong > 1 {
				return errors.Join(err, os.Remove(part))
			}
			if removeErr := os.Remove(part); removeErr != nil {
				return errors.Join(err, removeErr)
			}
			continue
		}
		var broken *brokenError
		if !errors.As(err, &broken) {
			return err
		}
		if size(part) > before {
			failed = 0
		}
		if failed++; failed >= c.config.Attempts {
			return fmt.Errorf("%w: the download broke off %d times in a row: %w", ErrUnreachable, failed, broken.cause)
		}
		if err := c.wait(ctx, failed, 0); err != nil {
			return err
		}
	}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// brokenError is a download that may go on where it broke off.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return e.cause.Error() }

// receive appends what is missing to the partial file. It ends with nil when the file
// has its size.
func (c *Client) receive(ctx context.Context, s Snapshot, file File, part string) (err error) {
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	done, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if done > file.Size {
		if done, err = restart(out); err != nil {
			return err
		}
	}
	if done == file.Size && done > 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := c.request(ctx, s, file, done)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // read to its end or given up
	if response.StatusCode != http.StatusPartialContent || !strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", done)) {
		if done, err = restart(out); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return &brokenError{fmt.Errorf("the server gave %s with range %q, not from byte %d", response.Status, response.Header.Get("Content-Range"), done)}
		}
	}
	return c.copy(ctx, cancel, out, response.Body, file, done)
}

func restart(out *os.File) (int64, error) {
	if err := out.Truncate(0); err != nil {
		return 0, err
	}
	return out.Seek(0, io.SeekStart)
}

// request asks for a file from a byte on.
func (c *Client) request(ctx context.Context, s Snapshot, file File, from int64) (*http.Response, error) {
	parts := append([]string{"resolve", s.Commit}, strings.Split(file.Path, "/")...)
	header := http.Header{}
	if from > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	return c.get(ctx, c.page(s.Repo, parts...), header)
}

// copy writes a body behind byte done, says how it goes, and gives up on a body that
// stalls.
func (c *Client) copy(ctx context.Context, cancel context.CancelCauseFunc, out io.Writer, body io.Reader, file File, done int64) error {
	stalled := fmt.Errorf("no byte for %v", c.config.Idle)
	watch := time.AfterFunc(c.config.Idle, func() { cancel(stalled) })
	defer watch.Stop()
	buffer := make([]byte, 256<<10)
	var told time.Time
	for {
		n, err := body.Read(buffer)
		watch.Reset(c.config.Idle)
		if done+int64(n) > file.Size {
			return fmt.Errorf("the server sends more than the %d bytes that the hub lists", file.Size)
		}
		if _, err := out.Write(buffer[:n]); err != nil {
			return err
		}
		done += int64(n)
		if now := time.Now(); now.Sub(told) > 200*time.Millisecond {
			c.config.Progress(Progress{File: file.Path, Done: done, Total: file.Size})
			told = now
		}
		switch {
		case errors.Is(err, io.EOF) && done == file.Size:
			return nil
		case errors.Is(err, io.EOF):
			return &brokenError{fmt.Errorf("the body ended after %d of %d bytes", done, file.Size)}
		case ctx.Err() != nil:
			return &brokenError{context.Cause(ctx)}
		case err != nil:
			return &brokenError{err}
		}
	}
}

// verify checks a whole file: its size, and its hash if the hub gave one.
func verify(ctx context.Context, path string, file File) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := sha256.New()
	n, err := io.Copy(h, readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return in.Read(p)
	}))
	if err != nil {
		return err
	}
	if n != file.Size {
		return fmt.Errorf("%s has %d bytes, the hub lists %d", file.Path, n, file.Size)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); file.SHA256 != "" && sum != file.SHA256 {
		return fmt.Errorf("%s has SHA-256 %s, the hub lists %s: it was changed on the way", file.Path, sum, file.SHA256)
	}
	return nil
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
