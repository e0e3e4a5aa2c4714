package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"siglab/engine/siglip"
	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

type embedCmd struct {
	computeFlags
	Model        string   `required:"" help:"Directory of a published model, or a preset with seeded random weights."`
	Image        string   `type:"path" xor:"input" help:"Image file."`
	Size         string   `help:"Size that the image is resized to, HEIGHTxWIDTH or native (the model's); off the training grid the position table is resampled."`
	Pixels       string   `type:"path" xor:"input" help:"Safetensors file with pixel_values as the tower takes them, of NaFlex also spatial_shapes and pixel_attention_mask."`
	Text         []string `sep:"none" help:"Text for the text tower, if the model has one; repeat it for several."`
	Out          string   `required:"" type:"path" help:"Safetensors file to write: last_hidden_state, with a head pooler_output."`
	HiddenStates bool     `name:"hidden-states" help:"Also write hidden_states.0, the embeddings, and the output of every block."`
	PosEmbed     string   `name:"pos-embed" help:"How the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias (exact; of NaFlex antialias)."`
	JSON         bool     `name:"json" help:"Print what was written as JSON."`
}

// embedded is what embed did.
type embedded struct {
	Model    string           `json:"model"`
	Out      string           `json:"out"`
	PosEmbed string           `json:"pos_embed,omitempty"`
	From     string           `json:"from,omitempty"` // grid of the position table
	To       string           `json:"to,omitempty"`   // grid of the last image
	Tensors  map[string][]int `json:"tensors"`        // shapes by name
	Scores   []textScore      `json:"scores,omitempty"`
}

// textScore says how well a text goes with the image.
type textScore struct {
	Image       int     `json:"image"`
	Text        string  `json:"text"`
	Cosine      float64 `json:"cosine"`
	Logit       float64 `json:"logit"`
	Probability float64 `json:"probability"` // that they are a pair
}

// Run writes the features, or nothing.
func (c *embedCmd) Run(ctx context.Context) error { return orInterrupted(ctx, c.run) }

func (c *embedCmd) run() error {
	encoder, err := c.open()
	if err != nil {
		return err
	}
	defer encoder.Close()
	warn(encoder.Warnings())
	done := embedded{Model: c.Model, Out: c.Out, Tensors: map[string][]int{}}
	var tensors []safetensors.Tensor
	images, err := c.images(encoder)
	if err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	if len(images) > 0 {
		r := images[len(images)-1].Resample
		done.PosEmbed, done.From, done.To = r.Mode.String(), r.From.String(), r.To.String()
		tensors = c.tensors(images, encoder.Config().Hidden)
	}
	texts, err := c.texts(encoder)
	if err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	if len(texts) > 0 {
		tensors = append(tensors, stacked("text_pooler_output", texts, len(texts[0])))
		done.Scores = c.scores(encoder, images, texts)
	}
	for _, t := range tensors {
		done.Tensors[t.Name] = t.Shape
	}
	if err := safetensors.Save(c.Out, tensors, nil); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(done)
	}
	for _, name := range slices.Sorted(maps.Keys(done.Tensors)) {
		fmt.Printf("%s %v\n", name, done.Tensors[name])
	}
	for _, s := range done.Scores {
		fmt.Printf("image %d, %q: cosine %.4f, logit %.3f, probability %.3g\n", s.Image, s.Text, s.Cosine, s.Logit, s.Probability)
	}
	return nil
}

// open opens the towers; it refuses wrong flags before it loads anything.
func (c *embedCmd) open() (*vlm.Encoder, error) {
	if c.Image == "" && c.Pixels == "" && len(c.Text) == 0 {
		return nil, usagef("embed: nothing to embed: give --image, --pixels or --text")
	}
	if c.Size != "" && c.Image == "" {
		return nil, usagef("--size %s: it is for --image; --pixels are taken as they are", c.Size)
	}
	size, err := vlm.ParseImageSize(c.Size)
	if err != nil {
		return nil, usagef("--size: %w", err)
	}
	o := vlm.EncoderOptions{Threads: c.Threads, Seed: c.Seed, ImageSize: size}
	if o.Arithmetic, err = c.arithmetic(); err != nil {
		return nil, err
	}
	if c.PosEmbed != "" {
		mode, err := posembed.ParseMode(c.PosEmbed)
		if err != nil {
			return nil, usagef("--pos-embed: %w", err)
		}
		o.PosEmbed = &mode
	}
	if err := vlm.CheckName(c.Model); err != nil {
		return nil, usagef("--model: %w", err)
	}
	return vlm.OpenEncoder(c.Model, o)
}

