package jsonrows

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"siglab/bench/dataset"
)

// line is what a row is read from.
type line struct {
	ID             text   `json:"id"`
	ConversationID text   `json:"conversation_id"`
	QuestionID     text   `json:"question_id"`
	Language       text   `json:"language"`
	Prompt         *text  `json:"prompt"`
	Question       *text  `json:"question"`
	Conversation   turns  `json:"conversation"`
	Turns          turns  `json:"turns"`
	ImageFiles     images `json:"image_files"`
	Images         images `json:"images"`
	Image          images `json:"image"`
}

// text is a string or a number, as identifiers are.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("%.40s is neither a text nor a number", data)
	}
	*t = text(n)
	return nil
}

// turns is a conversation: messages, or a list of messages per turn.
type turns []message

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func (t *turns) UnmarshalJSON(data []byte) error {
	var nested [][]message
	if err := json.Unmarshal(data, &nested); err == nil {
		if len(nested) > 0 {
			*t = nested[0]
		}
		return nil
	}
	var flat []message
	if err := json.Unmarshal(data, &flat); err != nil {
		return fmt.Errorf("%.40s is not a conversation", data)
	}
	*t = flat
	return nil
}

// images is the first of one or more paths or data URLs.
type images string

func (i *images) UnmarshalJSON(data []byte) error {
	var many []string
	if err := json.Unmarshal(data, &many); err == nil {
		if len(many) > 0 {
			*i = images(many[0])
		}
		return nil
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return fmt.Errorf("%.40s is neither a path or data URL nor a list of them", data)
	}
	*i = images(one)
	return nil
}

// parse reads one line: a row without its image, and where that is.
func parse(data []byte) (raw dataset.Raw, image string) {
	var l *line
	if err := json.Unmarshal(data, &l); err != nil {
		return dataset.Raw{Broken: dataset.NotARow, Detail: err.Error()}, ""
	}
	if l == nil {
		return dataset.Raw{Broken: dataset.NotARow, Detail: "null"}, ""
	}
	raw = dataset.Raw{ID: bounded(string(l.ConversationID)), Language: bounded(string(l.Language))}
	for _, id := range []text{l.QuestionID, l.ID} {
		if raw.ID == "" {
			raw.ID = bounded(string(id))
		}
	}
	switch {
	case l.Prompt != nil:
		raw.Prompt = string(*l.Prompt)
	case l.Question != nil:
		raw.Prompt = string(*l.Question)
	case len(l.Conversation) > 0:
		raw.Role, raw.Prompt = l.Conversation[0].Role, l.Conversation[0].Content
	case len(l.Turns) > 0:
		raw.Role, raw.Prompt = l.Turns[0].Role, l.Turns[0].Content
	}
	for _, place := range []images{l.ImageFiles, l.Images, l.Image} {
		if image == "" {
			image = string(place)
		}
	}
	return raw, image
}

// bounded keeps identifiers and languages short.
func bounded(s string) string { return s[:min(len(s), 256)] }

// image reads what a row says of its image.
func (t *Table) image(place string) ([]byte, dataset.Reason, string) {
	switch {
	case place == "":
		return nil, dataset.NoImage, ""
	case strings.HasPrefix(place, "data:"):
		return fromURL(place)
	case strings.HasPrefix(place, "http://"), strings.HasPrefix(place, "https://"):
		return nil, dataset.MissingImage, fmt.Sprintf("%.80q: images are not downloaded; keep a copy beside the file", place)
	}
	place = strings.TrimPrefix(place, "file://")
	name := filepath.FromSlash(place)
	stat, open := t.folder.Stat, t.folder.Open
	switch {
	case filepath.IsAbs(name):
		stat, open = os.Stat, os.Open
	case !filepath.IsLocal(name):
		return nil, dataset.OutsideFolder, fmt.Sprintf("%.80q", place)
	}
	data, err := readImage(name, stat, open)
	if err != nil {
		return nil, dataset.MissingImage, fmt.Sprintf("%.80q: %v", place, err)
	}
	return data, "", ""
}

// readImage reads a regular file, and no more than shows that it is too large. What
// is not a regular file is not opened: a pipe would block.
func readImage(name string, stat func(string) (fs.FileInfo, error), open func(string) (*os.File, error)) (data []byte, err error) {
	info, err := stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, dataset.MostImageBytes+1))
}

// fromURL decodes a data URL of base64.
func fromURL(url string) ([]byte, dataset.Reason, string) {
	head, body, ok := strings.Cut(url, ",")
	if !ok || !strings.HasSuffix(head, ";base64") {
		return nil, dataset.UnreadableImage, fmt.Sprintf("%.60q is not a data URL of base64", url)
	}
	data, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, dataset.UnreadableImage, "data URL: " + err.Error()
	}
	return data, "", ""
}
