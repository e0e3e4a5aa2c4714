package vlm

import (
	"fmt"

	"siglab/engine/decoder"
	"siglab/engine/modelconfig"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/weights"
)

// architecture is what a model's configuration says: the shapes of its parts, the
// names of their tensors, and how an image takes part in a prompt.
type architecture struct {
	tower     siglip.Config
	projector projector.Config
	decoder   decoder.Config
	layout    weights.Layout

	imageToken int     // the id that stands for a row of an image's features
	prompt     sight   // what the tokens of a prompt see
	dropFirst  bool    // vision_feature_select_strategy "default": without the first feature
	tiling     *tiling // any-resolution; nil: an image is one tile
}

// sight is what the tokens of a prompt see; generated ones see all before them.
type sight uint8

const (
	causal      sight = iota // what is before them: LLaVA
	wholePrompt              // all of the prompt: PaliGemma's prefix
	wholeImages              // what is before them, an image's tokens also those behind them of the same image: Gemma 3
)

// The prefixes of canonical names: those of transformers 5 without its outer "model.".
const (
	towerPrefix     = "vision_tower."
	projectorPrefix = "multi_modal_projector."
	decoderPrefix   = "language_model."
	newlineName     = "image_newline"
)

// vlmPrefixes are the names of the vision-language models that transformers saved
// through the years. Before 4.52 the decoder was a whole language model with its head;
// since 5 a tower has no inner vision_model, and published files have both.
func vlmPrefixes() []weights.Prefix {
	return []weights.Prefix{
		{Stored: "vision_tower.vision_model.", Name: towerPrefix},
		{Stored: "model.vision_tower.vision_model.", Name: towerPrefix},
		{Stored: "model.vision_tower.", Name: towerPrefix},
		{Stored: "language_model.model.", Name: decoderPrefix},
		{Stored: "language_model.lm_head.", Name: "lm_head."},
		{Stored: "model.language_model.", Name: decoderPrefix},
		{Stored: "model.multi_modal_projector.", Name: projectorPrefix},
		{Stored: "model.image_newline", Name: newlineName},
	}
}

// parseArchitecture reads a model's configuration. The error has all that is wrong
// with it or not supported.
func parseArchitecture(o *modelconfig.Object) (architecture, error) {
	var a architecture
	o.Forbid("quantization_config", "", "quantised weights are not supported; use the model in bfloat16")
	switch kind := o.String("model_type", ""); kind {
	case "paligemma":
		a = parsePaliGemma(o)
	case "llava":
		a = parseLlava(o)
	case "llava_onevision":
		a = parseOneVision(o)
	case "gemma3":
		a = parseGemma3(o)
	case "siglip", "siglip2", "siglip_vision_model", "siglip2_vision_model":
		return a, fmt.Errorf("model_type %q is a vision tower without a language model: use it with embed", kind)
	default:
		return a, fmt.Errorf("model_type %q is not supported: want paligemma, llava, llava_onevision or gemma3, with a SigLIP vision tower", kind)
	}
	if err := o.Err(); err != nil {
		return a, err
	}
	a.layout = weights.Layout{Prefixes: vlmPrefixes(), Unused: []string{towerPrefix + "head."}}
	if a.decoder.TiedHead {
		a.layout.Unused = append(a.layout.Unused, "lm_head.")
	}
	if len(a.tower.States) > 0 {
		a.layout.Unused = append(a.layout.Unused, towerPrefix+"post_layernorm.")
		for i := range a.tower.Layers {
			if i >= a.tower.Blocks() {
				a.layout.Unused = append(a.layout.Unused, fmt.Sprintf("%sencoder.layers.%d.", towerPrefix, i))
			}
		}
	}
	return a, nil
}

// parseTower reads the vision_config of a model that takes features from its tower
// only, so that a pooling head is not needed. fallback is the tower's kind where the
// configuration does not say it.
func parseTower(o *modelconfig.Object, fallback string) siglip.Config {
	v := o.Object("vision_config")
	v.OneOf("model_type", fallback, "siglip_vision_model")
	c := siglip.ParseConfig(v)
	c.Head = false
	return c
}

// parseStates reads vision_feature_layer, which counts hidden states from 0, the
// embeddings, or from -1 backwards.
func parseStates(o *modelconfig.Object, layers, fallback int) []int {
	const key = "vision_feature_layer"
	states := o.Ints(key, fallback)
	if len(states) == 0 {
		o.Reject(key, "want at least one layer")
	}
	for i, s := range states {
		if s < 0 {
			s += layers + 1
		}
		if s < 0 || s > layers {
			o.Reject(key, "a tower of %d layers has the hidden states %d to %d", layers, -layers-1, layers)
			return nil
		}
		states[i] = s
	}
	return states
}

// parseDropFirst reads vision_feature_select_strategy.
func parseDropFirst(o *modelconfig.Object, fallback string) bool {
	return o.OneOf("vision_feature_select_strategy", fallback, "full", "default") == "default"
}

// parseTwoLayers reads LLaVA's projector.
func parseTwoLayers(o *modelconfig.Object, t siglip.Config, d decoder.Config) projector.Config {
	c := projector.Config{
		Kind: projector.TwoLayers, Vision: t.FeatureSize(), Hidden: d.Hidden,
		Bias: o.Bool("multimodal_projector_bias", true),
	}
	if o.OneOf("projector_hidden_act", "gelu", "gelu", "gelu_pytorch_tanh") != "gelu" {
		c.Activation = projector.GELUTanh
	}
	return c
}

// parseImageToken reads the id of the token that stands for image features.
func parseImageToken(o *modelconfig.Object, fallback int) int {
	return o.Int(o.FirstOf("image_token_index", "image_token_id"), fallback, 0, 1<<24)
}

// parseTied reads whether the head is tied, which a model or its language model says.
func parseTied(o *modelconfig.Object, d *decoder.Config, fallback bool) {
	d.TiedHead = o.Bool("tie_word_embeddings", fallback) || o.Object("text_config").Bool("tie_word_embeddings", false)
}
