package hub

import (
	"os"
	"path/filepath"
	"sort"
)

// CachedSet is a commit in the cache.
type CachedSet struct {
	Repo    string `json:"repo"`
	Commit  string `json:"commit"`
	Fetched int    `json:"fetched_files"`
	Files   int    `json:"files"` // of the repository
	Bytes   int64  `json:"bytes"` // fetched
	Path    string `json:"path"`
}

// List says what the cache holds, by name and commit. A cache that does not exist
// holds nothing.
func (c *Client) List() ([]CachedSet, error) {
	trees, err := filepath.Glob(filepath.Join(c.config.Cache, "*--*", "*", "tree.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(trees)
	var sets []CachedSet
	for _, tree := range trees {
		var s Snapshot
		if err := readJSON(tree, &s); err != nil || filepath.Dir(tree) != filepath.Join(c.repoDir(s.Repo), s.Commit) {
			continue // not ours, or half written by a program that died
		}
		set := CachedSet{Repo: s.Repo, Commit: s.Commit, Files: len(s.Files), Path: filepath.Join(filepath.Dir(tree), "files")}
		for _, file := range s.Files {
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
				continue
			}
			if info, err := os.Stat(c.path(s, file)); err == nil && info.Size() == file.Size {
				set.Fetched++
				set.Bytes += file.Size
			}
		}
		sets = append(sets, set)
	}
	return sets, nil
}
