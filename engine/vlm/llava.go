package vlm

import (
	"siglab/engine/decoder"
	"siglab/engine/modelconfig"
)

// parseLlava reads a LlavaForConditionalGeneration with a SigLIP tower: some of its
// hidden states, which the last norm has not seen; two layers; a Qwen2 or Llama.
func parseLlava(o *modelconfig.Object) architecture {
	a := architecture{
		tower:      parseTower(o, "clip_vision_model"),
		decoder:    decoder.ParseConfig(o.Object("text_config"), "llama"),
		imageToken: parseImageToken(o, 32000),
		dropFirst:  parseDropFirst(o, "default"),
	}
	parseTied(o, &a.decoder, false)
	a.tower.States = parseStates(o, a.tower.Layers, -2)
	a.projector = parseTwoLayers(o, a.tower, a.decoder)
	return a
}
