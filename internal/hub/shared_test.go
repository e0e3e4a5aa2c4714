package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siglab/internal/hub"
	"siglab/internal/hub/hubtest"
)

func TestFindShared(t *testing.T) {
	cache := t.TempDir()
	snapshot := filepath.Join(cache, "models--org--name", "snapshots", hubtest.Commit)
	for path, content := range map[string]string{
		filepath.Join(snapshot, "params.json"):                                     "{}",
		filepath.Join(cache, "models--org--name", "refs", "main"):                  hubtest.Commit + "\n",
		filepath.Join(cache, "models--org--name", "refs", "odd"):                   "../../elsewhere",
		filepath.Join(cache, "models--org--name", "refs", "gone"):                  hubtest.OtherCommit,
		filepath.Join(cache, "models--org--name", "refs", "pr", "1"):               hubtest.Commit,
		filepath.Join(cache, "models--org--name", "snapshots", "x", "config.json"): "{}",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, repo, revision string
		want                 bool
	}{
		{"a branch", "org/name", "main", true},
		{"a branch with a slash", "org/name", "pr/1", true},
		{"a commit", "org/name", hubtest.Commit, true},
		{"a commit that is not there", "org/name", hubtest.OtherCommit, false},
		{"a branch whose commit was removed", "org/name", "gone", false},
		{"a reference that is no commit", "org/name", "odd", false},
		{"another model", "org/other", "main", false},
	}
	for _, tt := range tests {
		path, ok := hub.FindShared(cache, tt.repo, tt.revision, "config.json", "params.json")
		if ok != tt.want || ok && path != filepath.Join(snapshot, "params.json") {
			t.Errorf("%s: %q, %v", tt.name, path, ok)
		}
	}
}

func TestModels(t *testing.T) {
	s := &hubtest.Server{Repo: "org/model", Models: true, Token: "hf_x", Files: map[string]string{"config.json": `{"model_type": "siglip"}`}}
	s.Start(t)
	config := hub.Config{Kind: hub.Models, Endpoint: s.URL(), Cache: t.TempDir(), Attempts: 1}
	client, err := hub.New(config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Resolve(t.Context(), "org/model", "main")
	for _, part := range []string{"model org/model", "accept its terms at " + s.URL() + "/org/model,", "HF_TOKEN", "config.json"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v lacks %q", err, part)
		}
	}
	config.Token = "hf_x"
	if client, err = hub.New(config); err != nil {
		t.Fatal(err)
	}
	snapshot, err := client.Resolve(t.Context(), "org/model", "main")
	if err != nil {
		t.Fatal(err)
	}
	path, err := client.Fetch(t.Context(), snapshot, snapshot.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != s.Files["config.json"] {
		t.Errorf("%q, %v", text, err)
	}
}
