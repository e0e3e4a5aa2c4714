package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// promptCase is what a processor of transformers 5.19.0 makes of a text or of
// messages; images are the lengths of its images.
type promptCase struct {
	Raw      *string
	Messages []struct {
		Role    string
		Content []struct{ Type, Text string }
	}
	Text   string // of messages, with one placeholder an image
	Images []int
	IDs    []int
}

func (c promptCase) turns() []Turn {
	var turns []Turn
	for _, m := range c.Messages {
		turn := Turn{Role: m.Role}
		for _, part := range m.Content {
			turn.Parts = append(turn.Parts, Part{Image: part.Type == "image", Text: part.Text})
		}
		turns = append(turns, turn)
	}
	return turns
}

func openTest(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestPrompts holds prompts to those of the models' processors.
func TestPrompts(t *testing.T) {
	for name, about := range map[string]string{
		"llava-qwen2":  "byte-level vocabulary, a template of parts",
		"llava-llama2": "SentencePiece-style vocabulary with a frame, USER: … ASSISTANT:",
		"paligemma":    "no template: images, <bos>, prompt, newline",
	} {
		t.Run(name+": "+about, func(t *testing.T) {
			tok := openTest(t, name)
			data, err := os.ReadFile(filepath.Join("testdata", name+".cases.json"))
			if err != nil {
				t.Fatal(err)
			}
			var cases []promptCase
			if err := json.Unmarshal(data, &cases); err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				var got []int
				if c.Raw != nil {
					got, err = tok.RawPrompt(*c.Raw, c.Images)
				} else {
					text, textErr := tok.ChatText(c.turns(), AssistantOpen)
					if diff := cmp.Diff(c.Text, text); textErr != nil || diff != "" {
						t.Errorf("ChatText(%v): error %v (-want +got):\n%s", c.Messages, textErr, diff)
					}
					got, err = tok.ChatPrompt(c.turns(), c.Images, AssistantOpen)
				}
				if diff := cmp.Diff(c.IDs, got); err != nil || diff != "" {
					t.Errorf("prompt of %q: error %v (-want +got):\n%s", c.Text, err, diff)
				}
			}
		})
	}
}

func TestSpecialTokens(t *testing.T) {
	for _, row := range []struct {
		name       string
		eos        []int
		bos, image int
		imageText  string
	}{
		{"llava-qwen2", []int{420}, -1, 423, "<image>"},
		{"llava-llama2", []int{2, 1}, 1, 689, "<image>"},
		{"paligemma", []int{1}, 2, 512, "<image>"},
	} {
		tok := openTest(t, row.name)
		if !slices.Equal(tok.EOS(), row.eos) || tok.BOS() != row.bos || tok.ImageToken() != row.image || tok.ImageText() != row.imageText {
			t.Errorf("%s: EOS %v, BOS %d, image %d %q; want %v, %d, %d %q", row.name,
				tok.EOS(), tok.BOS(), tok.ImageToken(), tok.ImageText(), row.eos, row.bos, row.image, row.imageText)
		}
		if !tok.Ends(row.eos[0]) || tok.Ends(row.image) || tok.VocabSize() <= row.image {
			t.Errorf("%s: Ends or VocabSize %d do not fit", row.name, tok.VocabSize())
		}
		if text := tok.Text(row.eos[0]); text == "" || string(tok.Bytes(row.eos[0])) != text {
			t.Errorf("%s: the end of a sequence is %q in logprobs", row.name, text)
		}
	}
}

