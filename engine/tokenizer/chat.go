package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"siglab/engine/tokenizer/chattemplate"
)

// Turn is one message of a conversation.
type Turn struct {
	Role  string // "system", "user" or "assistant"
	Parts []Part // in reading order
}

// Part is a piece of a message: an image, or else text.
type Part struct {
	Text  string // used when Image is false
	Image bool   // stands for one image; its pixels travel separately
}

// layout is how a conversation becomes a prompt.
type layout int

const (
	layoutNone      layout = iota // the directory has no chat template
	layoutTiny                    // ChatML by ids
	layoutTemplate                // the directory's chat template
	layoutPaliGemma               // <image>… <bos> prompt newline
)

// Ending is how the prompt of a conversation ends.
type Ending int

// The endings of a conversation.
const (
	AssistantOpen Ending = iota // the assistant's turn is begun: it answers
	AsGiven                     // with the last turn (add_generation_prompt = false)
)

// ChatPrompt lays the conversation out, with the given ending. The image of number i, counted over all turns, becomes imageTokens[i] copies
// of [Tokenizer.ImageToken], where the template places it.
//
// A published model's chat template is rendered with the messages, the ending
// being its add_generation_prompt; see [Tokenizer.ChatText]. PaliGemma has no template
// and no turns: its prompt is the images, <bos>, the texts of all turns joined
// by newlines, and a newline, whatever the ending. The tiny vocabulary has ChatML:
//
//	<|im_start|>role\n … <|im_end|>\n … <|im_start|>assistant\n
func (t *Tokenizer) ChatPrompt(turns []Turn, imageTokens []int, ending Ending) ([]int, error) {
	images := 0
	for _, turn := range turns {
		images += turn.images()
	}
	if images != len(imageTokens) {
		return nil, fmt.Errorf("the conversation has %d images, but the lengths of %d are given", images, len(imageTokens))
	}
	if t.layout == layoutTiny {
		return t.tinyChat(turns, imageTokens, ending), nil
	}
	text, err := t.ChatText(turns, ending)
	if err != nil {
		return nil, err
	}
	return t.expanded(text, imageTokens)
}

// ChatText returns the text of [Tokenizer.ChatPrompt], with one image token's
// text for each image. It fails for the tiny vocabulary, whose special tokens
// have no text, and for models without a chat template.
//
// A template that goes through the parts of a message is given them. Any other
// gets one string for each message, as in vLLM: a line for each image, then
// the texts, joined by newlines. An image that has its placeholder in the texts
// of its message stands there, and not before them.
func (t *Tokenizer) ChatText(turns []Turn, ending Ending) (string, error) {
	switch t.layout {
	case layoutPaliGemma:
		return t.paliGemmaText(turns), nil
	case layoutTemplate:
		return t.template.Render(t.messages(turns), ending == AssistantOpen, t.variables, time.Now())
	}
	return "", fmt.Errorf("the model has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json): give the final text of the prompt instead")
}

// RawPrompt returns the ids of a prompt whose text is final but for its image
// placeholders: the image token's text of number i becomes imageTokens[i]
// copies. The tokens that the model expects around a text are added, unless
// text begins with the beginning of sequence already.
//
// The text of a PaliGemma prompt gets what its processor adds, unless it has a
// <bos>: the images in front if no placeholder is there, <bos> after the last
// image, and a newline at the end.
func (t *Tokenizer) RawPrompt(text string, imageTokens []int) ([]int, error) {
	switch t.layout {
	case layoutTiny:
		var ids []int
		for i, part := range strings.Split(text, t.imageText) {
			if i > 0 {
				ids = append(ids, t.image)
			}
			part, err := t.Encode(part, false)
			if err != nil {
				return nil, err
			}
			ids = append(ids, part...)
		}
		return t.expand(ids, imageTokens)
	case layoutPaliGemma:
		text = t.paliGemmaRaw(text, len(imageTokens))
	}
	return t.expanded(text, imageTokens)
}

// expanded encodes the text of a prompt and expands its images.
func (t *Tokenizer) expanded(text string, imageTokens []int) ([]int, error) {
	frame := t.layout != layoutPaliGemma && (t.bosText == "" || !strings.HasPrefix(text, t.bosText))
	if t.imageBegin != "" {
		text = strings.ReplaceAll(text, t.imageBegin, t.imageFrame)
	}
	ids, err := t.Encode(text, frame)
	if err != nil {
		return nil, err
	}
	return t.expand(ids, imageTokens)
}

