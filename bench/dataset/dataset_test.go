package dataset

import (
	"bytes"
	"image"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const builtinImages = 16

func open(t *testing.T) *Set {
	t.Helper()
	s, err := OpenBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ids(rows []Row) []string {
	var list []string
	for _, row := range rows {
		list = append(list, row.ID)
	}
	return list
}

func TestBuiltinPrompts(t *testing.T) {
	seenIDs, prompts, languages, perImage := map[string]bool{}, map[string]bool{}, map[string]int{}, map[string]int{}
	rows := open(t).Rows()
	shortest, longest := len(rows[0].Prompt), 0
	for _, row := range rows {
		if seenIDs[row.ID] || prompts[row.Prompt] {
			t.Errorf("row %s occurs twice: %q", row.ID, row.Prompt)
		}
		if row.Language == "" || !utf8.ValidString(row.Prompt) || strings.TrimSpace(row.Prompt) != row.Prompt {
			t.Errorf("row %s: language %q, prompt %q", row.ID, row.Language, row.Prompt)
		}
		seenIDs[row.ID], prompts[row.Prompt] = true, true
		languages[row.Language]++
		perImage[row.Image.Name]++
		n := utf8.RuneCountInString(row.Prompt)
		shortest, longest = min(shortest, n), max(longest, n)
	}
	if len(prompts) < 120 || len(languages) < 8 || 2*languages["English"] <= len(rows) {
		t.Errorf("%d prompts in %d languages, %d of them English", len(prompts), len(languages), languages["English"])
	}
	if shortest >= 20 || longest <= 300 {
		t.Errorf("prompts have %d to %d characters, want below 20 to above 300", shortest, longest)
	}
	for name, n := range perImage {
		if n != len(rows)/builtinImages {
			t.Errorf("%s has %d prompts, want %d", name, n, len(rows)/builtinImages)
		}
	}
}

// TestBuiltinImages decodes every embedded file in full; Open reads headers only.
func TestBuiltinImages(t *testing.T) {
	s := open(t)
	used := map[string]Image{}
	for _, row := range s.Rows() {
		used[row.Image.Name] = row.Image
	}
	files, err := builtin.ReadDir("builtin/images")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != builtinImages || len(used) != builtinImages {
		t.Errorf("%d files, %d of them in use, want %d", len(files), len(used), builtinImages)
	}
	for _, file := range files {
		img := used[file.Name()]
		decoded, format, err := image.Decode(bytes.NewReader(img.Data))
		if err != nil {
			t.Errorf("image %s: %v", file.Name(), err)
			continue
		}
		if size := decoded.Bounds().Size(); size != image.Pt(img.Width, img.Height) || img.MIME != "image/"+format || len(img.SHA256) != 64 {
			t.Errorf("image %s is %v %s, the row says %dx%d %s, hash %q", img.Name, size, format, img.Width, img.Height, img.MIME, img.SHA256)
		}
		if !strings.Contains(s.Credits(), "| "+img.Name+" |") {
			t.Errorf("no credits for %s", img.Name)
		}
	}
}

func TestShuffledFollowsTheSeed(t *testing.T) {
	s := open(t)
	before := ids(s.Rows())
	shuffled := func(seed uint64) []string { return ids(s.Shuffled(rand.New(rand.NewPCG(seed, 0)))) }
	first := shuffled(1)
	if diff := cmp.Diff(first, shuffled(1)); diff != "" {
		t.Errorf("the same seed gives another order (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, shuffled(2)) {
		t.Error("seeds 1 and 2 give the same order")
	}
	if diff := cmp.Diff(before, ids(s.Rows())); diff != "" {
		t.Errorf("shuffling changed the set (-before +after):\n%s", diff)
	}
}

func TestShuffledCoversTheImages(t *testing.T) {
	s := open(t)
	for seed := range uint64(20) {
		rows := s.Shuffled(rand.New(rand.NewPCG(seed, 7)))
		once := map[string]bool{}
		for _, id := range ids(rows) {
			once[id] = true
		}
		if len(rows) != len(s.Rows()) || len(once) != len(rows) {
			t.Fatalf("seed %d: %d rows, %d different ones, want %d", seed, len(rows), len(once), len(s.Rows()))
		}
		for start := 0; start < len(rows); start += builtinImages {
			round := map[string]bool{}
			for _, row := range rows[start : start+builtinImages] {
				round[row.Image.Name] = true
			}
			if len(round) != builtinImages {
				t.Errorf("seed %d: rows %d to %d show %d images, want %d", seed, start, start+builtinImages-1, len(round), builtinImages)
			}
		}
	}
}

// TestShuffledUneven has images with unequal numbers of rows: none is lost, and an
// image that is used up leaves its turns to the others.
func TestShuffledUneven(t *testing.T) {
	a, b := Image{Name: "a"}, Image{Name: "b"}
	s := &Set{rows: []Row{{ID: "a1", Image: a}, {ID: "a2", Image: a}, {ID: "a3", Image: a}, {ID: "b1", Image: b}}}
	rows := s.Shuffled(rand.New(rand.NewPCG(1, 1)))
	if len(rows) != 4 || rows[0].Image.Name == rows[1].Image.Name {
		t.Errorf("order %v", ids(rows))
	}
	if empty := (&Set{}).Shuffled(rand.New(rand.NewPCG(1, 1))); len(empty) != 0 {
		t.Errorf("the empty set has rows: %v", empty)
	}
}
