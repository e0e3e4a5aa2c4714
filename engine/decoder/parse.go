package decoder

import (
	"math"

	"siglab/engine/modelconfig"
)

// The largest sizes that are believed; published decoders are far smaller.
const (
	maxHidden    = 1 << 17
	maxMLP       = 1 << 20
	maxLayers    = 1 << 10
	maxVocab     = 1 << 24
	maxPositions = 1 << 24
)

// ParseConfig reads the text_config of a Qwen2, Llama, Gemma or Gemma 3 model, with
// transformers' defaults; fallback is the model_type of an object that has none. What
// is wrong, or is not computed here, is in the object's Err.
func ParseConfig(o *modelconfig.Object, fallback string) Config {
	o.Forbid("quantization_config", "", "quantised weights are not supported; use the model in bfloat16")
	switch kind := o.OneOf("model_type", fallback, "qwen2", "llama", "gemma", "gemma3_text"); kind {
	case "qwen2":
		c := parseCommon(o, sizes{vocab: 151936, hidden: 4096, mlp: 22016, layers: 32, heads: 32, kvHeads: 32, positions: 32768})
		c.Biases = QueryKeyValue
		c.Activation = parseActivation(o, "hidden_act", "silu")
		c.Rotary = parseRotary(o.Object(rotaryKey(o)), o.Float("rope_theta", 1e4), c)
		c.Local = c.Rotary
		c.Windows = parseWindows(o, c.Layers, qwenLayers(o))
		return c
	case "llama":
		heads := o.Int("num_attention_heads", 32, 1, maxHidden)
		c := parseCommon(o, sizes{vocab: 32000, hidden: 4096, mlp: 11008, layers: 32, heads: 32, kvHeads: heads, positions: 2048})
		o.Forbid("sliding_window", "", "Llama has no sliding window here")
		if o.Bool("attention_bias", false) {
			c.Biases |= QueryKeyValue | AttentionOut
		}
		if o.Bool("mlp_bias", false) {
			c.Biases |= GatedMLP
		}
		c.Activation = parseActivation(o, "hidden_act", "silu")
		c.Rotary = parseRotary(o.Object(rotaryKey(o)), o.Float("rope_theta", 1e4), c)
		return c
	case "gemma":
		c := parseCommon(o, sizes{vocab: 256000, hidden: 3072, mlp: 24576, layers: 28, heads: 16, kvHeads: 16, headDim: 256, positions: 8192})
		parseGemma(o, &c)
		o.Forbid("sliding_window", "", "Gemma has no sliding window here")
		// Gemma's releases say "gelu" and mean the tanh form, as transformers knows.
		o.OneOf("hidden_act", "gelu_pytorch_tanh", "gelu_pytorch_tanh", "gelu")
		if key := "hidden_activation"; o.Has(key) {
			o.OneOf(key, "gelu_pytorch_tanh", "gelu_pytorch_tanh")
		}
		c.Activation = GELUTanh
		c.Rotary = parseRotary(o.Object(rotaryKey(o)), o.Float("rope_theta", 1e4), c)
		return c
	case "gemma3_text":
		c := parseCommon(o, sizes{vocab: 262208, hidden: 2304, mlp: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256, positions: 131072})
		parseGemma(o, &c)
		parseGemma3(o, &c)
		return c
	}
	return Config{}
}

// sizes are a family's defaults.
type sizes struct{ vocab, hidden, mlp, layers, heads, kvHeads, headDim, positions int }

// parseCommon reads what all families have.
func parseCommon(o *modelconfig.Object, d sizes) Config {
	c := Config{
		Hidden:         o.Int("hidden_size", d.hidden, 1, maxHidden),
		Layers:         o.Int("num_hidden_layers", d.layers, 1, maxLayers),
		Heads:          o.Int("num_attention_heads", d.heads, 1, maxHidden),
		MLP:            o.Int("intermediate_size", d.mlp, 1, maxMLP),
		Vocab:          o.Int("vocab_size", d.vocab, 1, maxVocab),
		MaxPositions:   o.Int("max_position_embeddings", d.positions, 1, maxPositions),
		Eps:            o.Float("rms_norm_eps", 1e-6),
		EmbeddingScale: 1,
		TiedHead:       o.Bool("tie_word_embeddings", false),
	}
	c.KVHeads = o.Int("num_key_value_heads", d.kvHeads, 1, maxHidden)
	if c.KVHeads > 0 && c.Heads%c.KVHeads != 0 {
		o.Reject("num_key_value_heads", "%d query heads cannot share them", c.Heads)
	}
	if d.headDim == 0 && c.Heads > 0 {
		d.headDim = c.Hidden / c.Heads
		if !o.Has("head_dim") && c.Hidden%c.Heads != 0 {
			o.Reject("num_attention_heads", "hidden_size %d does not split into as many heads", c.Hidden)
		}
	}
	c.HeadDim = o.Int("head_dim", d.headDim, 1, maxHidden)
	if c.HeadDim%2 != 0 {
		o.Reject("head_dim", "heads of %d values do not split into pairs for rotary positions", c.HeadDim)
	}
	c.Scale = float32(1 / math.Sqrt(float64(c.HeadDim)))
	return c
}

