package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"image"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/imageprep"
	"siglab/engine/tokenizer"
)

// prompt is what the model takes in.
type prompt struct {
	tokens []int
	images []generate.Image
}

// chatPrompt lays a conversation out, with the assistant's turn begun unless asked
// not to.
func (s *Server) chatPrompt(ctx context.Context, messages []chatapi.Message, begin *bool) (prompt, error) {
	turns, images, err := s.conversation(ctx, messages)
	if err != nil {
		return prompt{}, err
	}
	var lengths []int
	for _, image := range images {
		lengths = append(lengths, image.Tokens)
	}
	ending := tokenizer.AssistantOpen
	if begin != nil && !*begin {
		ending = tokenizer.AsGiven
	}
	release, err := s.takeText(ctx, textBytes(messages))
	if err != nil {
		return prompt{}, err
	}
	defer release()
	tokens, err := s.config.Model.Tokenizer().ChatPrompt(turns, lengths, ending)
	if err != nil {
		return prompt{}, badRequest("messages", "The conversation does not become a prompt of this model: %v", err)
	}
	return prompt{tokens, images}, nil
}

// textBytes is the length of all texts.
func textBytes(messages []chatapi.Message) int {
	bytes := 0
	for _, m := range messages {
		for _, part := range m.Content {
			bytes += len(part.Text)
		}
	}
	return bytes
}

// conversation takes the messages apart into turns of text and images.
func (s *Server) conversation(ctx context.Context, messages []chatapi.Message) ([]tokenizer.Turn, []generate.Image, error) {
	if messages == nil {
		return nil, nil, invalidBody("body.messages", "1 validation error: body.messages: Field required.")
	}
	if len(messages) == 0 {
		return nil, nil, badRequest("messages", "messages: at least one message is required.")
	}
	if err := s.checkParts(messages); err != nil { // before any image is decoded
		return nil, nil, err
	}
	var turns []tokenizer.Turn
	var urls []string
	for _, m := range messages {
		turn := tokenizer.Turn{Role: m.Role}
		for _, part := range m.Content {
			if part.ImageURL == nil {
				turn.Parts = append(turn.Parts, tokenizer.Part{Text: part.Text})
				continue
			}
			urls = append(urls, part.ImageURL.URL)
			turn.Parts = append(turn.Parts, tokenizer.Part{Image: true})
		}
		turns = append(turns, turn)
	}
	images, err := s.images(ctx, urls)
	return turns, images, err
}

// checkParts reports too much text, roles and parts that the model does not know, and
// too many images.
func (s *Server) checkParts(messages []chatapi.Message) error {
	if err := checkText(textBytes(messages)); err != nil {
		return err
	}
	images := 0
	for i, m := range messages {
		switch m.Role {
		case "system", "user", "assistant", "developer":
		default:
			return badRequest("messages", "messages[%d].role must be system, developer, user or assistant, got %q.", i, m.Role)
		}
		for _, part := range m.Content {
			switch {
			case part.Type == "text" && part.ImageURL == nil:
			case part.Type == "image_url" && part.ImageURL != nil:
				images++
			case part.Type == "video_url":
				return badRequest("video", "At most 0 video(s) may be provided in one prompt. (parameter=video)")
			case part.Type == "audio_url" || part.Type == "input_audio":
				return badRequest("audio", "At most 0 audio(s) may be provided in one prompt. (parameter=audio)")
			default:
				return badRequest("messages", "messages[%d].content: a part must be text with its text, or image_url with its image_url, got %.40q.", i, part.Type)
			}
		}
	}
	if most := s.config.Model.MaxImages(); images > most {
		return badRequest("image", "At most %d image(s) may be provided in one prompt. (parameter=image)", most)
	}
	return nil
}

// images loads the images of a prompt and prepares them for the model, together, since
// some models treat several otherwise than one. As many prompts as there are slots do so
// at a time, which bounds the memory that it takes.
func (s *Server) images(ctx context.Context, urls []string) ([]generate.Image, error) {
	if len(urls) == 0 {
		return nil, nil
	}
	files := make([][]byte, len(urls))
	for i, url := range urls {
		var err error
		if files[i], err = s.loader.Load(ctx, url); err != nil {
			return nil, err
		}
	}
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	decoded := make([]image.Image, len(files))
	for i, data := range files {
		err := ctx.Err() // each may take seconds
		if err != nil {
			return nil, err
		}
		if decoded[i], _, err = imageprep.Decode(data, s.limits); err != nil {
			return nil, badRequest("", "Failed to load image: %v", err)
		}
	}
	inputs, err := s.config.Model.PreparePrompt(decoded)
	if err != nil {
		return nil, badRequest("", "Failed to prepare image: %v", err)
	}
	images := make([]generate.Image, len(inputs))
	for i, in := range inputs {
		images[i] = generate.Image{Tokens: s.config.Model.ImageTokens(in), Input: in}
		if images[i].Tokens == 0 {
			return nil, badRequest("", "Failed to prepare image: its %dx%d pixels (height x width) leave no features for this model.", in.Height, in.Width)
		}
		if s.config.Engine.EncoderCache > 0 || s.config.Engine.PrefixCache {
			images[i].Key = fmt.Sprintf("%x %dx%d in %d tiles of %dx%d", sha256.Sum256(files[i]), in.Rows, in.Cols, in.Tiles, in.Height, in.Width)
		}
	}
	return images, nil
}
