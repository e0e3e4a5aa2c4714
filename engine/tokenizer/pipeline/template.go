package pipeline

import (
	"fmt"
	"slices"
)

// templatePiece is a part of a framed text: the text itself, or ids.
type templatePiece struct {
	text bool
	ids  []int
}

// maxFrame bounds the ids around a text.
const maxFrame = 1024

// templateItem is {"SpecialToken": {"id": …}} or {"Sequence": {"id": …}}.
type templateItem struct {
	SpecialToken *struct {
		ID string `json:"id"`
	}
	Sequence *struct {
		ID string `json:"id"`
	}
}

// templateIDs is what a special token of a template stands for.
type templateIDs struct {
	IDs []int `json:"ids"`
}

// newTemplate builds the frame of a post-processor of tokenizer.json.
func newTemplate(c component) ([]templatePiece, error) {
	switch c.Type {
	case "ByteLevel": // moves offsets only
		return nil, nil
	case "Sequence":
		frame := []templatePiece{{text: true}}
		for _, inner := range c.Processors {
			outer, err := newTemplate(inner)
			if err != nil {
				return nil, err
			}
			if outer == nil {
				continue
			}
			i := slices.IndexFunc(outer, func(p templatePiece) bool { return p.text })
			frame = slices.Concat(outer[:i], frame, outer[i+1:])
			if len(frame) > maxFrame {
				return nil, fmt.Errorf("post_processor %q adds more than %d tokens", c.Type, maxFrame)
			}
		}
		return frame, nil
	case "TemplateProcessing":
		return parseTemplate(c)
	}
	return nil, fmt.Errorf("post_processor %q is not supported", c.Type)
}

func parseTemplate(c component) ([]templatePiece, error) {
	var frame []templatePiece
	texts, added := 0, 0
	for _, item := range c.Single {
		switch {
		case item.Sequence != nil && item.Sequence.ID == "A":
			frame = append(frame, templatePiece{text: true})
			texts++
		case item.SpecialToken != nil:
			ids, ok := c.SpecialTokens[item.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("post_processor %q names %q, which is not in its special_tokens", c.Type, item.SpecialToken.ID)
			}
			frame = append(frame, templatePiece{ids: ids.IDs})
			added += len(ids.IDs)
		default:
			return nil, fmt.Errorf("post_processor %q has an item that is neither a SpecialToken nor Sequence A", c.Type)
		}
	}
	if texts != 1 || added > maxFrame {
		return nil, fmt.Errorf("post_processor %q holds the text %d times and %d tokens; 1 and at most %d are supported", c.Type, texts, added, maxFrame)
	}
	return frame, nil
}

// checkTemplate wants a token for each id of the frame.
func (p *Pipeline) checkTemplate() error {
	for _, piece := range p.template {
		for _, id := range piece.ids {
			if _, ok := p.Token(id); !ok {
				return fmt.Errorf("post_processor: id %d has no token", id)
			}
		}
	}
	return nil
}
