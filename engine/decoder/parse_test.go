package decoder_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/engine/decoder"
	"siglab/engine/modelconfig"
)

func parse(t *testing.T, data string) (decoder.Config, error) {
	t.Helper()
	o, err := modelconfig.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	c := decoder.ParseConfig(o, "llama")
	return c, o.Err()
}

// TestParseConfig: each family's configuration, as its published models write it.
func TestParseConfig(t *testing.T) {
	scale := func(n float64) float32 { return float32(1 / math.Sqrt(n)) }
	for _, test := range []struct {
		why, data string
		want      decoder.Config
	}{
		{"Qwen2, whose window is off", `{"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_attention_heads": 14,
			"num_hidden_layers": 24, "num_key_value_heads": 2, "vocab_size": 152000, "rope_theta": 1000000.0, "tie_word_embeddings": true,
			"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "sliding_window": 32768, "use_sliding_window": false, "rope_scaling": null}`,
			decoder.Config{Hidden: 896, Layers: 24, Heads: 14, KVHeads: 2, HeadDim: 64, MLP: 4864, Vocab: 152000, MaxPositions: 32768,
				Eps: 1e-6, EmbeddingScale: 1, TiedHead: true, Biases: decoder.QueryKeyValue, Scale: scale(64),
				Rotary: decoder.Rotary{Theta: 1e6}, Local: decoder.Rotary{Theta: 1e6}}},
		{"Llama 3.1, by transformers' defaults for the rest", `{"rope_scaling": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
			"original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0, "num_key_value_heads": 8}`,
			decoder.Config{Hidden: 4096, Layers: 32, Heads: 32, KVHeads: 8, HeadDim: 128, MLP: 11008, Vocab: 32000, MaxPositions: 2048,
				Eps: 1e-6, EmbeddingScale: 1, Scale: scale(128),
				Rotary: decoder.Rotary{Theta: 5e5, Scaling: decoder.Llama3, Factor: 8, Low: 1, High: 4, Original: 8192}}},
		{"Gemma of PaliGemma", `{"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_attention_heads": 8, "hidden_act": "gelu",
			"num_hidden_layers": 18, "num_key_value_heads": 1, "vocab_size": 257216, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}`,
			decoder.Config{Hidden: 2048, Layers: 18, Heads: 8, KVHeads: 1, HeadDim: 256, MLP: 16384, Vocab: 257216, MaxPositions: 8192,
				Eps: 1e-6, Activation: decoder.GELUTanh, EmbeddingScale: float32(math.Sqrt(2048)), TiedHead: true, NormOffset: 1, Scale: scale(256),
				Rotary: decoder.Rotary{Theta: 1e4}}},
		{"Gemma 3 as published", `{"model_type": "gemma3_text", "num_hidden_layers": 3, "sliding_window": 1024, "sliding_window_pattern": 3,
			"rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "query_pre_attn_scalar": 168}`,
			decoder.Config{Hidden: 2304, Layers: 3, Heads: 8, KVHeads: 4, HeadDim: 256, MLP: 9216, Vocab: 262208, MaxPositions: 131072,
				Eps: 1e-6, Activation: decoder.GELUTanh, EmbeddingScale: 48, TiedHead: true, NormOffset: 1, Norms: decoder.SandwichNorm, Scale: scale(168),
				Rotary: decoder.Rotary{Theta: 1e6, Scaling: decoder.Linear, Factor: 8}, Local: decoder.Rotary{Theta: 1e4}, Windows: []int{1024, 1024, 0}}},
		{"Gemma 3 as transformers 5 writes it", `{"model_type": "gemma3_text", "num_hidden_layers": 2, "sliding_window": 16,
			"layer_types": ["full_attention", "sliding_attention"], "rope_parameters": {"full_attention": {"rope_theta": 5e5, "rope_type": "default"},
			"sliding_attention": {"rope_theta": 2e4, "rope_type": "default"}}}`,
			decoder.Config{Hidden: 2304, Layers: 2, Heads: 8, KVHeads: 4, HeadDim: 256, MLP: 9216, Vocab: 262208, MaxPositions: 131072,
				Eps: 1e-6, Activation: decoder.GELUTanh, EmbeddingScale: 48, TiedHead: true, NormOffset: 1, Norms: decoder.SandwichNorm, Scale: scale(256),
				Rotary: decoder.Rotary{Theta: 5e5}, Local: decoder.Rotary{Theta: 2e4}, Windows: []int{0, 16}}},
		{"Qwen2 with a window from its second block on", `{"model_type": "qwen2", "num_hidden_layers": 2, "use_sliding_window": true, "sliding_window": 64, "max_window_layers": 1}`,
			decoder.Config{Hidden: 4096, Layers: 2, Heads: 32, KVHeads: 32, HeadDim: 128, MLP: 22016, Vocab: 151936, MaxPositions: 32768,
				Eps: 1e-6, EmbeddingScale: 1, Biases: decoder.QueryKeyValue, Scale: scale(128),
				Rotary: decoder.Rotary{Theta: 1e4}, Local: decoder.Rotary{Theta: 1e4}, Windows: []int{0, 64}}},
	} {
		got, err := parse(t, test.data)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", test.why, err, diff)
		}
	}
}

