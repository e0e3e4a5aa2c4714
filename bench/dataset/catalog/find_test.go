package catalog

import (
	"path/filepath"
	"strings"
	"testing"

	"siglab/internal/hub"
	"siglab/internal/hub/hubtest"
)

func TestFind(t *testing.T) {
	s := &hubtest.Server{Repo: "org/set", Files: map[string]string{"data/train-0.parquet": "x", "README.md": "y"}}
	s.Start(t)
	client, err := hub.New(hub.Config{Endpoint: s.URL(), Cache: t.TempDir(), Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ sentence, name, where, err string }{
		{"no name is the set in the binary", "", "in this binary", ""},
		{"noise is made", "random-mm:32x32=1", "made when", ""},
		{"a path that exists", t.TempDir(), "on this disk", ""},
		{"one that does not", filepath.Join(t.TempDir(), "rows.jsonl"), "", "no such file"},
		{"a set of the hub", "org/set", "commit 0123456789ab, 0 of 2 files in the cache", ""},
		{"one that it does not have", "org/other", "", "404"},
	}
	for _, tt := range tests {
		where, err := Find(t.Context(), tt.name, client)
		if !strings.Contains(where, tt.where) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v", tt.sentence, where, err)
		}
	}
}
