// Package conformance_test holds the server to what OpenAI's own client library reads.
// It is apart from the server's tests, which would otherwise wait for the library to be
// compiled, also with the race detector's and the fuzzer's instruments.
package conformance_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"siglab/engine/generate"
	"siglab/engine/serve"
	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
)

// start runs a server of the tiny model until the test ends.
func start(t *testing.T, change func(*serve.Config)) (url string) {
	t.Helper()
	model, err := vlm.Open("random:tiny", vlm.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	c := serve.Config{Model: model, Version: "test"}
	if change != nil {
		change(&c)
	}
	s, err := serve.New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// red is a data URL of a red image.
func red(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// library is OpenAI's own client, which does not try again.
func library(url string, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

// ask is a chat request of a text and, if there is one, an image.
func ask(text, image string, tokens int64) openai.ChatCompletionNewParams {
	parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(text)}
	if image != "" {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: image}))
	}
	return openai.ChatCompletionNewParams{
		Model: "random:tiny", Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage(parts)},
		MaxCompletionTokens: openai.Int(tokens), Temperature: openai.Float(0),
	}
}

func ignoreEOS() option.RequestOption { return option.WithJSONSet("ignore_eos", true) }

// TestLibraryChat: the library's whole and streamed answers are the same.
func TestLibraryChat(t *testing.T) {
	client, red := library(start(t, nil), "x"), red(t)
	whole, err := client.Chat.Completions.New(t.Context(), ask("What is this?", red, 20), ignoreEOS())
	if err != nil {
		t.Fatal(err)
	}
	params := ask("What is this?", red, 20)
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(t.Context(), params, ignoreEOS())
	var sum openai.ChatCompletionAccumulator
	for stream.Next() {
		if !sum.AddChunk(stream.Current()) {
			t.Errorf("the library cannot add %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	a, b := whole.Choices[0], sum.Choices[0]
	if a.Message.Content == "" || a.Message.Content != b.Message.Content || a.FinishReason != "length" || b.FinishReason != "length" ||
		whole.Usage.CompletionTokens != 20 || sum.Usage.TotalTokens != whole.Usage.TotalTokens || whole.Object != "chat.completion" {
		t.Errorf("whole %s\nstream %+v", whole.RawJSON(), sum.ChatCompletion)
	}
}

func TestLibraryLogprobs(t *testing.T) {
	client := library(start(t, nil), "x")
	params := ask("Hello", "", 5)
	params.Logprobs, params.TopLogprobs = openai.Bool(true), openai.Int(3)
	r, err := client.Chat.Completions.New(t.Context(), params, ignoreEOS())
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, token := range r.Choices[0].Logprobs.Content {
		text += token.Token
		if len(token.TopLogprobs) != 3 || token.TopLogprobs[0].Logprob != token.Logprob || len(token.Bytes) != len(token.Token) {
			t.Errorf("token %+v", token)
		}
	}
	if text != r.Choices[0].Message.Content {
		t.Errorf("the tokens spell %q, the answer is %q", text, r.Choices[0].Message.Content)
	}
}

// TestLibraryCompletions: a text and its tokens have the same answer, whole and
// streamed, and its log probabilities fit it.
func TestLibraryCompletions(t *testing.T) {
	client := library(start(t, nil), "x")
	params := openai.CompletionNewParams{
		Model: "random:tiny", MaxTokens: openai.Int(12), Temperature: openai.Float(0), Logprobs: openai.Int(2),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Tell me about the")},
	}
	whole, err := client.Completions.New(t.Context(), params, ignoreEOS())
	if err != nil {
		t.Fatal(err)
	}
	answer := whole.Choices[0]
	if l := answer.Logprobs; strings.Join(l.Tokens, "") != answer.Text || len(l.TokenLogprobs) != 12 || len(l.TopLogprobs) != 12 || len(l.TopLogprobs[0]) != 2 ||
		l.TextOffset[0] != 0 || l.TextOffset[1] != int64(len(l.Tokens[0])) || answer.FinishReason != "length" {
		t.Errorf("answer %s", whole.RawJSON())
	}
	stream := client.Completions.NewStreaming(t.Context(), params, ignoreEOS())
	text, offsets := "", []int64{}
	for stream.Next() {
		for _, c := range stream.Current().Choices {
			text += c.Text
			offsets = append(offsets, c.Logprobs.TextOffset...)
		}
	}
	if err := stream.Err(); err != nil || text != answer.Text || len(offsets) != 12 || offsets[11] != answer.Logprobs.TextOffset[11] {
		t.Errorf("stream %q with offsets %v, whole %q, error %v", text, offsets, answer.Text, err)
	}
	tokens := make([]int64, 0, 8)
	ids, err := tokenizer.NewTiny().Encode("Tell me about the", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		tokens = append(tokens, int64(id))
	}
	params.Prompt = openai.CompletionNewParamsPromptUnion{OfArrayOfTokens: tokens}
	again, err := client.Completions.New(t.Context(), params, ignoreEOS())
	if err != nil || again.Choices[0].Text != answer.Text || again.Usage.PromptTokens != int64(len(tokens)) {
		t.Errorf("from tokens %+v, from text %q, error %v", again, answer.Text, err)
	}
}

// TestLibraryErrors: the library sees statuses, types, parameters and messages.
func TestLibraryErrors(t *testing.T) {
	tests := []struct {
		name   string
		change func(*openai.ChatCompletionNewParams)
		key    string
		want   openai.Error
	}{
		{"another model", func(p *openai.ChatCompletionNewParams) { p.Model = "gpt-9" }, "secret",
			openai.Error{StatusCode: 404, Type: "NotFoundError", Param: "model", Message: "The model `gpt-9` does not exist."}},
		{"too many tokens", func(p *openai.ChatCompletionNewParams) { p.MaxCompletionTokens = openai.Int(5000) }, "secret",
			openai.Error{StatusCode: 400, Type: "BadRequestError", Param: "max_completion_tokens", Message: "max_completion_tokens=5000 cannot be greater than max_model_len=2048."}},
		{"two answers", func(p *openai.ChatCompletionNewParams) { p.N = openai.Int(2) }, "secret",
			openai.Error{StatusCode: 400, Type: "BadRequestError", Param: "n", Message: "n must be 1"}},
		{"a penalty out of range", func(p *openai.ChatCompletionNewParams) { p.PresencePenalty = openai.Float(3) }, "secret",
			openai.Error{StatusCode: 400, Type: "BadRequestError", Param: "presence_penalty", Message: "presence_penalty must be in [-2, 2], got 3.0. (parameter=presence_penalty, value=3.0)"}},
		{"the wrong key", func(*openai.ChatCompletionNewParams) {}, "guess", openai.Error{StatusCode: 401, Type: "AuthenticationError", Message: "Unauthorized"}},
	}
	url := start(t, func(c *serve.Config) { c.APIKey = "secret" })
	for _, tt := range tests {
		params := ask("x", "", 5)
		tt.change(&params)
		client := library(url, tt.key)
		_, err := client.Chat.Completions.New(t.Context(), params)
		stream := client.Chat.Completions.NewStreaming(t.Context(), params)
		for stream.Next() {
			t.Errorf("%s: an event came", tt.name)
		}
		for _, err := range []error{err, stream.Err()} {
			var got *openai.Error
			if !errors.As(err, &got) || got.StatusCode != tt.want.StatusCode || got.Type != tt.want.Type || got.Param != tt.want.Param || !strings.HasPrefix(got.Message, tt.want.Message) {
				t.Errorf("%s: %v, want %d %s", tt.name, err, tt.want.StatusCode, tt.want.Message)
			}
		}
	}
	client := library(url, "secret")
	if models, err := client.Models.List(t.Context()); err != nil || len(models.Data) != 1 || models.Data[0].ID != "random:tiny" {
		t.Errorf("models %+v, error %v", models, err)
	}
	r, err := http.Get(url + "/health")
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("health without the key: %v, error %v", r, err)
	}
	_ = r.Body.Close()
}

// TestLibraryCancel: the end of the client's context frees the only slot.
func TestLibraryCancel(t *testing.T) {
	client := library(start(t, func(c *serve.Config) { c.Engine = generate.Config{MaxSeqs: 1} }), "x")
	ctx, cancel := context.WithCancel(t.Context())
	stream := client.Chat.Completions.NewStreaming(ctx, ask("x", "", 2000), ignoreEOS())
	for range 3 {
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
	}
	cancel()
	for stream.Next() { // what was on its way
	}
	if err := stream.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if r, err := client.Chat.Completions.New(t.Context(), ask("next", "", 3), ignoreEOS()); err != nil || r.Usage.CompletionTokens != 3 {
		t.Errorf("the next request: %+v, error %v", r, err)
	}
}
