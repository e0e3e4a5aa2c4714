package jsonrows

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/dataset"
)

// open writes a file of lines beside images/a.png and opens it.
func open(t testing.TB, lines string) (*Table, string) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{"rows.jsonl": lines, "images/a.png": "picture a", "../outside-" + filepath.Base(dir): "secret"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table, err := Open(filepath.Join(dir, "rows.jsonl"), "rows")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	return table, dir
}

func all(t testing.TB, table *Table) []dataset.Raw {
	t.Helper()
	var rows []int64
	for i := range table.Len() {
		rows = append(rows, i)
	}
	var got []dataset.Raw
	err := table.Read(context.Background(), rows, func(_ int64, raw dataset.Raw) error {
		got = append(got, raw)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRead(t *testing.T) {
	url := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("picture b"))
	tests := []struct {
		sentence, line string
		want           dataset.Raw
	}{
		{"vLLM's custom_mm", `{"prompt":"p","image_files":["images/a.png","images/none.png"]}`, dataset.Raw{ID: "rows:0", Prompt: "p", Image: []byte("picture a")}},
		{"a single path", `{"prompt":"p","image":"images/a.png","id":7}`, dataset.Raw{ID: "7", Prompt: "p", Image: []byte("picture a")}},
		{"a data URL", `{"question":"p","images":["` + url + `"],"id":"x"}`, dataset.Raw{ID: "x", Prompt: "p", Image: []byte("picture b")}},
		{"a conversation per turn", `{"conversation":[[{"role":"user","content":"p"}],[{"role":"assistant","content":"q"}]],"image":"./images/a.png","language":"German"}`, dataset.Raw{ID: "rows:0", Role: "user", Prompt: "p", Language: "German", Image: []byte("picture a")}},
		{"a flat conversation", `{"turns":[{"role":"user","content":"p"}],"image":"images/../images/a.png","question_id":"q"}`, dataset.Raw{ID: "q", Role: "user", Prompt: "p", Image: []byte("picture a")}},
		{"a row without an image", `{"prompt":"p","images":[]}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.NoImage}},
		{"a null image", `{"prompt":"p","image":null}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.NoImage}},
		{"a missing file", `{"prompt":"p","image":"images/none.png"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.MissingImage}},
		{"a folder is no image", `{"prompt":"p","image":"images"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.MissingImage}},
		{"a relative path that leaves the folder", `{"prompt":"p","image":"../x.png"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.OutsideFolder}},
		{"a link that leaves the folder", `{"prompt":"p","image":"link"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.MissingImage}},
		{"a remote image is not fetched", `{"prompt":"p","image":"https://example.org/a.png"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.MissingImage}},
		{"a data URL without base64", `{"prompt":"p","image":"data:image/png,abc"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.UnreadableImage}},
		{"a data URL of broken base64", `{"prompt":"p","image":"data:image/png;base64,@@"}`, dataset.Raw{ID: "rows:0", Prompt: "p", Broken: dataset.UnreadableImage}},
		{"a prompt of another type", `{"prompt":{},"image":"images/a.png"}`, dataset.Raw{ID: "rows:0", Broken: dataset.NotARow}},
		{"an image of another type", `{"prompt":"p","image":{"bytes":1}}`, dataset.Raw{ID: "rows:0", Broken: dataset.NotARow}},
		{"not JSON", `{"prompt":`, dataset.Raw{ID: "rows:0", Broken: dataset.NotARow}},
		{"not an object", `[1]`, dataset.Raw{ID: "rows:0", Broken: dataset.NotARow}},
		{"null", `null`, dataset.Raw{ID: "rows:0", Broken: dataset.NotARow}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			table, dir := open(t, tt.line)
			if err := os.Symlink("../outside-"+filepath.Base(dir), filepath.Join(dir, "link")); err != nil {
				t.Skip(err)
			}
			got := all(t, table)
			if len(got) != 1 || (got[0].Broken != "" && got[0].Broken != dataset.NoImage) != (got[0].Detail != "") {
				t.Fatalf("rows %+v", got)
			}
			got[0].Detail = ""
			if diff := cmp.Diff(tt.want, got[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadAbsolute: whoever writes an absolute path means this machine.
func TestReadAbsolute(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "far.png")
	if err := os.WriteFile(picture, []byte("far"), 0o644); err != nil {
		t.Fatal(err)
	}
	table, _ := open(t, `{"prompt":"p","image":`+quote(picture)+`}`)
	if got := all(t, table)[0]; string(got.Image) != "far" {
		t.Errorf("row %+v", got)
	}
	device, _ := open(t, `{"prompt":"p","image":`+quote(os.DevNull)+`}`)
	if got := all(t, device)[0]; got.Broken != dataset.MissingImage {
		t.Errorf("a device is read: %+v", got)
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `\`, `\\`) + `"` }

func TestLines(t *testing.T) {
	const row = `{"prompt":"p","image":"images/a.png"}`
	tests := []struct {
		sentence, file string
		want           int
	}{
		{"an empty file has no rows", "", 0},
		{"the last line needs no end", row + "\n" + row, 2},
		{"empty lines are no rows", "\n" + row + "\r\n\n  \n" + row + "\n", 2},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			table, _ := open(t, tt.file)
			for _, raw := range all(t, table) {
				if raw.Prompt != "p" || raw.Broken != "" {
					t.Errorf("row %+v", raw)
				}
			}
			if table.Len() != int64(tt.want) {
				t.Errorf("%d rows, want %d", table.Len(), tt.want)
			}
		})
	}
}

// endless is a line that never ends within the bound.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	n := min(int64(len(p)), e.left)
	e.left -= n
	copy(p[:n], bytes.Repeat([]byte("x"), int(n)))
	if n == 0 {
		return 0, errors.New("the disk broke")
	}
	return int(n), nil
}

func TestLongLine(t *testing.T) {
	table, _ := open(t, "{}")
	raw, err := table.row(span{0, MostLine + 1})
	if err != nil || raw.Broken != dataset.LineTooLong {
		t.Errorf("row %+v, error %v", raw, err)
	}
	if _, err := findLines(&endless{left: 3 << 20}); err == nil || !strings.Contains(err.Error(), "disk broke") {
		t.Errorf("error %v", err)
	}
}

// FuzzParse checks that a line gives a row or a reason, and never a path that leads
// out of the folder.
func FuzzParse(f *testing.F) {
	f.Add(`{"prompt":"p","image_files":["a.png"]}`)
	f.Add(`{"conversation":[[{"role":"user","content":"x"}]],"images":["data:image/png;base64,AAAA"]}`)
	f.Add(`{"turns":[],"image":"../../etc/passwd","id":1e400}`)
	f.Add("null")
	table, _ := open(f, "{}")
	f.Fuzz(func(t *testing.T, text string) {
		raw, image := parse([]byte(text))
		if raw.Broken != "" || filepath.IsAbs(image) {
			return
		}
		data, reason, _ := table.image(image)
		if (reason == "") != (data != nil) && len(data) > 0 {
			t.Errorf("%d bytes, reason %q", len(data), reason)
		}
		if string(data) == "secret" {
			t.Errorf("%q left the folder", image)
		}
	})
}