// TestUnsupported: what would be computed wrongly is refused by key and value.
func TestUnsupported(t *testing.T) {
	for _, test := range []struct{ why, data, want string }{
		{"another family", `{"model_type": "mistral"}`, `model_type = "mistral": want one of "qwen2"`},
		{"a scaling that is not computed", `{"rope_scaling": {"rope_type": "yarn", "factor": 4}}`, `rope_scaling.rope_type = "yarn"`},
		{"the same, in its old spelling", `{"rope_scaling": {"type": "dynamic", "factor": 4}}`, `rope_scaling.type = "dynamic"`},
		{"a scaling without sense", `{"rope_scaling": {"rope_type": "llama3", "low_freq_factor": 4, "high_freq_factor": 4}}`, "high_freq_factor = 4"},
		{"positions of a part of each head", `{"rope_parameters": {"partial_rotary_factor": 0.5}}`, "partial_rotary_factor = 0.5"},
		{"heads that do not divide", `{"hidden_size": 100, "num_attention_heads": 3}`, "num_attention_heads = 3"},
		{"heads that cannot share", `{"num_attention_heads": 4, "num_key_value_heads": 3}`, "num_key_value_heads = 3"},
		{"heads of an odd size", `{"head_dim": 7}`, "head_dim = 7"},
		{"no heads", `{"num_attention_heads": 0}`, "num_attention_heads = 0: want 1 to"},
		{"a text for a number", `{"hidden_size": "4096"}`, `hidden_size = "4096": want a whole number`},
		{"a huge vocabulary", `{"vocab_size": 1e12}`, "vocab_size = 1e12"},
		{"an unknown activation", `{"hidden_act": "relu"}`, `hidden_act = "relu"`},
		{"quantised weights", `{"quantization_config": {"bits": 4}}`, `quantization_config = {"bits":4}`},
		{"soft caps", `{"model_type": "gemma3_text", "attn_logit_softcapping": 50.0}`, "attn_logit_softcapping = 50.0"},
		{"blocks without a kind", `{"model_type": "gemma3_text", "layer_types": ["full_attention"]}`, "want one for each of 26 layers"},
		{"blocks of an unknown kind", `{"model_type": "qwen2", "num_hidden_layers": 1, "layer_types": ["chunked_attention"]}`, `layer 0 is "chunked_attention"`},
	} {
		if _, err := parse(t, test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}

// FuzzParseConfig: any configuration is refused, or has numbers that fit each other.
func FuzzParseConfig(f *testing.F) {
	for _, kind := range []string{"qwen2", "llama", "gemma", "gemma3_text"} {
		f.Add([]byte(`{"model_type": "` + kind + `", "hidden_size": 64, "num_attention_heads": 4, "head_dim": 16, "rope_parameters": {"rope_type": "default"},
			"num_hidden_layers": 2, "layer_types": ["full_attention", "sliding_attention"], "use_sliding_window": true, "sliding_window": 3}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := modelconfig.Parse(data)
		if err != nil {
			return
		}
		c := decoder.ParseConfig(o, "qwen2")
		if o.Err() != nil {
			return
		}
		if c.Hidden < 1 || c.Layers < 1 || c.HeadDim%2 != 0 || c.Heads%c.KVHeads != 0 || c.Vocab < 1 || c.MaxPositions < 1 {
			t.Errorf("accepted: %+v", c)
		}
		if c.Windows != nil && len(c.Windows) != c.Layers {
			t.Errorf("%d windows for %d layers", len(c.Windows), c.Layers)
		}
	})
}
