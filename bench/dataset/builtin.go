package dataset

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed builtin
var builtin embed.FS

// Builtin is the name of the embedded set.
const Builtin = "builtin"

// OpenBuiltin opens the embedded set. Every row is checked: one whose image is
// missing or unreadable, or whose prompt is empty, is an error.
func OpenBuiltin() (*Set, error) {
	folder, err := fs.Sub(builtin, "builtin")
	if err != nil {
		return nil, err
	}
	return load(Builtin, folder)
}

// line is a row in VisionArena-Chat's schema, as far as it is used.
type line struct {
	ID           string   `json:"conversation_id"`
	Images       []string `json:"images"` // names in the folder images
	Language     string   `json:"language"`
	Conversation [][]struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"conversation"` // one list of messages per turn
}

// load reads prompts.jsonl, CREDITS.md and images/ of a folder. A row that cannot
// be used is an error. Of an image only the header is read, so that opening stays
// cheap; the tests decode the embedded ones in full.
func load(name string, folder fs.FS) (*Set, error) {
	text, err := fs.ReadFile(folder, "prompts.jsonl")
	if err != nil {
		return nil, fmt.Errorf("data set %s: %w", name, err)
	}
	credits, err := fs.ReadFile(folder, "CREDITS.md")
	if err != nil {
		return nil, fmt.Errorf("data set %s: %w", name, err)
	}
	var rows []Row
	images := map[string]Image{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		row, err := parseRow(lines.Bytes(), folder, images)
		if err != nil {
			return nil, fmt.Errorf("data set %s: prompts.jsonl, line %d: %w", name, number, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("data set %s: prompts.jsonl: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("data set %s: prompts.jsonl has no rows", name)
	}
	s := NewSet(About{Name: name, Selection: "all rows"}, rows, false)
	s.credits = string(credits)
	return s, nil
}

// parseRow takes the first user turn and the first image. Images are read once.
func parseRow(text []byte, folder fs.FS, images map[string]Image) (Row, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Row{}, err
	}
	row := Row{ID: l.ID, Language: l.Language}
	switch {
	case l.ID == "":
		return row, errors.New("the row has no conversation_id")
	case len(l.Images) == 0:
		return row, fmt.Errorf("row %s has no image", l.ID)
	case len(l.Conversation) == 0 || len(l.Conversation[0]) == 0 || strings.TrimSpace(l.Conversation[0][0].Content) == "":
		return row, fmt.Errorf("row %s has an empty prompt", l.ID)
	case l.Conversation[0][0].Role != "user":
		return row, fmt.Errorf("row %s begins with the turn of %q, not of the user", l.ID, l.Conversation[0][0].Role)
	}
	row.Prompt = l.Conversation[0][0].Content
	img, ok := images[l.Images[0]]
	if !ok {
		var err error
		if img, err = readImage(folder, l.Images[0]); err != nil {
			return row, fmt.Errorf("row %s: %w", l.ID, err)
		}
		images[l.Images[0]] = img
	}
	row.Image = img
	return row, nil
}

func readImage(folder fs.FS, name string) (Image, error) {
	data, err := fs.ReadFile(folder, path.Join("images", name))
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", name, err)
	}
	img, _, err := Inspect(data)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", name, err)
	}
	img.Name = name
	return img, nil
}
