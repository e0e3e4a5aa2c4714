package tokenizer

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

// ChatPrompt lays the conversation out in ChatML and leaves the assistant's
// turn open:
//
//	<|im_start|>role\n … <|im_end|>\n … <|im_start|>assistant\n
//
// Each image part becomes imageTokens copies of [Tokenizer.ImageToken], none
// when imageTokens is not positive. Roles and texts are encoded as user text,
// so they cannot forge a turn.
func (t *Tokenizer) ChatPrompt(turns []Turn, imageTokens int) []int {
	var ids []int
	newline := t.Encode("\n")
	for _, turn := range turns {
		ids = append(ids, imStart)
		ids = append(ids, t.Encode(turn.Role+"\n")...)
		for _, part := range turn.Parts {
			ids = t.appendPart(ids, part, imageTokens)
		}
		ids = append(ids, imEnd)
		ids = append(ids, newline...)
	}
	ids = append(ids, imStart)
	return append(ids, t.Encode("assistant\n")...)
}

// appendPart appends the ids of one part of a message.
func (t *Tokenizer) appendPart(ids []int, part Part, imageTokens int) []int {
	if !part.Image {
		return append(ids, t.Encode(part.Text)...)
	}
	for range imageTokens {
		ids = append(ids, imagePad)
	}
	return ids
}
