package clientbench

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Load is what every client is told to send.
type Load struct {
	Name     string  `json:"name"`
	Rate     float64 `json:"rate,omitempty"`    // Poisson arrivals per second, or
	Streams  int     `json:"streams,omitempty"` // a closed loop with so many
	Requests int     `json:"requests"`
	Tokens   int     `json:"tokens"` // of every answer
	Image    bool    `json:"image"`  // bodies of about half a megabyte
}

// loads are those of the table; quick ones have the same shapes and few requests.
func loads(quick bool) []Load {
	const tokens = 64 // with the server's times an answer takes 0.7 s
	all := []Load{
		{Name: "10/s", Rate: 10, Requests: 100, Tokens: tokens},
		{Name: "10 streams", Streams: 10, Requests: 100, Tokens: tokens},
		{Name: "50 streams", Streams: 50, Requests: 500, Tokens: tokens},
		{Name: "100 streams", Streams: 100, Requests: 1000, Tokens: tokens},
		{Name: "images, 10/s", Rate: 10, Requests: 100, Tokens: tokens, Image: true},
		{Name: "arrivals, 200/s", Rate: 200, Requests: 2000, Tokens: 8},
	}
	if quick {
		for i := range all {
			all[i].Requests = max(2*all[i].Streams, all[i].Requests/5)
		}
	}
	return all
}

// Side lengths of noise images that make bodies of about half a megabyte: clients
// that encode images again arrive at other sizes.
const (
	sideSmall    = 16  // of loads without images: our client always sends one
	sideAsIs     = 790 // sent as it is
	sideAIPerf   = 640
	sideGuidellm = 817
)

func inputName(kind string, side int) string { return fmt.Sprintf("%s-%d.jsonl", kind, side) }

// imageInput is the file of rows for a load: ours, or those for another kind of
// client.
func imageInput(dir, kind string, load Load, side int) string {
	if !load.Image {
		side = sideSmall
	}
	return filepath.Join(dir, "inputs", inputName(kind, side))
}

// tokenizerDir is the tokenizer that the peers load.
func tokenizerDir(dir string) string { return filepath.Join(dir, "local", "tokenizer") }

// writeInputs writes the rows with images and the tokenizer.
func writeInputs(dir string, loads []Load) error {
	inputs := filepath.Join(dir, "inputs")
	if err := os.MkdirAll(inputs, 0o755); err != nil {
		return err
	}
	rows := 0
	for _, load := range loads {
		rows = max(rows, load.Requests)
	}
	for _, side := range []int{sideSmall, sideAsIs, sideAIPerf, sideGuidellm} {
		picture, err := noise(side)
		if err != nil {
			return err
		}
		file := filepath.Join(inputs, fmt.Sprintf("noise-%d.jpg", side))
		if err := os.WriteFile(file, picture, 0o644); err != nil {
			return err
		}
		n := rows
		if side != sideSmall {
			n = 100 // as many as the load with images sends
		}
		if err := writeRows(inputs, file, picture, side, n); err != nil {
			return err
		}
	}
	return writeTokenizer(tokenizerDir(dir))
}

// writeRows writes one picture's rows in the shapes that clients read.
func writeRows(inputs, file string, picture []byte, side, n int) error {
	url := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(picture)
	for kind, row := range map[string]func(prompt string) any{
		"url":    func(p string) any { return map[string]any{"prompt": p, "image_files": []string{url}} },
		"aiperf": func(p string) any { return map[string]any{"text": p, "image": file} },
		"guidellm": func(p string) any {
			return map[string]any{"prompt": p, "image": file}
		},
	} {
		var out bytes.Buffer
		for i := range n {
			line, err := json.Marshal(row(fmt.Sprintf("what is in picture %d of these", i)))
			if err != nil {
				return err
			}
			out.Write(append(line, '\n'))
		}
		if err := os.WriteFile(filepath.Join(inputs, inputName(kind, side)), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// noise is a square JPEG that compresses badly.
func noise(side int) ([]byte, error) {
	rng := rand.New(rand.NewPCG(1, uint64(side)))
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(rng.Uint32())
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 75})
	return out.Bytes(), err
}

// writeTokenizer writes one of a thousand words, which needs no hub.
func writeTokenizer(dir string) error {
	const words, special = 1000, 2
	vocabulary := map[string]int{"<unk>": 0, "</s>": 1}
	for i := special; i < words; i++ {
		vocabulary[fmt.Sprintf("w%d", i)] = i
	}
	added := func(id int, text string) map[string]any {
		return map[string]any{"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
	}
	for name, content := range map[string]map[string]any{
		"tokenizer.json": {
			"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil, "post_processor": nil, "decoder": nil,
			"added_tokens":  []any{added(0, "<unk>"), added(1, "</s>")},
			"pre_tokenizer": map[string]any{"type": "WhitespaceSplit"},
			"model":         map[string]any{"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
		},
		"tokenizer_config.json": {
			"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "eos_token": "</s>", "model_max_length": 32768,
			"chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}",
		},
	} {
		encoded, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), encoded, 0o644); err != nil {
			return err
		}
	}
	return nil
}
