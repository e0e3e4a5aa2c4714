package vlm

import (
	"math"

	"siglab/engine/decoder"
	"siglab/engine/modelconfig"
	"siglab/engine/projector"
)

// parseGemma3 reads a Gemma3ForConditionalGeneration: a SigLIP tower, averages of
// squares of its features, one linear layer, a Gemma 3 in which the tokens of an image
// see each other both ways.
func parseGemma3(o *modelconfig.Object) architecture {
	a := architecture{
		tower:      parseTower(o, "siglip_vision_model"),
		decoder:    decoder.ParseConfig(o.Object("text_config"), "gemma3_text"),
		imageToken: parseImageToken(o, 262144),
		prompt:     wholeImages,
	}
	parseTied(o, &a.decoder, true)
	tokens := o.Int("mm_tokens_per_image", 256, 1, 1<<20)
	side := max(1, int(math.Sqrt(float64(tokens))))
	if side*side != tokens || a.tower.Trained.Rows%side != 0 {
		o.Reject("mm_tokens_per_image", "want a square whose side divides the tower's grid of %v", a.tower.Trained)
	}
	a.projector = projector.Config{
		Kind: projector.Pooled, Vision: a.tower.FeatureSize(), Hidden: a.decoder.Hidden,
		Eps: a.tower.Eps, Side: max(1, a.tower.Trained.Rows/side),
	}
	return a
}