// expand replaces each image token by as many copies as its image has vectors.
func (t *Tokenizer) expand(ids, imageTokens []int) ([]int, error) {
	total, found := 0, 0
	for _, id := range ids {
		if id == t.image {
			found++
		}
	}
	for i, n := range imageTokens {
		if n < 0 {
			return nil, fmt.Errorf("image %d has %d tokens", i, n)
		}
		total += n
	}
	if found != len(imageTokens) {
		return nil, fmt.Errorf("the prompt has the image token %q %d times, for %d images", t.imageText, found, len(imageTokens))
	}
	if found == 0 {
		return ids, nil
	}
	out := make([]int, 0, len(ids)-found+total)
	image := 0
	for _, id := range ids {
		if id != t.image {
			out = append(out, id)
			continue
		}
		out = append(out, slices.Repeat([]int{id}, imageTokens[image])...)
		image++
	}
	return out, nil
}

// messages are turns as the template wants them.
func (t *Tokenizer) messages(turns []Turn) []chattemplate.Message {
	messages := make([]chattemplate.Message, len(turns))
	for i, turn := range turns {
		messages[i].Role = turn.Role
		var parts []chattemplate.Part
		var texts []string
		missing := turn.images() - t.placeholders(turn)
		lines := slices.Repeat([]string{t.imageText}, max(0, missing))
		for _, part := range turn.Parts {
			if part.Image {
				if missing--; missing < 0 {
					continue
				}
			} else {
				texts = append(texts, part.Text)
			}
			parts = append(parts, chattemplate.Part{Image: part.Image, Text: part.Text})
		}
		if t.parts {
			messages[i].Parts = parts
		} else {
			messages[i].Text = strings.Join(append(lines, texts...), "\n")
		}
	}
	return messages
}

// images is the number of the turn's images.
func (t Turn) images() int {
	n := 0
	for _, part := range t.Parts {
		if part.Image {
			n++
		}
	}
	return n
}

// placeholders is how often the texts of a turn have what stands for an image.
func (t *Tokenizer) placeholders(turn Turn) int {
	n := 0
	if placeholder := cmp.Or(t.imageBegin, t.imageText); placeholder != "" {
		for _, part := range turn.Parts {
			n += strings.Count(part.Text, placeholder)
		}
	}
	return n
}

// paliGemmaText lays a conversation out as PaliGemma's processor does.
func (t *Tokenizer) paliGemmaText(turns []Turn) string {
	var text []string
	images := 0
	for _, turn := range turns {
		images += turn.images() - t.placeholders(turn)
		for _, part := range turn.Parts {
			if !part.Image {
				text = append(text, part.Text)
			}
		}
	}
	joined := strings.Join(text, "\n")
	if last := strings.LastIndex(joined, t.imageText); last >= 0 {
		last += len(t.imageText) // the images are before the <bos>, wherever they stand
		return strings.Repeat(t.imageText, max(0, images)) + joined[:last] + t.bosText + joined[last:] + "\n"
	}
	return strings.Repeat(t.imageText, images) + t.bosText + joined + "\n"
}

// paliGemmaRaw completes a text as PaliGemma's processor does (transformers
// 5.19, models/paligemma/processing_paligemma.py, prepare_inputs_layout).
func (t *Tokenizer) paliGemmaRaw(text string, images int) string {
	if strings.Contains(text, t.bosText) {
		return text
	}
	last := strings.LastIndex(text, t.imageText)
	if last < 0 {
		return strings.Repeat(t.imageText, images) + t.bosText + text + "\n"
	}
	last += len(t.imageText)
	return text[:last] + t.bosText + text[last:] + "\n"
}

// tinyChat lays a conversation out in ChatML. Roles and texts are encoded as
// user text, so they cannot forge a turn.
func (t *Tokenizer) tinyChat(turns []Turn, imageTokens []int, ending Ending) []int {
	v, _ := t.vocabulary.(*tinyVocabulary)
	var ids []int
	newline := v.encode("\n")
	image := 0
	for _, turn := range turns {
		ids = append(ids, imStart)
		ids = append(ids, v.encode(turn.Role+"\n")...)
		for _, part := range turn.Parts {
			if !part.Image {
				ids = append(ids, v.encode(part.Text)...)
				continue
			}
			ids = append(ids, slices.Repeat([]int{imagePad}, max(imageTokens[image], 0))...)
			image++
		}
		ids = append(ids, imEnd)
		ids = append(ids, newline...)
	}
	if ending == AsGiven {
		return ids
	}
	ids = append(ids, imStart)
	return append(ids, v.encode("assistant\n")...)
}
