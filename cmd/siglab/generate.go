package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
	"siglab/posembed"
)

type generateCmd struct {
	modelFlags
	Image       []string `type:"path" help:"Image file; repeat it for several."`
	Prompt      string   `required:"" help:"What to ask, or with --raw the final text."`
	Raw         bool     `help:"The prompt is the final text: only its image placeholders are expanded."`
	MaxTokens   int      `name:"max-tokens" default:"64" help:"Most tokens to generate (${default})."`
	Temperature float64  `default:"0" help:"0 for the likeliest token always, else how freely to choose (${default})."`
	IgnoreEOS   bool     `name:"ignore-eos" help:"Go on behind the end of the answer."`
	Logits      int      `default:"0" help:"Report so many of the largest logits of every step."`
	ImageSize   string   `name:"image-size" help:"Size that images are resized to, HEIGHTxWIDTH or native (the model's)."`
	PosEmbed    string   `name:"pos-embed" default:"exact" help:"How the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias (${default})."`
	JSON        bool     `name:"json" help:"Print the answer as JSON."`
}

// generated is the answer to one prompt.
type generated struct {
	Model          string          `json:"model"`
	PromptTokens   int             `json:"prompt_tokens"`
	PromptTokenIDs []int           `json:"prompt_token_ids"`
	TokenIDs       []int           `json:"token_ids"`
	Text           string          `json:"text"`
	FinishReason   string          `json:"finish_reason"` // "stop" or "length"
	Steps          []generatedStep `json:"steps,omitempty"`
}

// generatedStep is a token and its rivals.
type generatedStep struct {
	ID  int          `json:"id"`
	Top []tokenLogit `json:"top"` // the largest first
}

type tokenLogit struct {
	ID    int     `json:"id"`
	Logit float32 `json:"logit"`
}

// Run answers one prompt.
func (c *generateCmd) Run(ctx context.Context) error {
	model, err := c.open()
	if err != nil {
		return err
	}
	defer model.Close()
	warn(model.Warnings())
	answer, err := c.answer(ctx, model)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(answer)
	}
	for i, step := range answer.Steps {
		fmt.Fprintf(os.Stderr, "step %d: token %d of %v\n", i, step.ID, step.Top)
	}
	fmt.Println(answer.Text)
	return nil
}

// open opens the model; it refuses wrong flags before it loads anything.
func (c *generateCmd) open() (*vlm.Model, error) {
	mode, err := posembed.ParseMode(c.PosEmbed)
	if err != nil {
		return nil, usagef("--pos-embed: %w", err)
	}
	size, err := vlm.ParseImageSize(c.ImageSize)
	if err != nil {
		return nil, usagef("--image-size: %w", err)
	}
	arithmetic, err := c.arithmetic()
	if err != nil {
		return nil, err
	}
	switch {
	case c.MaxTokens < 1:
		return nil, usagef("--max-tokens %d: it is at least 1", c.MaxTokens)
	case !(c.Temperature >= 0) || math.IsInf(c.Temperature, 1):
		return nil, usagef("--temperature %v: it is 0 or more", c.Temperature)
	case c.Logits < 0:
		return nil, usagef("--logits %d: it is 0 or more", c.Logits)
	}
	if err := vlm.CheckName(c.Model); err != nil {
		return nil, usagef("--model: %w", err)
	}
	if strings.HasPrefix(c.Model, "random:") {
		warn([]string{c.Model + " has random weights: the answer is noise, the work is real"})
	}
	return vlm.Open(c.Model, vlm.Options{PosEmbed: mode, Threads: c.Threads, Seed: c.Seed, ImageSize: size, Arithmetic: arithmetic})
}

