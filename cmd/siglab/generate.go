package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"slices"

	"siglab/engine/generate/sample"
	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
)

type generateCmd struct {
	languageFlags
	Model       string   `required:"" help:"Directory of a published model, or a preset with seeded random weights."`
	Image       []string `type:"path" help:"Image file; repeat it for several."`
	Prompt      string   `required:"" help:"What to ask, or with --raw the final text. An image stands before it, unless it has the model's image placeholder."`
	Raw         bool     `help:"The prompt is the final text: only its image placeholders are expanded."`
	MaxTokens   int      `name:"max-tokens" default:"64" help:"Most tokens to generate (${default})."`
	Temperature float64  `default:"0" help:"0 for the likeliest token always, else how freely to choose (${default})."`
	IgnoreEOS   bool     `name:"ignore-eos" help:"Go on behind the end of the answer."`
	Logits      int      `default:"0" help:"Report so many of the largest logits of every step."`
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
	return orInterrupted(ctx, func() error { return c.run(ctx) })
}

func (c *generateCmd) run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	model, err := c.open(c.Model, vlm.Options{})
	if err != nil {
		return err
	}
	defer model.Close()
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

// check refuses wrong flags before anything is loaded.
func (c *generateCmd) check() error {
	switch {
	case c.MaxTokens < 1:
		return usagef("--max-tokens %d: it is at least 1", c.MaxTokens)
	case !(c.Temperature >= 0) || math.IsInf(c.Temperature, 1):
		return usagef("--temperature %v: it is 0 or more", c.Temperature)
	case c.Logits < 0:
		return usagef("--logits %d: it is 0 or more", c.Logits)
	}
	return nil
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
	sampler := sample.New(sample.Params{Temperature: c.Temperature, Seed: c.Seed, Top: -1}, prompt, nil)
	suppressed := m.Tokenizer().Suppressed()
	for {
		var top []tokenLogit
		if c.Logits > 0 {
			top = largest(logits, c.Logits)
		}
		for _, id := range suppressed {
			if id < len(logits) {
				logits[id] = float32(math.Inf(-1))
			}
		}
		pick, err := sampler.Next(logits)
		if err != nil {
			return nil, err
		}
		token := pick.ID
		out.TokenIDs = append(out.TokenIDs, token)
		if c.Logits > 0 {
			out.Steps = append(out.Steps, generatedStep{token, top})
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
		prompt, err = m.Tokenizer().ChatPrompt([]tokenizer.Turn{turn}, lengths, tokenizer.AssistantOpen)
	}
	return prompt, features, err
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
