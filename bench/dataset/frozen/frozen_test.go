package frozen

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/dataset"
)

func someRows(t testing.TB) []dataset.Row {
	t.Helper()
	var rows []dataset.Row
	for i := range 3 {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, i+1, 2))); err != nil {
			t.Fatal(err)
		}
		img, _, err := dataset.Inspect(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, dataset.Row{ID: string(rune('a' + i)), Prompt: "what <is> it?\n", Language: "English", Image: img})
	}
	return append(rows, dataset.Row{ID: "d", Prompt: "again", Image: rows[0].Image})
}

func write(t testing.TB) (string, []dataset.Row) {
	t.Helper()
	dir, rows := filepath.Join(t.TempDir(), "frozen"), someRows(t)
	about := dataset.About{Name: "org/set@1", Revision: "1", Selection: "4 rows", Examined: 5, Skipped: map[dataset.Reason]int{dataset.NoImage: 1}}
	if err := Write(dir, about, rows); err != nil {
		t.Fatal(err)
	}
	return dir, rows
}

func TestOpenGivesWhatWasWritten(t *testing.T) {
	dir, rows := write(t)
	set, err := Open(dir, "here")
	if err != nil {
		t.Fatal(err)
	}
	got := set.Deck(0, nil) // in its own order, so that no random source is asked
	for i := range got {
		got[i].Image.Name = ""
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	want := dataset.About{
		Name: "here", Revision: "1", SHA256: dataset.HashRows(rows), Selection: "frozen from org/set@1: 4 rows",
		Examined: 5, Skipped: map[dataset.Reason]int{dataset.NoImage: 1},
	}
	if diff := cmp.Diff(want, set.About()); diff != "" {
		t.Errorf("about (-want +got):\n%s", diff)
	}
	images, err := os.ReadDir(filepath.Join(dir, "images"))
	if err != nil || len(images) != 3 {
		t.Errorf("%d images, want each once; error %v", len(images), err)
	}
}

func TestOpenChecks(t *testing.T) {
	replace := func(old, replacement string) func(dir string) error {
		return func(dir string) error {
			path := filepath.Join(dir, File)
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(data), old, replacement, 1)), 0o644)
		}
	}
	anImage := func(dir string) string {
		found, err := filepath.Glob(filepath.Join(dir, "images", "*.png"))
		if err != nil || len(found) == 0 {
			t.Fatal(found, err)
		}
		return found[0]
	}
	tests := []struct {
		sentence string
		change   func(dir string) error
		want     string
	}{
		{"a prompt was changed", replace("again", "other"), "rows of frozen.json were changed"},
		{"a prompt was emptied", replace("again", ""), "empty prompt"},
		{"an image is missing", func(dir string) error { return os.Remove(anImage(dir)) }, "no such file"},
		{"an image was changed", func(dir string) error {
			data, err := os.ReadFile(anImage(dir))
			if err != nil {
				return err
			}
			return os.WriteFile(anImage(dir), append(data, 0), 0o644)
		}, "it was changed"},
		{"an image is no longer one", func(dir string) error { return os.WriteFile(anImage(dir), []byte("x"), 0o644) }, "header of the image"},
		{"a path leads out of the folder", replace(`"image": "images/`, `"image": "../images/`), "names image"},
		{"a later version", replace(`"version": 1`, `"version": 2`), "version 2, this program reads 1"},
		{"a size was changed", replace(`"width": 1`, `"width": 9`), "it was changed"},
		{"no rows", replace(`"rows": [`, `"rows": [], "x": [`), "has 0 rows"},
		{"cut short", func(dir string) error { return os.Truncate(filepath.Join(dir, File), 100) }, "frozen.json"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			dir, _ := write(t)
			if err := tt.change(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, dir); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	dir, rows := write(t)
	if err := Write(dir, dataset.About{}, rows); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("error %v", err)
	}
	if err := Write(filepath.Join(t.TempDir(), "x"), dataset.About{}, nil); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("error %v", err)
	}
}

// FuzzParse checks that a manifest that is taken names images inside the folder.
func FuzzParse(f *testing.F) {
	dir, _ := write(f)
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(`{"version":1,"rows":[{"image":"../x"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseManifest([]byte(text))
		if err != nil {
			return
		}
		for _, r := range m.Rows {
			if !filepath.IsLocal(r.Image) || len(r.SHA256) != 64 {
				t.Errorf("row %+v", r)
			}
		}
	})
}
