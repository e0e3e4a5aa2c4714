package dataset

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// folder holds the given rows, one good image of 3x2 pixels and one that is not
// an image.
func folder(t testing.TB, rows string) fstest.MapFS {
	t.Helper()
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"prompts.jsonl":   {Data: []byte(rows)},
		"CREDITS.md":      {Data: []byte("credits")},
		"images/good.png": {Data: good.Bytes()},
		"images/bad.png":  {Data: []byte("no image")},
	}
}

const goodRow = `{"conversation_id":"r1","images":["good.png"],"conversation":[[{"role":"user","content":"what is this?"}]],"language":"English"}`

func TestLoadTakesFirstTurnAndFirstImage(t *testing.T) {
	row := `{"conversation_id":"r1","images":["good.png","other.png"],"language":"German",
		"conversation":[[{"role":"user","content":"erste Frage"},{"role":"assistant","content":"Antwort"}],[{"role":"user","content":"zweite"}]]}`
	s, err := load("x", folder(t, strings.ReplaceAll(row, "\n", " ")))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Rows()[0]
	if len(got.Image.Data) == 0 || len(got.Image.SHA256) != 64 {
		t.Errorf("%d bytes of image, hash %q", len(got.Image.Data), got.Image.SHA256)
	}
	got.Image.Data, got.Image.SHA256 = nil, "" // the encoder's choice
	want := Row{ID: "r1", Prompt: "erste Frage", Language: "German", Image: Image{Name: "good.png", MIME: "image/png", Width: 3, Height: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if s.Name() != "x" || s.Credits() != "credits" {
		t.Errorf("set %q, credits %q", s.Name(), s.Credits())
	}
}

func TestLoadBadRows(t *testing.T) {
	const ask = `"conversation":[[{"role":"user","content":"x"}]]`
	tests := []struct {
		sentence, rows string
		want           []string // parts of the error
	}{
		{"a file without rows is an error", "", []string{"no rows"}},
		{"a row that is not JSON is named by its line", goodRow + "\n{", []string{"line 2"}},
		{"a row with a field of the wrong type is named by its line", `{"conversation_id":7}`, []string{"line 1", "conversation_id"}},
		{"a row without an id is named by its line", `{"images":["good.png"],` + ask + `}`, []string{"line 1", "no conversation_id"}},
		{"a row needs an image", `{"conversation_id":"r1",` + ask + `}`, []string{"row r1", "no image"}},
		{"a missing image is named", `{"conversation_id":"r1","images":["gone.png"],` + ask + `}`, []string{"row r1", "gone.png"}},
		{"an unreadable image is named", `{"conversation_id":"r1","images":["bad.png"],` + ask + `}`, []string{"row r1", "bad.png"}},
		{"a path cannot leave the folder", `{"conversation_id":"r1","images":["../../x"],` + ask + `}`, []string{"row r1", "../../x"}},
		{"an empty image name is not a file", `{"conversation_id":"r1","images":[""],` + ask + `}`, []string{"row r1"}},
		{"a row needs a turn", `{"conversation_id":"r1","images":["good.png"],"conversation":[]}`, []string{"row r1", "empty prompt"}},
		{"a turn needs a message", `{"conversation_id":"r1","images":["good.png"],"conversation":[[]]}`, []string{"row r1", "empty prompt"}},
		{"a blank prompt is empty", `{"conversation_id":"r1","images":["good.png"],"conversation":[[{"role":"user","content":" \n"}]]}`, []string{"row r1", "empty prompt"}},
		{"the first turn is the user's", `{"conversation_id":"r1","images":["good.png"],"conversation":[[{"role":"assistant","content":"x"}]]}`, []string{"row r1", `"assistant"`}},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			_, err := load("x", folder(t, tt.rows))
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want one with %q", err, part)
				}
			}
		})
	}
}

func TestLoadMissingFiles(t *testing.T) {
	for _, name := range []string{"prompts.jsonl", "CREDITS.md"} {
		files := folder(t, goodRow)
		delete(files, name)
		if _, err := load("x", files); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}

// FuzzLoad checks that whatever a file holds, a set that loads has usable rows only.
func FuzzLoad(f *testing.F) {
	f.Add(goodRow)
	f.Add(goodRow + "\n" + goodRow)
	f.Add(`{"conversation_id":"r","images":["bad.png"],"conversation":[[{}]]}`)
	f.Add("null\n[]\n{}")
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, rows string) {
		s, err := load("x", folder(t, rows))
		if err != nil {
			return
		}
		for _, row := range s.Rows() {
			if row.ID == "" || strings.TrimSpace(row.Prompt) == "" || row.Image.Width < 1 || row.Image.Height < 1 {
				t.Errorf("row %+v", row)
			}
		}
	})
}
