package gallery

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"

	"siglab/bench/dataset"
)

func hostile(t *testing.T) *dataset.Set {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 900, 3))); err != nil {
		t.Fatal(err)
	}
	img, _, err := dataset.Inspect(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	half := img
	half.Data = img.Data[:len(img.Data)/2]
	about := dataset.About{Name: "<b>set</b>", Examined: 4, Skipped: map[dataset.Reason]int{dataset.NoImage: 1}}
	return dataset.NewSet(about, []dataset.Row{
		{ID: `"><script>`, Prompt: "<script>alert(1)</script>\x1b[31m\nsecond line", Language: "English", Image: img},
		{ID: "r2", Prompt: "p", Image: half},
		{ID: "r3", Prompt: "not shown", Image: img},
	}, false)
}

func TestWriteHTML(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHTML(&out, hostile(t), 2); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, part := range []string{"&lt;script&gt;alert(1)", "&lt;b&gt;set", `src="data:image/jpeg;base64,`, "no thumbnail", "2 of 3 rows", "1 of the 4 rows", "default-src &#39;none&#39;"} {
		if !strings.Contains(page, part) && !strings.Contains(page, strings.ReplaceAll(part, "&#39;", "'")) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range []string{"<script", "http://", "https://", "not shown", "<b>"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
}

func TestWriteText(t *testing.T) {
	var out bytes.Buffer
	if err := WriteText(&out, hostile(t), 1); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.ContainsAny(text, "\x1b") || !strings.Contains(text, "alert(1)</script>[31m second line") || strings.Contains(text, "r2") {
		t.Errorf("text:\n%s", text)
	}
}

func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, hostile(t), 9); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Source dataset.About
		Rows   []Row
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Rows) != 3 || got.Rows[0].Width != 900 || got.Source.Skipped[dataset.NoImage] != 1 {
		t.Errorf("%+v, error %v", got, err)
	}
}
