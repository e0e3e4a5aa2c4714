package vlm

import (
	"siglab/engine/decoder"
	"siglab/engine/modelconfig"
	"siglab/engine/projector"
)

// parsePaliGemma reads a PaliGemmaForConditionalGeneration: a SigLIP tower, of which
// the last norm's output is taken; one linear layer; a Gemma whose prompt, image and
// text, sees itself both ways; positions that begin at 1. Token embeddings are
// scaled, image features are not.
func parsePaliGemma(o *modelconfig.Object) architecture {
	a := architecture{
		tower:      parseTower(o, "siglip_vision_model"),
		decoder:    decoder.ParseConfig(o.Object("text_config"), "gemma"),
		imageToken: parseImageToken(o, 256000),
		prompt:     wholePrompt,
	}
	parseTied(o, &a.decoder, true)
	a.decoder.FirstPosition = 1
	if d := o.Int("projection_dim", 2048, 1, 1<<17); d != a.decoder.Hidden {
		o.Reject("projection_dim", "want %d, the language model's hidden_size", a.decoder.Hidden)
	}
	a.projector = projector.Config{Kind: projector.OneLayer, Vision: a.tower.FeatureSize(), Hidden: a.decoder.Hidden}
	return a
}
