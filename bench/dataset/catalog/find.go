package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"siglab/bench/dataset"
	"siglab/bench/dataset/randommm"
	"siglab/internal/hub"
)

// Find says in words where Open would take a set from, without fetching any of it.
func Find(ctx context.Context, name string, client *hub.Client) (where string, err error) {
	base, _, _ := strings.Cut(name, ":")
	switch {
	case name == "" || name == dataset.Builtin:
		return "in this binary", nil
	case base == randommm.Name:
		return "made when it is needed", nil
	}
	_, err = os.Stat(name)
	switch {
	case err == nil:
		return "on this disk", nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("data set %s: %w", name, err)
	case looksLocal(name) || !hub.IsName(name) || client == nil:
		return "", fmt.Errorf("data set %q: there is no such file or folder, and it is no name on the hub", name)
	}
	repo, revision, err := hub.ParseName(name)
	if err != nil {
		return "", err
	}
	s, err := client.Resolve(ctx, repo, revision)
	if err != nil {
		return "", err
	}
	cached := 0
	for _, f := range s.Files {
		if _, ok := client.Cached(s, f); ok {
			cached++
		}
	}
	return fmt.Sprintf("commit %.12s, %d of %d files in the cache", s.Commit, cached, len(s.Files)), nil
}
