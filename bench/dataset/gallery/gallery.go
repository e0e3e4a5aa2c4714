// Package gallery shows rows of a data set: as text, as JSON, or as one HTML page with
// thumbnails that needs nothing else.
package gallery

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"siglab/bench/dataset"
)

//go:embed page.html.tmpl
var pageText string

// Row is a row as JSON shows it: everything but the pixels.
type Row struct {
	ID       string `json:"id"`
	Prompt   string `json:"prompt"`
	Language string `json:"language,omitempty"`
	Image    string `json:"image"`
	MIME     string `json:"image_mime"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	Bytes    int    `json:"image_bytes"`
	SHA256   string `json:"image_sha256"`
}

func rowsOf(set *dataset.Set, n int) []Row {
	rows := []Row{}
	for _, r := range set.Rows()[:min(n, len(set.Rows()))] {
		rows = append(rows, Row{r.ID, r.Prompt, r.Language, r.Image.Name, r.Image.MIME, r.Image.Width, r.Image.Height, len(r.Image.Data), r.Image.SHA256})
	}
	return rows
}

// WriteJSON writes where a set comes from and its first n rows.
func WriteJSON(w io.Writer, set *dataset.Set, n int) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Source dataset.About `json:"source"`
		Rows   []Row         `json:"rows"`
	}{set.About(), rowsOf(set, n)})
}

// textPrompt is how much of a prompt a line of text has, in characters.
const textPrompt = 300

// WriteText writes the same for a terminal: prompts on one line, long ones cut, without
// the control characters that a stranger's text may hold.
func WriteText(w io.Writer, set *dataset.Set, n int) error {
	var text strings.Builder
	for _, line := range Describe(set.About()) {
		fmt.Fprintln(&text, plain(line))
	}
	text.WriteByte('\n')
	for _, r := range rowsOf(set, n) {
		fmt.Fprintf(&text, "%s  %s %dx%d, %d KB  %s\n", plain(r.ID), strings.TrimPrefix(r.MIME, "image/"), r.Width, r.Height, (r.Bytes+512)/1024, cut(plain(r.Prompt)))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Describe says where rows come from, a fact a line.
func Describe(about dataset.About) []string {
	lines := []string{about.Source()}
	if about.Selection != "" {
		lines = append(lines, about.Selection)
	}
	if n := about.SkippedRows(); n > 0 {
		var reasons []string
		for _, reason := range dataset.Reasons(about.Skipped) {
			reasons = append(reasons, fmt.Sprintf("%s %d", reason, about.Skipped[reason]))
		}
		lines = append(lines, fmt.Sprintf("%d of the %d rows that were looked at could not be used: %s", n, about.Examined, strings.Join(reasons, ", ")))
	}
	return lines
}

func cut(s string) string {
	if runes := []rune(s); len(runes) > textPrompt {
		return string(runes[:textPrompt]) + "…"
	}
	return s
}

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
}

// WriteHTML writes a page that holds its thumbnails. Everything of the set is escaped,
// and the page may run and load nothing.
func WriteHTML(w io.Writer, set *dataset.Set, n int) error {
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	type card struct {
		Row
		KB        int
		Thumbnail template.URL
	}
	var cards []card
	for i, r := range rowsOf(set, n) {
		cards = append(cards, card{Row: r, KB: (r.Bytes + 512) / 1024, Thumbnail: thumbnail(set.Rows()[i].Image)})
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		Name  string
		About []string
		Rows  int
		Cards []card
	}{set.Name(), Describe(set.About()), len(set.Rows()), cards})
	if err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

// thumbnailEdge is the longer edge of a thumbnail in pixels.
const thumbnailEdge = 240

// thumbnail is a small JPEG as a data URL; "" if the image cannot be decoded.
func thumbnail(img dataset.Image) template.URL {
	small := dataset.Thumbnail(img.Data, thumbnailEdge)
	if small == nil {
		return ""
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(small))
}
