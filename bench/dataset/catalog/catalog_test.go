package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"siglab/bench/dataset"
	"siglab/bench/dataset/frozen"
	"siglab/internal/hub"
	"siglab/internal/hub/hubtest"
)

func picture(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, n%50+1, n/50+1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parquetFile has rows first to first+n-1.
func parquetFile(t testing.TB, first, n int) string {
	t.Helper()
	type turn struct {
		Role    string `parquet:"role"`
		Content string `parquet:"content"`
	}
	type img struct {
		Bytes []byte `parquet:"bytes"`
	}
	type row struct {
		Images       []img    `parquet:"images,list"`
		ID           string   `parquet:"conversation_id"`
		Conversation [][]turn `parquet:"conversation,list"`
	}
	var rows []row
	for i := first; i < first+n; i++ {
		rows = append(rows, row{[]img{{picture(t, i)}}, fmt.Sprintf("c%d", i), [][]turn{{{"user", "what?"}}}})
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// folder writes files and returns where.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func ids(set *dataset.Set) (list []string) {
	for _, row := range set.Rows() {
		list = append(list, row.ID)
	}
	return list
}

func TestOpen(t *testing.T) {
	local := folder(t, map[string]string{
		"data/train-00000-of-00002.parquet": parquetFile(t, 0, 5), "data/train-00001-of-00002.parquet": parquetFile(t, 5, 5),
		"data/test-00000-of-00001.parquet": parquetFile(t, 10, 5), "README.md": "x",
		"lines/rows.jsonl": `{"prompt":"p","image":"a.png"}`, "lines/a.png": string(picture(t, 0)),
		"one.parquet": parquetFile(t, 0, 3),
		"two/a.jsonl": "", "two/b.jsonl": "", "none/x.txt": "", "bad.parquet": "PAR1 no", "empty.jsonl": "\n",
		"configs/x/train-0.parquet": "", "configs/y/train-0.parquet": "",
	})
	if err := os.Mkdir(filepath.Join(local, "void"), 0o755); err != nil {
		t.Fatal(err)
	}
	builtin, err := dataset.OpenBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	if err := frozen.Write(filepath.Join(local, "frozen"), builtin.About(), builtin.Rows()[:7]); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		sentence, name string
		rows           int      // of all
		want           []string // parts of an error
	}{
		{"no name is the built-in set", "", 128, nil},
		{"the built-in set", "builtin", 128, nil},
		{"noise", "random-mm:8x8=1", 100, nil},
		{"noise of wrong buckets", "random-mm:8x8", 0, []string{"random-mm", "8x8", "WIDTHxHEIGHT=SHARE"}},
		{"a frozen folder", filepath.Join(local, "frozen"), 7, nil},
		{"a folder with the train split in data", local, 10, nil},
		{"a folder with a JSONL file", filepath.Join(local, "lines"), 1, nil},
		{"a Parquet file", filepath.Join(local, "one.parquet"), 3, nil},
		{"a JSONL file", filepath.Join(local, "lines", "rows.jsonl"), 1, nil},
		{"a folder of several JSONL files", filepath.Join(local, "two"), 0, []string{"2 JSONL files", "name one"}},
		{"a folder of several configurations", filepath.Join(local, "configs"), 0, []string{"several folders (x, y)"}},
		{"a folder of other files", filepath.Join(local, "none"), 0, []string{"no Parquet file", "train-*.parquet"}},
		{"an empty folder", filepath.Join(local, "void"), 0, []string{"empty"}},
		{"a truncated file", filepath.Join(local, "bad.parquet"), 0, []string{"bad.parquet"}},
		{"a file without rows", filepath.Join(local, "empty.jsonl"), 0, []string{"has no rows"}},
		{"a missing file", filepath.Join(local, "gone.parquet"), 0, []string{"no such file or folder", "ORG/NAME"}},
		{"a missing relative file is not a name of the hub", "./data/x.jsonl", 0, []string{"no such file"}},
		{"a name of no kind", "Builtin", 0, []string{`"Builtin"`, "builtin"}},
		{"the hub where there is no access", "org/set", 0, []string{"no access to the hub"}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			set, err := Open(t.Context(), tt.name, Options{})
			if len(tt.want) == 0 {
				if err != nil || len(set.Rows()) != tt.rows || set.Name() != tt.name && tt.name != "" || len(set.About().SHA256) != 64 {
					t.Fatalf("set %+v, error %v", set, err)
				}
				return
			}
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want one with %q", err, part)
				}
			}
		})
	}
	if _, err := Open(t.Context(), "builtin", Options{Encoding: dataset.Reencode}); err == nil {
		t.Error("the built-in set is re-encoded")
	}
	if _, err := Open(t.Context(), "builtin", Options{MaxSkipped: 2}); err == nil {
		t.Error("a share of 2 is taken")
	}
}