// images are the outputs for the image, or for those of the pixels.
func (c *embedCmd) images(e *vlm.Encoder) ([]siglip.Output, error) {
	var inputs []siglip.Patches
	switch {
	case c.Pixels != "":
		var err error
		if inputs, err = readPixels(c.Pixels, e); err != nil {
			return nil, err
		}
	case c.Image != "":
		img, err := readImage(c.Image)
		if err != nil {
			return nil, err
		}
		p, err := e.Prepare(img)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, p)
	}
	var outputs []siglip.Output
	for i, p := range inputs {
		out, err := e.Encode(p)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", i, err)
		}
		outputs = append(outputs, out)
	}
	return outputs, nil
}

// tensors are the outputs of all images, stacked: the images of one file have as many
// rows each.
func (c *embedCmd) tensors(images []siglip.Output, hidden int) []safetensors.Tensor {
	pick := func(of func(siglip.Output) []float32) [][]float32 {
		var all [][]float32
		for _, out := range images {
			all = append(all, of(out))
		}
		return all
	}
	rows := len(images[0].Last) / hidden
	tensors := []safetensors.Tensor{stacked("last_hidden_state", pick(func(o siglip.Output) []float32 { return o.Last }), rows, hidden)}
	if images[0].Pooled != nil {
		tensors = append(tensors, stacked("pooler_output", pick(func(o siglip.Output) []float32 { return o.Pooled }), hidden))
	}
	for i := range images[0].States {
		if c.HiddenStates {
			tensors = append(tensors, stacked(fmt.Sprintf("hidden_states.%d", i), pick(func(o siglip.Output) []float32 { return o.States[i] }), rows, hidden))
		}
	}
	return tensors
}

// stacked is a tensor [len(parts), shape…].
func stacked(name string, parts [][]float32, shape ...int) safetensors.Tensor {
	return safetensors.NewF32(name, slices.Concat(parts...), append([]int{len(parts)}, shape...)...)
}

// texts are the text tower's results, one for each text.
func (c *embedCmd) texts(e *vlm.Encoder) ([][]float32, error) {
	if len(c.Text) == 0 {
		return nil, nil
	}
	if !e.Texts() {
		return nil, fmt.Errorf("--text: %s has no text tower; a SiglipModel or Siglip2Model has", c.Model)
	}
	t, err := tokenizer.Open(c.Model)
	if err != nil {
		return nil, err
	}
	pad := padToken(c.Model, t)
	var all [][]float32
	for _, text := range c.Text {
		ids, err := t.Encode(text, true)
		if err != nil {
			return nil, fmt.Errorf("text %q: %w", text, err)
		}
		for pad >= 0 && len(ids) < e.TextLength() {
			ids = append(ids, pad)
		}
		x, err := e.EncodeText(ids)
		if err != nil {
			return nil, fmt.Errorf("text %q: %w", text, err)
		}
		all = append(all, x)
	}
	return all, nil
}

// padToken is the id of the token that a tokenizer fills texts up with, -1 if its
// files do not say.
func padToken(dir string, t *tokenizer.Tokenizer) int {
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
	var config struct {
		Pad json.RawMessage `json:"pad_token"`
	}
	if err != nil || json.Unmarshal(data, &config) != nil {
		return -1
	}
	var name string
	var token struct{ Content string }
	if json.Unmarshal(config.Pad, &name) != nil && json.Unmarshal(config.Pad, &token) == nil {
		name = token.Content
	}
	if id, ok := t.ID(name); ok && name != "" {
		return id
	}
	return -1
}

// scores are those of every image with every text.
func (c *embedCmd) scores(e *vlm.Encoder, images []siglip.Output, texts [][]float32) []textScore {
	var all []textScore
	for i, img := range images {
		if img.Pooled == nil {
			continue
		}
		for k, text := range texts {
			cosine, logit := e.Score(img.Pooled, text)
			all = append(all, textScore{i, c.Text[k], cosine, logit, 1 / (1 + math.Exp(-logit))})
		}
	}
	return all
}