// answer generates until the end of the answer, MaxTokens, or a full context.
func (c *generateCmd) answer(ctx context.Context, m *vlm.Model) (*generated, error) {
	prompt, features, err := c.input(m)
	if err != nil {
		return nil, err
	}
	room := m.MaxModelLen() - len(prompt)
	if room < 1 {
		return nil, fmt.Errorf("the prompt has %d tokens and the model's context %d: shorten the prompt or use smaller images", len(prompt), m.MaxModelLen())
	}
	room = min(room, c.MaxTokens)
	sequence, logits := m.NewSequence(len(prompt)+room), make([]float32, m.VocabSize())
	prefill, err := m.Begin(sequence, prompt, features)
	for err == nil && prefill.Left() > 0 {
		const chunk = 512 // so that an interruption is seen
		if err = ctx.Err(); err == nil {
			err = m.Advance(prefill, chunk, logits)
		}
	}
	if err != nil {
		return nil, err
	}
	out := &generated{Model: c.Model, PromptTokens: len(prompt), PromptTokenIDs: prompt, FinishReason: "length"}
	choose := c.chooser(m.Tokenizer())
	for {
		token := choose(logits)
		out.TokenIDs = append(out.TokenIDs, token)
		if c.Logits > 0 {
			out.Steps = append(out.Steps, generatedStep{token, largest(logits, c.Logits)})
		}
		if !c.IgnoreEOS && m.Tokenizer().Ends(token) {
			out.FinishReason = "stop"
			break
		}
		if len(out.TokenIDs) == room {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.Step([]*vlm.Sequence{sequence}, []int{token}, [][]float32{logits}); err != nil {
			return nil, err
		}
	}
	out.Text = m.Tokenizer().Decode(out.TokenIDs)
	return out, nil
}

// input is the prompt's tokens and its images' features.
func (c *generateCmd) input(m *vlm.Model) ([]int, []vlm.Features, error) {
	if len(c.Image) > m.MaxImages() {
		return nil, nil, fmt.Errorf("%d images: the model takes at most %d", len(c.Image), m.MaxImages())
	}
	var images []image.Image
	for _, path := range c.Image {
		img, err := readImage(path)
		if err != nil {
			return nil, nil, err
		}
		images = append(images, img)
	}
	inputs, err := m.PreparePrompt(images)
	if err != nil {
		return nil, nil, err
	}
	var features []vlm.Features
	var lengths []int
	turn := tokenizer.Turn{Role: "user"}
	for _, in := range inputs {
		f, _, err := m.EncodeImage(in)
		if err != nil {
			return nil, nil, err
		}
		features, lengths = append(features, f), append(lengths, m.ImageTokens(in))
		turn.Parts = append(turn.Parts, tokenizer.Part{Image: true})
	}
	var prompt []int
	if c.Raw {
		prompt, err = m.Tokenizer().RawPrompt(c.Prompt, lengths)
	} else {
		turn.Parts = append(turn.Parts, tokenizer.Part{Text: c.Prompt})
		prompt, err = m.Tokenizer().ChatPrompt([]tokenizer.Turn{turn}, lengths)
	}
	return prompt, features, err
}

// chooser picks a token by its logit: the largest, or at a temperature by chance. The
// tokens that the model's generation suppresses are never picked.
func (c *generateCmd) chooser(t *tokenizer.Tokenizer) func(logits []float32) int {
	suppressed, rng := t.Suppressed(), rand.New(rand.NewPCG(c.Seed, 0))
	var rest []float32
	return func(logits []float32) int {
		rest = append(rest[:0], logits...)
		for _, id := range suppressed {
			if id < len(rest) {
				rest[id] = float32(math.Inf(-1))
			}
		}
		best := slices.Max(rest)
		if c.Temperature == 0 {
			return slices.Index(rest, best)
		}
		weights, sum := make([]float64, len(rest)), 0.0
		for i, v := range rest {
			weights[i] = math.Exp(float64(v-best) / c.Temperature)
			sum += weights[i]
		}
		at, last := rng.Float64()*sum, 0
		for i, w := range weights {
			if w == 0 {
				continue
			}
			if at, last = at-w, i; at < 0 {
				break
			}
		}
		return last
	}
}

// largest are the n largest logits, the lower id first among equals.
func largest(logits []float32, n int) []tokenLogit {
	ids := make([]int, len(logits))
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b)) })
	var top []tokenLogit
	for _, id := range ids[:min(n, len(ids))] {
		top = append(top, tokenLogit{id, logits[id]})
	}
	return top
}
