package chattemplate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clock is the time of the cases.
var clock = time.Date(2026, 11, 5, 7, 8, 9, 0, time.UTC)

// renderCase is what transformers 5.19.0 renders.
type renderCase struct {
	Template string
	Messages []struct {
		Role    string
		Content json.RawMessage
	}
	Generate bool
	Want     string
	Error    string
}

func (c renderCase) messages(t *testing.T) []Message {
	t.Helper()
	var messages []Message
	for _, m := range c.Messages {
		message := Message{Role: m.Role}
		if m.Content[0] == '[' {
			var parts []struct{ Type, Text string }
			if err := json.Unmarshal(m.Content, &parts); err != nil {
				t.Fatal(err)
			}
			message.Parts = []Part{}
			for _, p := range parts {
				message.Parts = append(message.Parts, Part{Image: p.Type == "image", Text: p.Text})
			}
		} else if err := json.Unmarshal(m.Content, &message.Text); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, message)
	}
	return messages
}

func readTemplate(t testing.TB, name string) *Template {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	template, err := Parse(name, string(source))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// TestTransformers holds templates of the shapes that published models have to
// what transformers renders.
func TestTransformers(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []renderCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		template := readTemplate(t, c.Template)
		got, err := template.Render(c.messages(t), c.Generate, map[string]any{
			"bos_token": "<s>", "eos_token": "</s>",
		}, clock)
		if c.Error != "" {
			if err == nil {
				t.Errorf("%s of %s: %q, but transformers fails: %s", c.Template, c.Messages, got, c.Error)
			}
			continue
		}
		if diff := cmp.Diff(c.Want, got); err != nil || diff != "" {
			t.Errorf("%s of %s: error %v (-want +got):\n%s", c.Template, c.Messages, err, diff)
		}
	}
}
