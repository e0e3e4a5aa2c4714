package report

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"siglab/bench/compare"
)

type (
	// requestTable tells of requests one by one.
	requestTable struct {
		Told, All int
		Head      []string // variants
		Rows      []requestRow
		Images    []thumbnail
	}
	requestRow struct {
		Pair, Item, Prompt string
		Image              string // its name and size
		Thumbnail          string // ID in Images; "" where there is none
		Seen               []seenCell
	}
	seenCell struct {
		TTFT, E2EL, Tokens, Text, Failure, Answer string
	}
	thumbnail struct {
		ID   string
		Data template.URL
	}
)

// Bounds of what the page holds of single requests, in runes.
const (
	mostPrompt = 200
	mostAnswer = 300
)

func requestsOf(c *compare.Comparison, d Details) requestTable {
	t := requestTable{Told: len(c.Requests), All: c.Answers}
	for _, v := range c.Manifest.Variants {
		t.Head = append(t.Head, v.Name)
	}
	for _, r := range c.Requests {
		row := requestRow{Pair: strconv.Itoa(r.Pair + 1), Item: r.Item}
		if item, ok := d.Items[r.Item]; ok {
			row.Prompt = shorten(item.Prompt, mostPrompt)
			row.Image = fmt.Sprintf("%s, %d×%d", item.Image, item.ImageSize[0], item.ImageSize[1])
			if item.Image == "" {
				row.Image = "no image"
			}
			row.Thumbnail = t.thumbnail(item.ImageHash, d.Thumbnails)
		}
		for arm, s := range r.Seen {
			row.Seen = append(row.Seen, seenOf(s, arm))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func seenOf(s compare.Seen, arm int) seenCell {
	cell := seenCell{Text: shorten(s.Text, mostAnswer), Failure: shorten(s.Failure, mostAnswer)}
	if s.Failure != "" {
		return cell
	}
	cell.TTFT, cell.E2EL, cell.Tokens = value(s.TTFT), value(s.E2EL), strconv.Itoa(s.Tokens)
	switch {
	case arm == 0:
	case s.Same:
		cell.Answer = "the same answer"
	default:
		cell.Answer = "another answer"
	}
	return cell
}

// thumbnail is the ID of an image in the page, which has it once.
func (t *requestTable) thumbnail(hash string, known map[string][]byte) string {
	data := known[hash]
	if len(data) == 0 || len(hash) < 12 || strings.Trim(hash, "0123456789abcdef") != "" {
		return ""
	}
	id := "image-" + hash[:12]
	if !slices.ContainsFunc(t.Images, func(have thumbnail) bool { return have.ID == id }) {
		t.Images = append(t.Images, thumbnail{id, template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(data))})
	}
	return id
}

// shorten cuts a long text off.
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + " …"
}
