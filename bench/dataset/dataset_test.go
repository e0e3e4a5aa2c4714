package dataset

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

func open(t *testing.T) *Set {
	t.Helper()
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBuiltin(t *testing.T) {
	s := open(t)
	ids, prompts, images, languages := map[string]bool{}, map[string]bool{}, map[string]int{}, map[string]bool{}
	shortest, longest := 1<<30, 0
	for _, row := range s.Rows() {
		if ids[row.ID] || prompts[row.Prompt] {
			t.Errorf("row %s occurs twice: %q", row.ID, row.Prompt)
		}
		ids[row.ID], prompts[row.Prompt], languages[row.Language] = true, true, true
		images[row.Image.Name]++
		n := utf8.RuneCountInString(row.Prompt)
		shortest, longest = min(shortest, n), max(longest, n)
		if row.Image.Width < 1 || row.Image.Height < 1 || len(row.Image.SHA256) != 64 || !strings.HasPrefix(row.Image.MIME, "image/") {
			t.Errorf("row %s: image %s %dx%d %s", row.ID, row.Image.Name, row.Image.Width, row.Image.Height, row.Image.MIME)
		}
	}
	if len(prompts) < 120 || len(images) != 16 || len(languages) < 8 || shortest > 20 || longest < 300 {
		t.Errorf("%d prompts, %d images, %d languages, %d to %d runes", len(prompts), len(images), len(languages), shortest, longest)
	}
	for name := range images {
		if !strings.Contains(s.Credits(), "| "+name+" |") {
			t.Errorf("no credits for %s", name)
		}
	}
}

func TestShuffled(t *testing.T) {
	s := open(t)
	shuffled := func(seed uint64) (ids []string, rows []Row) {
		rows = s.Shuffled(rand.New(rand.NewPCG(seed, 0)))
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return ids, rows
	}
	a, rows := shuffled(1)
	b, _ := shuffled(1)
	c, _ := shuffled(2)
	if strings.Join(a, " ") != strings.Join(b, " ") || strings.Join(a, " ") == strings.Join(c, " ") {
		t.Error("the order does not follow from the seed")
	}
	if len(rows) != len(s.Rows()) {
		t.Fatalf("%d of %d rows", len(rows), len(s.Rows()))
	}
	for round := 0; round+16 <= len(rows); round += 16 {
		seen := map[string]bool{}
		for _, r := range rows[round : round+16] {
			seen[r.Image.Name] = true
		}
		if len(seen) != 16 {
			t.Errorf("rows %d to %d have %d images, want 16", round, round+15, len(seen))
		}
	}
}

func TestOpenUnknown(t *testing.T) {
	if _, err := Open("lmarena-ai/VisionArena-Chat"); err == nil || !strings.Contains(err.Error(), "lmarena-ai/VisionArena-Chat") || !strings.Contains(err.Error(), "builtin") {
		t.Errorf("error %v", err)
	}
}

func TestLoadBadRows(t *testing.T) {
	const good = `"conversation":[[{"role":"user","content":"x"}]]`
	tests := []struct {
		name, row, want string
	}{
		{"no rows", "", "no rows"},
		{"not JSON", "{", "line 1"},
		{"no id", `{"images":["a.png"],` + good + `}`, "conversation_id"},
		{"no image", `{"conversation_id":"r1",` + good + `}`, "r1 has no image"},
		{"a missing image", `{"conversation_id":"r1","images":["b.png"],` + good + `}`, "b.png"},
		{"an unreadable image", `{"conversation_id":"r1","images":["a.png"],` + good + `}`, "a.png"},
		{"an image outside", `{"conversation_id":"r1","images":["../../x"],` + good + `}`, "x"},
		{"no prompt", `{"conversation_id":"r1","images":["a.png"],"conversation":[]}`, "empty prompt"},
		{"a blank prompt", `{"conversation_id":"r1","images":["a.png"],"conversation":[[{"role":"user","content":" "}]]}`, "empty prompt"},
		{"not the user", `{"conversation_id":"r1","images":["a.png"],"conversation":[[{"role":"assistant","content":"x"}]]}`, `"assistant"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := fstest.MapFS{
				"prompts.jsonl": {Data: []byte(tt.row)}, "CREDITS.md": {}, "images/a.png": {Data: []byte("no image")},
			}
			if _, err := load("x", folder); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