// directoryOf copies a test model and replaces files; "" removes one.
func directoryOf(t *testing.T, name string, replace map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if name != "" {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
			t.Fatal(err)
		}
	}
	for file, content := range replace {
		path := filepath.Join(dir, file)
		if content == "" {
			_ = os.Remove(path)
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenErrors(t *testing.T) {
	for _, row := range []struct {
		why, model string
		replace    map[string]string
		want       string
	}{
		{"an empty directory", "", nil, "no tokenizer.json"},
		{"only half of Qwen2's files", "", map[string]string{"vocab.json": "{}"}, "merges.txt"},
		{"another class with these files", "", map[string]string{"vocab.json": "{}", "merges.txt": "x", "tokenizer_config.json": `{"tokenizer_class":"RobertaTokenizer"}`}, "RobertaTokenizer"},
		{"a tokenizer.json that is cut", "llava-qwen2", map[string]string{"tokenizer.json": `{"model":`}, "tokenizer.json"},
		{"a config.json that is cut", "llava-qwen2", map[string]string{"config.json": `{`}, "config.json"},
		{"an image token elsewhere", "llava-qwen2", map[string]string{"config.json": `{"image_token_index": 999}`}, "image token is 999"},
		{"a template that is none", "llava-qwen2", map[string]string{"chat_template.jinja": "{% if %}"}, "chat_template.jinja: line 1"},
		{"PaliGemma without <bos>", "paligemma", map[string]string{"tokenizer_config.json": `{}`}, "bos_token"},
		{"an id that is no number", "llava-qwen2", map[string]string{"tokenizer_config.json": `{"added_tokens_decoder":{"x":{"content":"y"}}}`}, "not a number"},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := Open(directoryOf(t, row.model, row.replace))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one that contains %q", err, row.want)
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	for _, row := range []struct {
		why     string
		replace map[string]string
		check   func(tok *Tokenizer) bool
	}{
		{"generation_config.json wins over config.json", map[string]string{"generation_config.json": `{"eos_token_id":[7,8]}`},
			func(tok *Tokenizer) bool { return slices.Equal(tok.EOS(), []int{7, 8}) }},
		{"without ids, the eos_token ends", map[string]string{"generation_config.json": "{}", "config.json": "{}"},
			func(tok *Tokenizer) bool { return slices.Equal(tok.EOS(), []int{420}) }},
		{"suppressed tokens are sorted", map[string]string{"generation_config.json": `{"suppress_tokens":[5,3]}`},
			func(tok *Tokenizer) bool { return slices.Equal(tok.Suppressed(), []int{3, 5}) }},
		{"tokens of the configuration alone are added", map[string]string{"tokenizer_config.json": `{"eos_token":"<|im_end|>","extra_special_tokens":["<new>"]}`},
			func(tok *Tokenizer) bool { id, ok := tok.ID("<new>"); return ok && id == 425 }},
		{"chat_template.jinja wins", map[string]string{"chat_template.jinja": "J", "chat_template.json": `{"chat_template":"L"}`},
			func(tok *Tokenizer) bool {
				text, err := tok.ChatText(nil, AssistantOpen)
				return text == "J" && err == nil
			}},
		{"SigLIP2's tokenizer sees lower case", map[string]string{"tokenizer_config.json": `{"tokenizer_class":"Siglip2Tokenizer"}`},
			func(tok *Tokenizer) bool {
				upper, err := tok.Encode("THE Photo", true)
				lower, _ := tok.Encode("the photo", true)
				return err == nil && slices.Equal(upper, lower)
			}},
		{"a list of templates has a default", map[string]string{"chat_template.jinja": "", "tokenizer_config.json": `{"chat_template":[{"name":"rag","template":"R"},{"name":"default","template":"D"}]}`},
			func(tok *Tokenizer) bool {
				text, err := tok.ChatText(nil, AssistantOpen)
				return text == "D" && err == nil
			}},
		{"a template of strings gets image lines first", map[string]string{"chat_template.jinja": "{% for m in messages %}{{ m.role + ':' + m.content }};{% endfor %}"},
			func(tok *Tokenizer) bool {
				text, err := tok.ChatText([]Turn{{Role: "user", Parts: []Part{{Text: "a"}, {Image: true}, {Text: "b"}}}}, AssistantOpen)
				return text == "user:<image>\na\nb;" && err == nil
			}},
	} {
		t.Run(row.why, func(t *testing.T) {
			tok, err := Open(directoryOf(t, "llava-qwen2", row.replace))
			if err != nil {
				t.Fatal(err)
			}
			if !row.check(tok) {
				t.Errorf("EOS %v, suppressed %v, size %d", tok.EOS(), tok.Suppressed(), tok.VocabSize())
			}
		})
	}
}

func TestPromptErrors(t *testing.T) {
	tok := openTest(t, "llava-qwen2")
	bare, err := Open(directoryOf(t, "llava-qwen2", map[string]string{"chat_template.jinja": ""}))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why, want string
		prompt    func() ([]int, error)
	}{
		{"an image without a length", "1 images", func() ([]int, error) {
			return tok.ChatPrompt([]Turn{{Role: "user", Parts: []Part{{Image: true}}}}, nil, AssistantOpen)
		}},
		{"a user writes a placeholder too many", "2 times, for 1", func() ([]int, error) {
			return tok.ChatPrompt([]Turn{{Role: "user", Parts: []Part{{Image: true}, {Text: "<image><image>"}}}}, []int{4}, AssistantOpen)
		}},
		{"a raw prompt without its placeholder", "0 times, for 1", func() ([]int, error) { return tok.RawPrompt("x", []int{4}) }},
		{"a negative length", "-1 tokens", func() ([]int, error) { return tok.RawPrompt("<image>", []int{-1}) }},
		{"no template", "no chat template", func() ([]int, error) { return bare.ChatPrompt([]Turn{{Role: "user"}}, nil, AssistantOpen) }},
	} {
		t.Run(row.why, func(t *testing.T) {
			ids, err := row.prompt()
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("ids %v, error %v, want one that contains %q", ids, err, row.want)
			}
		})
	}
}

func TestTinyRawPrompt(t *testing.T) {
	tok := NewTiny()
	got, err := tok.RawPrompt("a<|image_pad|>b", []int{2})
	if want := []int{'a', imagePad, imagePad, 'b'}; err != nil || !slices.Equal(got, want) {
		t.Errorf("ids %v, error %v, want %v", got, err, want)
	}
}

// TestPlacedImages: an image whose placeholder is in the text of its message stands
// there; the others stand where the layout puts them.
func TestPlacedImages(t *testing.T) {
	turns := []Turn{{Role: "user", Parts: []Part{{Image: true}, {Image: true}, {Text: "a<image>b"}}}}
	strs := map[string]string{"chat_template.jinja": "{% for m in messages %}{{ m.role + ':' + m.content }};{% endfor %}"}
	for _, row := range []struct{ why, dir, want string }{
		{"a template of parts", directoryOf(t, "llava-qwen2", nil), "<|im_start|>user <image>\na<image>b<|im_end|><|im_start|>assistant\n"},
		{"a template of strings", directoryOf(t, "llava-qwen2", strs), "user:<image>\na<image>b;"},
		{"no template, <bos> after the last image", directoryOf(t, "paligemma", nil), "<image>a<image><bos>b\n"},
	} {
		tok, err := Open(row.dir)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := tok.ChatText(turns, AssistantOpen); text != row.want || err != nil {
			t.Errorf("%s: text %q, error %v, want %q", row.why, text, err, row.want)
		}
	}
}

// TestSiglip holds texts to the ids of SigLIP's own tokenizer (transformers 5.19,
// SiglipTokenizer): canonical text, rules of normalisation, an end.
func TestSiglip(t *testing.T) {
	tok := openTest(t, "siglip")
	data, err := os.ReadFile("testdata/siglip.cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text string
		IDs  []int
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, err := tok.Encode(c.Text, true)
		if diff := cmp.Diff(c.IDs, got); err != nil || diff != "" {
			t.Errorf("%q: error %v (-want +got):\n%s", c.Text, err, diff)
		}
	}
}
