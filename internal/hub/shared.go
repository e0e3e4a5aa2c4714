package hub

import (
	"os"
	"path/filepath"
	"strings"
)

// FindShared looks for a model's file in the cache of Hugging Face's own libraries, by
// their layout: models--ORG--NAME/refs/REVISION names the commit, and
// snapshots/COMMIT/FILE is the file. It returns the first of the files that is there.
func FindShared(cache, repo, revision string, files ...string) (path string, ok bool) {
	dir := filepath.Join(cache, "models--"+strings.ReplaceAll(repo, "/", "--"))
	commit := revision
	if !commitName.MatchString(revision) {
		text, err := os.ReadFile(filepath.Join(dir, "refs", filepath.FromSlash(revision)))
		if err != nil {
			return "", false
		}
		commit = strings.TrimSpace(string(text))
	}
	if !commitName.MatchString(commit) {
		return "", false
	}
	for _, file := range files {
		path := filepath.Join(dir, "snapshots", commit, file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}