func parseActivation(o *modelconfig.Object, key, fallback string) Activation {
	if o.OneOf(key, fallback, "silu", "gelu_pytorch_tanh") == "silu" {
		return SiLU
	}
	return GELUTanh
}

// parseGemma is what Gemma's generations have in common.
func parseGemma(o *modelconfig.Object, c *Config) {
	c.TiedHead = o.Bool("tie_word_embeddings", true)
	c.EmbeddingScale = float32(math.Sqrt(float64(c.Hidden)))
	c.NormOffset = 1
	if o.Bool("attention_bias", false) {
		c.Biases |= QueryKeyValue | AttentionOut
	}
}

// parseGemma3 reads what is new in Gemma 3: two kinds of blocks.
func parseGemma3(o *modelconfig.Object, c *Config) {
	c.Norms = SandwichNorm
	c.Activation = parseActivation(o, "hidden_activation", "gelu_pytorch_tanh")
	c.Scale = float32(1 / math.Sqrt(float64(o.Int("query_pre_attn_scalar", 256, 1, maxHidden))))
	o.Forbid("attn_logit_softcapping", "", "soft capping of attention scores is not supported")
	o.Forbid("final_logit_softcapping", "", "soft capping of logits is not supported")
	o.Forbid("use_bidirectional_attention", "false", "a decoder that sees the future is not supported")

	every := o.Int("sliding_window_pattern", 6, 1, maxLayers)
	kinds := make([]string, c.Layers)
	for i := range kinds {
		kinds[i] = slidingAttention
		if (i+1)%max(every, 1) == 0 {
			kinds[i] = fullAttention
		}
	}
	c.Windows = parseWindows(o, c.Layers, layerKinds{kinds, o.Int("sliding_window", 4096, 1, maxPositions)})

	rotary := o.Object("rope_parameters")
	global := rotary.Object(fullAttention)
	if o.Has("rope_scaling") {
		global = o.Object("rope_scaling")
	}
	c.Rotary = parseRotary(global, o.Float("rope_theta", 1e6), *c)
	c.Local = parseRotary(rotary.Object(slidingAttention), o.Float("rope_local_base_freq", 1e4), *c)
}

// The kinds of blocks in layer_types.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// layerKinds are the kinds of blocks where layer_types is missing, and the window of
// sliding ones.
type layerKinds struct {
	kinds  []string
	window int
}

// qwenLayers are Qwen2's: with use_sliding_window the blocks from max_window_layers on
// see a window.
func qwenLayers(o *modelconfig.Object) layerKinds {
	if !o.Bool("use_sliding_window", false) {
		return layerKinds{}
	}
	l := layerKinds{window: o.Int("sliding_window", 4096, 1, maxPositions)}
	for i := range o.Int("num_hidden_layers", 32, 1, maxLayers) {
		kind := fullAttention
		if i >= o.Int("max_window_layers", 28, 0, maxPositions) {
			kind = slidingAttention
		}
		l.kinds = append(l.kinds, kind)
	}
	return l
}

// parseWindows is the window of every block, nil if all see everything.
func parseWindows(o *modelconfig.Object, layers int, l layerKinds) []int {
	kinds := o.Strings("layer_types")
	if kinds == nil {
		kinds = l.kinds
	}
	if kinds == nil {
		return nil
	}
	if len(kinds) != layers {
		o.Reject("layer_types", "want one for each of %d layers", layers)
		return nil
	}
	windows, any := make([]int, layers), false
	for i, kind := range kinds {
		switch {
		case kind == fullAttention:
		case kind == slidingAttention && l.window > 0:
			windows[i], any = l.window, true
		default:
			o.Reject("layer_types", "layer %d is %q: want %q, or with a sliding window %q", i, kind, fullAttention, slidingAttention)
			return nil
		}
	}
	if !any {
		return nil
	}
	return windows
}

// rotaryKey is where a configuration keeps its rotary parameters: newer ones in
// rope_parameters, older ones only what is scaled, in rope_scaling.
func rotaryKey(o *modelconfig.Object) string { return o.FirstOf("rope_scaling", "rope_parameters") }

// parseRotary reads rotary parameters; theta is the one given outside of them.
func parseRotary(o *modelconfig.Object, theta float64, c Config) Rotary {
	r := Rotary{Theta: o.Float("rope_theta", theta)}
	if o.Has("partial_rotary_factor") && o.Float("partial_rotary_factor", 1) != 1 {
		o.Reject("partial_rotary_factor", "rotary positions of a part of each head are not supported")
	}
	switch o.OneOf(o.FirstOf("rope_type", "type"), "default", "default", "linear", "llama3") {
	case "linear":
		r.Scaling, r.Factor = Linear, o.Float("factor", 1)
	case "llama3":
		r.Scaling = Llama3
		r.Factor, r.Low, r.High = o.Float("factor", 8), o.Float("low_freq_factor", 1), o.Float("high_freq_factor", 4)
		r.Original = float64(o.Int("original_max_position_embeddings", c.MaxPositions, 1, maxPositions))
		if r.High <= r.Low {
			o.Reject("high_freq_factor", "want more than low_freq_factor, %g", r.Low)
		}
	}
	return r
}
