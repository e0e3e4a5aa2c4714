package fingerprint

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Difference is how the files of a folder compare with those of a commit.
type Difference struct {
	Same    int
	Changed []string // files of another content
	Missing []string
}

// CompareBlobs compares the files of a folder with git's hashes of those of a commit, by
// their names within it. Only those of a suffix count: what else lies there may have
// been built.
func CompareBlobs(dir string, blobs map[string]string, suffix string) (Difference, error) {
	var d Difference
	for name, want := range blobs {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		got, err := blobHash(filepath.Join(dir, filepath.FromSlash(name)), len(want))
		switch {
		case errors.Is(err, os.ErrNotExist):
			d.Missing = append(d.Missing, name)
		case err != nil:
			return d, fmt.Errorf("compare %s with the commit: %w", name, err)
		case got != want:
			d.Changed = append(d.Changed, name)
		default:
			d.Same++
		}
	}
	slices.Sort(d.Changed)
	slices.Sort(d.Missing)
	return d, nil
}

// blobHash is git's hash of a file's content, in as many hex digits as the repository's
// format has.
func blobHash(path string, digits int) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	h := sha1.New()
	if digits == 2*sha256.Size {
		h = sha256.New()
	}
	_, _ = fmt.Fprintf(h, "blob %d\x00", len(data)) // hashes do not fail
	_, _ = h.Write(data)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fileHash is the SHA-256 of the beginning of a file, and how much of it that is.
func fileHash(path string, most int64) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, most))
	return hex.EncodeToString(h.Sum(nil)), n, err
}
