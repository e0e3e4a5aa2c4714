package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/chatapi"
)

// recorded is a request and what vLLM 0.32 answered, from testdata/vllm.jsonl. Its model
// was tiny-llava-siglip, with at most 2 images.
type recorded struct {
	Name, Route, Request string
	Status               int
	Type, Body           string
}

// TestRecorded sends the requests that vLLM was sent. The answers have the same
// fields, the same kinds of values, and the same values where those do
// not depend on the model: a stream is the order of its kinds of events.
func TestRecorded(t *testing.T) {
	data, err := os.ReadFile("testdata/vllm.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	image := picture(t, color.White)
	url := start(t, func(c *Config) { c.ServedName = "tiny-llava-siglip" })
	for line := range bytes.Lines(data) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		t.Run(r.Name, func(t *testing.T) {
			request := strings.ReplaceAll(r.Request, "data:image/jpeg;base64,<BASE64 of image.jpg>", image)
			if r.Name == "err_too_many_images" { // our limit is 4, theirs 2
				request = strings.Replace(request, `"content":[`, `"content":[`+strings.Repeat(`{"type":"image_url","image_url":{"url":"`+image+`"}},`, 2), 1)
				r.Body = strings.Replace(r.Body, "At most 2", "At most 4", 1)
			}
			var response *http.Response
			if r.Request == "" {
				response, err = http.Get(url + r.Route)
			} else {
				response, err = http.Post(url+r.Route, "application/json", strings.NewReader(request))
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != r.Status || response.Header.Get("Content-Type") != r.Type {
				t.Errorf("status %d, type %s, error %v; want %d, %s", response.StatusCode, response.Header.Get("Content-Type"), err, r.Status, r.Type)
			}
			if diff := cmp.Diff(shapes(t, r.Body), shapes(t, string(body))); diff != "" {
				t.Errorf("(-vLLM +siglab):\n%s", diff)
			}
		})
	}
}

// shapes is the shape of a body, or of each kind of event in a stream.
func shapes(t *testing.T, body string) []string {
	if !strings.HasPrefix(body, "data:") {
		return strings.Split(shape(t, body), "\n")
	}
	var all []string
	for _, event := range events(t, body) {
		if event != chatapi.DoneData {
			event = shape(t, event)
		}
		if len(all) == 0 || all[len(all)-1] != event {
			all = append(all, event)
		}
	}
	return all
}

// events are the data of a stream's events.
func events(t *testing.T, stream string) []string {
	var all []string
	var parser chatapi.EventParser
	if err := parser.Feed([]byte(stream), func(data []byte) { all = append(all, string(data)) }); err != nil {
		t.Error(err)
	}
	return all
}

// shape is a JSON text with a line for each value: its path, and its kind or what must be
// equal of it. Lists count by their first element, and maps of tokens not at all.
func shape(t *testing.T, text string) string {
	decoder, b := json.NewDecoder(strings.NewReader(text)), &strings.Builder{}
	if err := walk(decoder, b, ""); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	lines := strings.Split(b.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func walk(d *json.Decoder, b *strings.Builder, path string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		for i := 0; d.More(); i++ {
			to, at := b, path+"[]"
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					return err
				}
				at = path + "." + key.(string)
			} else if i > 0 {
				to = &strings.Builder{}
			}
			if err := walk(d, to, at); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	case string:
		// What validation says is in words of our own, its place and type are vLLM's.
		equal := []string{".object", ".choices[].finish_reason", ".choices[].delta.role", ".choices[].message.role", ".error.type", ".error.param", ".error.message", ".data[].permission[].organization"}
		if slices.Contains(equal, path) && !strings.HasPrefix(v, "1 validation error") && !strings.HasPrefix(v, "body.") {
			fmt.Fprintf(b, "%s = %s\n", path, v)
			return nil
		}
		fmt.Fprintf(b, "%s string\n", path)
	case nil:
		fmt.Fprintf(b, "%s null\n", path)
	default:
		fmt.Fprintf(b, "%s %T\n", path, v)
	}
	return nil
}