func access(t testing.TB, s *hubtest.Server, cache string, offline bool) *hub.Client {
	t.Helper()
	client, err := hub.New(hub.Config{Endpoint: s.URL(), Cache: cache, Offline: offline, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func files(t testing.TB, n, rows int) map[string]string {
	t.Helper()
	list := map[string]string{"README.md": "x", "data/test-0.parquet": "not fetched"}
	for i := range n {
		list[fmt.Sprintf("data/train-%05d-of-%05d.parquet", i, n)] = parquetFile(t, i*rows, rows)
	}
	return list
}

// TestOpenHub fetches only as many files as the rows need, the same for the same seed,
// and names the commit.
func TestOpenHub(t *testing.T) {
	s := &hubtest.Server{Repo: "org/set", Files: files(t, 6, 10)}
	s.Start(t)
	cache := t.TempDir()
	o := Options{Rows: 5, Seed: 3, Hub: access(t, s, cache, false)}
	set, err := Open(t.Context(), "org/set", o)
	if err != nil {
		t.Fatal(err)
	}
	about := set.About()
	if len(set.Rows()) != 5 || about.Name != "org/set@"+hubtest.Commit || about.Revision != hubtest.Commit || !strings.Contains(about.Selection, "from 2 of 6 files") {
		t.Errorf("about %+v", about)
	}
	if strings.Count(about.Source(), hubtest.Commit) != 1 || !strings.Contains(about.Source(), about.SHA256) {
		t.Errorf("source %q", about.Source())
	}
	before := len(s.Requests())
	o.Hub = access(t, s, cache, true)
	again, err := Open(t.Context(), about.Name, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ids(set), ids(again)); diff != "" || again.About().SHA256 != about.SHA256 || len(s.Requests()) != before {
		t.Errorf("by its commit and offline, the set differs:\n%s", diff)
	}
	o.Hub = access(t, s, cache, false)
	pulled, err := Pull(t.Context(), "org/set", Options{Hub: o.Hub})
	if err != nil || len(pulled.Files) != 6 || pulled.Rows != 60 || pulled.Revision != hubtest.Commit || pulled.AllFiles != 6 {
		t.Errorf("pulled %+v, error %v", pulled, err)
	}
}

// TestOpenHubConverted: a set of another format is read from the hub's conversion.
func TestOpenHubConverted(t *testing.T) {
	s := &hubtest.Server{Repo: "org/set", Files: map[string]string{"data.json": "{}"}, Other: map[string]string{"default/train/0000.parquet": parquetFile(t, 0, 4), "default/test/0000.parquet": "x"}}
	s.Start(t)
	set, err := Open(t.Context(), "org/set", Options{Hub: access(t, s, t.TempDir(), false)})
	if err != nil || len(set.Rows()) != 4 || set.About().Revision != hubtest.OtherCommit {
		t.Errorf("set %+v, error %v", set, err)
	}
	s.Other = nil
	if _, err := Open(t.Context(), "org/set", Options{Hub: access(t, s, t.TempDir(), false)}); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if _, err := Pull(t.Context(), "builtin", Options{}); err == nil || !strings.Contains(err.Error(), "not on the hub") {
		t.Errorf("error %v", err)
	}
}

func TestTrainFiles(t *testing.T) {
	tests := []struct {
		sentence    string
		paths, want []string
	}{
		{"train files by name, others left", []string{"data/train-1.parquet", "data/train-0.parquet", "data/validation-0.parquet"}, []string{"data/train-0.parquet", "data/train-1.parquet"}},
		{"the hub's conversion", []string{"default/train/0001.parquet", "default/train/0000.parquet", "default/test/0000.parquet"}, []string{"default/train/0000.parquet", "default/train/0001.parquet"}},
		{"files that name no split", []string{"data/part-0.parquet", "README.md"}, []string{"data/part-0.parquet"}},
		{"a train file at the top", []string{"train.parquet", "test.parquet"}, []string{"train.parquet"}},
		{"data wins over other folders", []string{"data/train-0.parquet", "old/train-0.parquet"}, []string{"data/train-0.parquet"}},
		{"training is not train, but all there is", []string{"trainings.parquet"}, []string{"trainings.parquet"}},
		{"only a test split", []string{"data/test-0.parquet"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			got, err := trainFiles(tt.paths)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
