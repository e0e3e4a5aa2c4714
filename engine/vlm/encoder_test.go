package vlm_test

import (
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/siglip"
	"siglab/engine/vlm"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// openEncoder ends with the test.
func openEncoder(t *testing.T, name string, o vlm.EncoderOptions) *vlm.Encoder {
	t.Helper()
	e, err := vlm.OpenEncoder(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// encodeFile is what a tower computes of an image file.
func encodeFile(t *testing.T, e *vlm.Encoder, path string) siglip.Output {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read-only
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	patches, err := e.Prepare(img)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Encode(patches)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPairs compares both towers of a SigLIP and a SigLIP2 with transformers', in
// float32 and with products in bfloat16, and the scores of an image and two texts.
func TestPairs(t *testing.T) {
	for _, name := range []string{"siglip_pair", "siglip2_pair"} {
		dir := filepath.Join("testdata", name)
		golden, err := safetensors.Open(filepath.Join(dir, "golden.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer golden.Close() //nolint:errcheck // read-only
		want := func(name string) []float32 {
			x, ok := values(t, golden, name)
			if !ok {
				t.Fatalf("no tensor %s", name)
			}
			return x
		}
		data, err := os.ReadFile(filepath.Join(dir, "texts.json"))
		if err != nil {
			t.Fatal(err)
		}
		var texts struct{ Texts [][]int }
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			arithmetic cpu.Arithmetic
			within     float64 // of the largest value
		}{{cpu.Float32, 2e-5}, {cpu.BFloat16, 2e-2}} {
			e := openEncoder(t, dir, vlm.EncoderOptions{Threads: 2, Arithmetic: test.arithmetic})
			near := func(what string, got, want []float32) {
				t.Helper()
				size := float64(slices.Max(want) - slices.Min(want))
				if d := distance(t, got, want); d > test.within*size {
					t.Errorf("%s, %v: %s is off by %g, want at most %g", name, test.arithmetic, what, d, test.within*size)
				}
			}
			out := encodeFile(t, e, filepath.Join(dir, "image.png"))
			last := want("last_hidden_state")
			near("last_hidden_state", out.Last, last[:len(out.Last)]) // golden rows behind are padding
			near("pooler_output", out.Pooled, want("pooler_output"))
			var pooled []float32
			for i, tokens := range texts.Texts {
				text, err := e.EncodeText(tokens)
				if err != nil {
					t.Fatal(err)
				}
				pooled = append(pooled, text...)
				cosine, logit := e.Score(out.Pooled, text)
				if math.Abs(cosine-float64(want("cosines")[i])) > test.within || math.Abs(logit-float64(want("logits_per_image")[i])) > 10*test.within {
					t.Errorf("%s, %v: text %d has cosine %g and logit %g, want %g and %g", name, test.arithmetic, i, cosine, logit, want("cosines")[i], want("logits_per_image")[i])
				}
			}
			near("text_pooler_output", pooled, want("text_pooler_output"))
		}
	}
}

// TestEncoderOfModel: the vision tower of a vision-language model comes alone, and the
// mode that it was trained with is the default.
func TestEncoderOfModel(t *testing.T) {
	dir := filepath.Join("testdata", "llava_qwen2_layers")
	e := openEncoder(t, dir, vlm.EncoderOptions{Threads: 1})
	if w := e.Warnings(); w != nil {
		t.Errorf("warnings %q", w)
	}
	out := encodeFile(t, e, filepath.Join(dir, "image00.png"))
	if len(out.States) != 4 || len(out.Last) != 16*24 || out.Pooled != nil || out.Resample.Mode != posembed.Exact {
		t.Errorf("%d states, %d values, pooled %v, mode %v", len(out.States), len(out.Last), out.Pooled, out.Resample.Mode)
	}
	if _, err := e.EncodeText([]int{1}); err == nil || e.Texts() {
		t.Errorf("a text without a text tower: error %v", err)
	}
	naflex := openEncoder(t, filepath.Join("testdata", "siglip2_pair"), vlm.EncoderOptions{Threads: 1})
	if out := encodeFile(t, naflex, filepath.Join(dir, "image00.png")); out.Resample.Mode != posembed.Antialias {
		t.Errorf("NaFlex resamples in mode %v", out.Resample.Mode)
	}
	mode := posembed.BilinearFused
	other := openEncoder(t, "random:tiny", vlm.EncoderOptions{Threads: 1, PosEmbed: &mode, ImageSize: vlm.ImageSize{Height: 48, Width: 80}})
	if out := encodeFile(t, other, filepath.Join(dir, "image00.png")); out.Resample.Mode != mode || out.Resample.To != (posembed.Grid{Rows: 3, Cols: 5}) {
		t.Errorf("mode %v, grid %v", out.Resample.Mode, out.Resample.To)
	}
}

// TestDefaultProcessor: a tower without a file that says how its images are prepared
// takes them as its class does, and says so.
func TestDefaultProcessor(t *testing.T) {
	for _, name := range []string{"siglip_pair", "siglip2_pair"} {
		dir := change(t, filepath.Join("testdata", name), nil, nil)
		want := encodeFile(t, openEncoder(t, dir, vlm.EncoderOptions{Threads: 1, ImageSize: vlm.ImageSize{Height: 32, Width: 32}}), filepath.Join(dir, "image.png"))
		if err := os.Remove(filepath.Join(dir, "preprocessor_config.json")); err != nil {
			t.Fatal(err)
		}
		e := openEncoder(t, dir, vlm.EncoderOptions{Threads: 1, ImageSize: vlm.ImageSize{Height: 32, Width: 32}})
		if got := encodeFile(t, e, filepath.Join(dir, "image.png")); !slices.Equal(got.Last, want.Last) {
			t.Errorf("%s: other features by default", name)
		}
		if w := e.Warnings(); len(w) != 1 || !strings.Contains(w[0], "no preprocessor_config.json") {
			t.Errorf("%s: warnings %q", name, w)
		}
	}
}

// TestOtherProcessor: images that are cut into patches for another tower are refused.
func TestOtherProcessor(t *testing.T) {
	for _, row := range []struct{ why, model, processor string }{
		{"patches of another size", "siglip2_pair", `{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 3, "max_num_patches": 20}`},
		{"patches for a tower that takes images", "siglip_pair", `{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 8, "max_num_patches": 20}`},
	} {
		dir := change(t, filepath.Join("testdata", row.model), nil, nil)
		if err := os.WriteFile(filepath.Join(dir, "preprocessor_config.json"), []byte(row.processor), 0o644); err != nil {
			t.Fatal(err)
		}
		e := openEncoder(t, dir, vlm.EncoderOptions{Threads: 1})
		if _, err := e.Prepare(image.NewGray(image.Rect(0, 0, 50, 30))); err == nil || !strings.Contains(err.Error(), "preprocessor_config.json") {
			t.Errorf("%s: error %v, want one that names the file", row.why, err)
		}
	}
}

// change is a copy of a model's directory in which one thing is different.
func change(t *testing.T, dir string, config func(map[string]any), weights func([]safetensors.Tensor) []safetensors.Tensor) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if config != nil {
		path := filepath.Join(to, "config.json")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fields := map[string]any{}
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		config(fields)
		if data, err = json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if weights != nil {
		path := filepath.Join(to, "model.safetensors")
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var tensors []safetensors.Tensor
		for _, name := range f.Names() {
			tensor, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			tensor.Data = slices.Clone(tensor.Data)
			tensors = append(tensors, tensor)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Save(path, weights(tensors), nil); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// without leaves out the tensors whose names contain a text.
func without(text string) func([]safetensors.Tensor) []safetensors.Tensor {
	return func(all []safetensors.Tensor) []safetensors.Tensor {
		return slices.DeleteFunc(all, func(t safetensors.Tensor) bool { return strings.Contains(t.Name, text) })
	}
}

// set puts a value into a configuration, nested by dots.
func set(path string, value any) func(map[string]any) {
	return func(fields map[string]any) {
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			fields, _ = fields[key].(map[string]any)
		}
		fields[keys[len(keys)-1]] = value
	}
}

// TestBrokenModels: every directory that cannot be computed rightly is refused, with
// what is wrong, and nothing else happens.
func TestBrokenModels(t *testing.T) {
	for _, test := range []struct {
		why     string
		model   string
		config  func(map[string]any)
		weights func([]safetensors.Tensor) []safetensors.Tensor
		want    string
	}{
		{"tensors that are missing, all of them", "gemma3", nil, without("q_norm"), "3 tensors are missing: language_model.layers.0.self_attn.q_norm.weight, language_model.layers.1"},
		{"a missing newline", "onevision_tied", nil, without("image_newline"), "missing: image_newline"},
		{"a head that is not tied", "llava_qwen2_layers", func(c map[string]any) {
			set("tie_word_embeddings", false)(c)
			set("text_config.tie_word_embeddings", false)(c)
		}, nil, "missing: lm_head.weight"},
		{"layers that the tower has not", "llava_qwen2_layers", set("vision_feature_layer", -5), nil, "vision_feature_layer = -5"},
		{"no layer", "llava_qwen2_layers", set("vision_feature_layer", []int{}), nil, "vision_feature_layer = []"},
		{"another vision tower", "llava_qwen2_layers", set("vision_config.model_type", "clip_vision_model"), nil, `vision_config.model_type = "clip_vision_model"`},
		{"another language model", "llava_qwen2_layers", set("text_config.model_type", "phi"), nil, `text_config.model_type = "phi"`},
		{"another model", "gemma3", set("model_type", "qwen3_vl"), nil, `model_type "qwen3_vl" is not supported`},
		{"a tower alone", "siglip_pair", nil, nil, "use it with embed"},
		{"quantised weights", "gemma3", set("quantization_config", map[string]any{"bits": 4}), nil, "quantization_config"},
		{"tokens of an image that make no square", "gemma3", set("mm_tokens_per_image", 5), nil, "mm_tokens_per_image = 5"},
		{"tiles without a bound", "onevision_tied", set("vision_aspect_ratio", "anyres"), nil, `vision_aspect_ratio = "anyres"`},
		{"a projector of another width", "paligemma_old_f16", set("projection_dim", 2048), nil, "projection_dim = 2048"},
		{"an activation of the projector", "llava_llama3_default", set("projector_hidden_act", "relu"), nil, `projector_hidden_act = "relu"`},
		{"a larger vocabulary", "llava_llama3_default", set("text_config.vocab_size", 300), nil, `has shape [264 32], want [300 32]`},
	} {
		dir := change(t, filepath.Join("testdata", test.model), test.config, test.weights)
		m, err := vlm.Open(dir, vlm.Options{Threads: 1})
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
	extra := change(t, "testdata/paligemma_old_f16", nil, func(all []safetensors.Tensor) []safetensors.Tensor {
		return append(all, safetensors.NewF32("surprise.weight", []float32{1}, 1))
	})
	m, err := vlm.Open(extra, vlm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if w := m.Warnings(); len(w) != 1 || !strings.Contains(w[0], "surprise.weight") {
		t.Errorf("warnings %q, want the tensor that nobody asked for", w)
	}
}

// FuzzConfig: no config.json makes opening a model panic or take much memory.
func FuzzConfig(f *testing.F) {
	dirs, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(dirs) == 0 {
		f.Fatal("no configurations", err)
	}
	for _, path := range dirs {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := f.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/llava_qwen2_layers")); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if m, err := vlm.Open(dir, vlm.Options{Threads: 1}); err == nil {
			m.Close()
		}
		if e, err := vlm.OpenEncoder(dir, vlm.EncoderOptions{Threads: 1}); err == nil {
			e.Close()
		}
	})
}
