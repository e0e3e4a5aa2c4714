package inspect

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// published are the models under testdata: one directory each, only the fields that
// describe the architecture.
var published = []Report{
	{Model: "OpenGVLab/InternVL2-8B", Architecture: "InternVLChatModel", VisionTower: "InternViT-300M/14", ConfigClass: "InternVisionConfig", UsesSigLIP: No, TrainingResolution: "448x448", PatchSize: 14, Grid: "32x32", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "Qwen/Qwen3-VL-4B-Instruct", Architecture: "Qwen3VLForConditionalGeneration", VisionTower: "Qwen3-VL-ViT/16", ConfigClass: "Qwen3VLVisionConfig", UsesSigLIP: No, TrainingResolution: "768x768", PatchSize: 16, Grid: "48x48", PositionEmbedding: "learned + rotary", Convention: "bilinear-align-corners", Interpolates: Yes, When: EveryImage},
	{Model: "google/gemma-3-4b-it", Architecture: "Gemma3ForConditionalGeneration", VisionTower: "SigLIP-So400m/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "896x896", PatchSize: 14, Grid: "64x64", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "google/paligemma-3b-mix-224", Architecture: "PaliGemmaForConditionalGeneration", VisionTower: "SigLIP-So400m/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "224x224", PatchSize: 14, Grid: "16x16", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "google/paligemma-3b-mix-448", Architecture: "PaliGemmaForConditionalGeneration", VisionTower: "SigLIP-So400m/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "448x448", PatchSize: 14, Grid: "32x32", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "google/siglip-so400m-patch14-384", Architecture: "SiglipModel", VisionTower: "SigLIP-So400m/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "384x384", PatchSize: 14, Grid: "27x27", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: OnRequest},
	{Model: "google/siglip2-so400m-patch16-naflex", Architecture: "Siglip2Model", VisionTower: "SigLIP2-NaFlex-So400m/16", ConfigClass: "Siglip2VisionConfig", UsesSigLIP: Yes, TrainingResolution: "256x256", PatchSize: 16, Grid: "16x16", PositionEmbedding: "learned", Convention: "bilinear-antialias", Interpolates: Yes, When: EveryImage},
	{Model: "llava-hf/llava-onevision-qwen2-7b-ov-hf", Architecture: "LlavaOnevisionForConditionalGeneration", VisionTower: "SigLIP-So400m/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "384x384", PatchSize: 14, Grid: "27x27", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "llava-hf/llava-v1.6-mistral-7b-hf", Architecture: "LlavaNextForConditionalGeneration", VisionTower: "CLIP-ViT-L/14", ConfigClass: "CLIPVisionConfig", UsesSigLIP: No, TrainingResolution: "336x336", PatchSize: 14, Grid: "24x24", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "lmms-lab/llava-next-siglip-7b", Architecture: "LlavaLlamaForCausalLM", VisionTower: "SigLIP-So400m/14", UsesSigLIP: Yes, TrainingResolution: "384x384", PatchSize: 14, Grid: "27x27", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "lmms-lab/llava-onevision-qwen2-7b", Architecture: "LlavaQwenForCausalLM", VisionTower: "SigLIP-So400m/14", UsesSigLIP: Yes, TrainingResolution: "384x384", PatchSize: 14, Grid: "27x27", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never},
	{Model: "mistralai/Pixtral-12B-2409", Architecture: "PixtralForConditionalGeneration", VisionTower: "Pixtral-ViT/16", UsesSigLIP: No, TrainingResolution: "1024x1024", PatchSize: 16, Grid: "64x64", PositionEmbedding: "rotary", Interpolates: No, When: Never},
}

// words are the fields in prose, which the tests of facts leave out.
var words = cmpopts.IgnoreFields(Report{}, "Reason", "ExpectedGain")

func TestInspectDirectoryOfModels(t *testing.T) {
	got, err := Inspect("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(published, got, words); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range got {
		if r.Reason == "" || r.ExpectedGain == "" {
			t.Errorf("%s: reason %q, expected gain %q", r.Model, r.Reason, r.ExpectedGain)
		}
	}
}

func TestInspectOneModel(t *testing.T) {
	dir := filepath.Join("testdata", "mistralai__Pixtral-12B-2409")
	for _, path := range []string{dir, filepath.Join(dir, "params.json")} {
		got, err := Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(published[len(published)-1:], got, words); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestReportOn(t *testing.T) {
	tests := []struct {
		why, config string
		want        Report // without the words; Reason holds a part of the reason
	}{
		{"sizes that are not given are those of the class", `{"model_type": "siglip", "vision_config": {"model_type": "siglip_vision_model"}}`,
			Report{Architecture: "siglip", VisionTower: "SigLIP-B/16", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "224x224", PatchSize: 16, Grid: "14x14", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: OnRequest, Reason: "interpolate_pos_encoding"}},
		{"even the whole tower", `{"model_type": "clip", "text_config": {}}`,
			Report{Architecture: "clip", VisionTower: "CLIP-ViT-B/32", ConfigClass: "CLIPVisionConfig", UsesSigLIP: No, TrainingResolution: "224x224", PatchSize: 32, Grid: "7x7", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: OnRequest, Reason: "CLIP-ViT, not SigLIP"}},
		{"a tower saved without its text half", `{"model_type": "siglip_vision_model", "hidden_size": 32, "image_size": [28, 56], "patch_size": [14, 14]}`,
			Report{Architecture: "siglip_vision_model", VisionTower: "SigLIP/14", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "28x56", PatchSize: 14, Grid: "2x4", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: OnRequest, Reason: "28x56"}},
		{"Ovis 2.5 keeps SigLIP 2's table and resamples it bicubically", `{"architectures": ["Ovis2_5"], "model_type": "ovis2_5", "vit_config": {"model_type": "siglip2_navit", "hidden_size": 1152, "image_size": 512, "patch_size": 16, "num_patches": -1, "preserve_original_pe": true}}`,
			Report{Architecture: "Ovis2_5", VisionTower: "SigLIP2-NaViT-So400m/16", ConfigClass: "Siglip2NavitConfig", UsesSigLIP: Yes, TrainingResolution: "512x512", PatchSize: 16, Grid: "32x32", PositionEmbedding: "learned + rotary", Convention: "bicubic", Interpolates: Yes, When: EveryImage, Reason: "resampled to the patch grid of each"}},
		{"the same tower may have no table", `{"model_type": "ovis2_5", "vit_config": {"model_type": "siglip2_navit", "preserve_original_pe": false}}`,
			Report{Architecture: "ovis2_5", VisionTower: "SigLIP2-NaViT-So400m/16", ConfigClass: "Siglip2NavitConfig", UsesSigLIP: Yes, PatchSize: 16, PositionEmbedding: "rotary", Interpolates: No, When: Never, Reason: "there is no table to interpolate"}},
		{"MoonViT resamples its table for each image, bicubically", `{"architectures": ["KimiVLForConditionalGeneration"], "model_type": "kimi_vl", "vision_config": {"model_type": "moonvit", "hidden_size": 1152, "patch_size": 14, "init_pos_emb_height": 64, "init_pos_emb_width": 64}}`,
			Report{Architecture: "KimiVLForConditionalGeneration", VisionTower: "MoonViT-So400m/14", ConfigClass: "MoonViTConfig", UsesSigLIP: No, TrainingResolution: "896x896", PatchSize: 14, Grid: "64x64", PositionEmbedding: "learned + rotary", Convention: "bicubic", Interpolates: Yes, When: EveryImage, Reason: "resampled to the patch grid of each"}},
		{"Kimi K2.5 does not name it", `{"model_type": "kimi_k25", "vision_config": {"model_type": "", "patch_size": 14, "init_pos_emb_height": 64, "init_pos_emb_width": 32}}`,
			Report{Architecture: "kimi_k25", VisionTower: "MoonViT-So400m/14", UsesSigLIP: No, TrainingResolution: "896x448", PatchSize: 14, Grid: "64x32", PositionEmbedding: "learned + rotary", Convention: "bicubic", Interpolates: Yes, When: EveryImage, Reason: "64x32 table"}},
		{"GLM-4.1V samples its table for each image, bicubically", `{"model_type": "glm4v", "vision_config": {"hidden_size": 1536, "image_size": 336, "patch_size": 14}}`,
			Report{Architecture: "glm4v", VisionTower: "GLM-4V-ViT/14", ConfigClass: "Glm4vVisionConfig", UsesSigLIP: No, TrainingResolution: "336x336", PatchSize: 14, Grid: "24x24", PositionEmbedding: "learned + rotary", Convention: "bicubic", Interpolates: Yes, When: EveryImage, Reason: "not SigLIP"}},
		{"Qwen2-VL does not name its tower's type", `{"model_type": "qwen2_vl", "vision_config": {"embed_dim": 1280, "patch_size": 14}}`,
			Report{Architecture: "qwen2_vl", VisionTower: "Qwen2-VL-ViT/14", ConfigClass: "Qwen2VLVisionConfig", UsesSigLIP: No, PatchSize: 14, PositionEmbedding: "rotary", Interpolates: No, When: Never, Reason: "rotary"}},
		{"Qwen2.5-VL is rotary, too", `{"model_type": "qwen2_5_vl", "vision_config": {"model_type": "qwen2_5_vl", "hidden_size": 1280}}`,
			Report{Architecture: "qwen2_5_vl", VisionTower: "Qwen2.5-VL-ViT/14", ConfigClass: "Qwen2_5_VLVisionConfig", UsesSigLIP: No, PatchSize: 14, PositionEmbedding: "rotary", Interpolates: No, When: Never, Reason: "no table"}},
		{"Pixtral in transformers' format", `{"model_type": "llava", "vision_config": {"model_type": "pixtral", "image_size": 1024, "patch_size": 16}}`,
			Report{Architecture: "llava", VisionTower: "Pixtral-ViT/16", ConfigClass: "PixtralVisionConfig", UsesSigLIP: No, TrainingResolution: "1024x1024", PatchSize: 16, Grid: "64x64", PositionEmbedding: "rotary", Interpolates: No, When: Never, Reason: "no table"}},
		{"InternVL tiles that do not fit are resampled", `{"model_type": "internvl_chat", "force_image_size": 448, "vision_config": {"model_type": "intern_vit_6b", "hidden_size": 3200, "image_size": 224, "patch_size": 14}}`,
			Report{Architecture: "internvl_chat", VisionTower: "InternViT-6B/14", ConfigClass: "InternVisionConfig", UsesSigLIP: No, TrainingResolution: "224x224", PatchSize: 14, Grid: "16x16", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: Yes, When: EveryImage, Reason: "tiles of 448x448 do not fit"}},
		{"a SigLIP tower in a family whose processor is not known", `{"model_type": "new_vlm", "vision_config": {"model_type": "siglip_vision_model"}}`,
			Report{Architecture: "new_vlm", VisionTower: "SigLIP-B/16", ConfigClass: "SiglipVisionConfig", UsesSigLIP: Yes, TrainingResolution: "224x224", PatchSize: 16, Grid: "14x14", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: Unknown, When: NotKnown, Reason: `"new_vlm"`}},
		{"a tower that is not known, with values of any kind", `{"model_type": "new_vlm", "vision_config": {"model_type": "new_vit", "image_size": {"height": 3}, "patch_size": "x"}}`,
			Report{Architecture: "new_vlm", VisionTower: "unknown (new_vit)", PositionEmbedding: "unknown", When: NotKnown, Reason: "not known here"}},
		{"a tower of which nothing is said", `{"vision_config": {}}`,
			Report{Architecture: "unknown", VisionTower: "unknown", PositionEmbedding: "unknown", When: NotKnown, Reason: "not known here"}},
		{"a named CLIP tower", `{"model_type": "llava_llama", "mm_vision_tower": "openai/clip-vit-large-patch14-336"}`,
			Report{Architecture: "llava_llama", VisionTower: "CLIP-ViT-L/14", UsesSigLIP: No, TrainingResolution: "336x336", PatchSize: 14, Grid: "24x24", PositionEmbedding: "learned", Convention: "bicubic", Interpolates: No, When: Never, Reason: "336x336"}},
		{"a named tower of somebody else says nothing certain", `{"model_type": "llava_llama", "mm_vision_tower": "me/siglip-so400m-patch14-384"}`,
			Report{Architecture: "llava_llama", VisionTower: "unknown (me/siglip-so400m-patch14-384)", PositionEmbedding: "unknown", When: NotKnown, Reason: "not known here"}},
	}
	for _, tt := range tests {
		config, err := parseFields([]byte(tt.config))
		if err != nil {
			t.Fatal(err)
		}
		got, err := reportOn(config)
		if err != nil {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		if !strings.Contains(got.Reason, tt.want.Reason) {
			t.Errorf("%s: reason %q, want %q in it", tt.why, got.Reason, tt.want.Reason)
		}
		if diff := cmp.Diff(tt.want, got, words); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.why, diff)
		}
	}
}

func TestExpectedGain(t *testing.T) {
	tests := []struct{ config, want string }{
		{`{"model_type": "paligemma", "vision_config": {"model_type": "siglip_vision_model"}}`, "none: never interpolates"},
		{`{"model_type": "siglip"}`, "none unless asked"},
		{`{"model_type": "siglip2"}`, "none from replacing bicubic"},
		{`{"model_type": "ovis2_5", "vit_config": {"model_type": "siglip2_navit", "preserve_original_pe": true}}`, "depends on the kernel's share"},
		{`{"model_type": "qwen2_vl", "vision_config": {}}`, "none: no table"},
		{`{"vision_config": {"model_type": "new"}}`, "unknown"},
	}
	for _, tt := range tests {
		config, err := parseFields([]byte(tt.config))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := reportOn(config); err != nil || !strings.HasPrefix(got.ExpectedGain, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.config, got.ExpectedGain, err, tt.want)
		}
	}
}

func TestInspectRejects(t *testing.T) {
	tests := []struct{ why, config, want string }{
		{"no vision tower", `{"model_type": "llama"}`, "config.json: has no vision_config: a text-only model has nothing to resample"},
		{"vision_config: null", `{"model_type": "llama", "vision_config": null}`, "text-only"},
		{"not JSON", `model: llama`, "config.json: not a JSON object"},
		{"cut off", `{"vision_config": {"model_type"`, "is it complete"},
		{"a list", `[1]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"a vision_config that is no object", `{"vision_config": "siglip"}`, "vision_config: not a JSON object"},
		{"numbers in quotes", `{"vision_config": {"model_type": "siglip_vision_model", "image_size": "384"}}`, `vision_config: image_size is "384", not a number`},
		{"a negative size", `{"vision_config": {"model_type": "siglip_vision_model", "patch_size": -1}}`, "patch_size is -1; want a whole number"},
		{"no size", `{"vision_config": {"model_type": "siglip_vision_model", "patch_size": 0}}`, "patch_size is 0; want a whole number"},
		{"half a pixel", `{"vision_config": {"model_type": "siglip_vision_model", "image_size": 384.5}}`, "image_size is 384.5; want a whole number"},
		{"an edge that is missing", `{"vision_config": {"model_type": "siglip_vision_model", "image_size": [384, null]}}`, "image_size"},
		{"an edge that is no number", `{"vision_config": {"model_type": "siglip_vision_model", "image_size": [384, "x"]}}`, `image_size: width is "x"`},
		{"a table without rows", `{"vision_config": {"model_type": "moonvit", "init_pos_emb_height": 0}}`, "init_pos_emb_height is 0; want a whole number"},
		{"a patch larger than the image", `{"vision_config": {"model_type": "siglip_vision_model", "image_size": 8}}`, "patch_size 16 is larger than image_size 8x8"},
		{"patches that are not square", `{"vision_config": {"model_type": "siglip_vision_model", "patch_size": [14, 16]}}`, "only square patches"},
		{"a table that is not square", `{"vision_config": {"model_type": "siglip2_vision_model", "num_patches": 250}}`, "num_patches is 250, not the square"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "config.json"), tt.config)
		got, err := Inspect(dir)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(got) > 0 {
			t.Errorf("%s: got %v, %v; want an error with %q", tt.why, got, err, tt.want)
		}
	}
}

func TestInspectPaths(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ why, path, want string }{
		{"a hub id", "google/paligemma-3b-mix-448", "google/paligemma-3b-mix-448 is not a file or directory here; download it first (hf download google/paligemma-3b-mix-448"},
		{"a path that does not exist", filepath.Join(dir, "a", "b"), "is not a file or directory here; name a model's directory"},
		{"a directory without models", dir, "holds no config.json or params.json"},
		{"nothing", "", "is not a file or directory here"},
	}
	for _, tt := range tests {
		if _, err := Inspect(tt.path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q in it", tt.why, err, tt.want)
		}
	}
}

func TestDirectoryOfModelsKeepsWhatCanBeRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", "config.json"), `{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}`)
	write(t, filepath.Join(dir, "b", "config.json"), `{`)
	write(t, filepath.Join(dir, "models--org--c--x", "refs", "main"), "abc\n")
	write(t, filepath.Join(dir, "models--org--c--x", "snapshots", "abc", "config.json"), `{"model_type": "siglip"}`)
	write(t, filepath.Join(dir, "notes.txt"), "not a model")
	got, err := Inspect(dir)
	if err == nil || !strings.Contains(err.Error(), filepath.Join("b", "config.json")) {
		t.Errorf("error %v, want one that names b's file", err)
	}
	var names []string
	for _, r := range got {
		names = append(names, r.Model+" "+r.VisionTower)
	}
	if diff := cmp.Diff([]string{"a none", "org/c--x SigLIP-B/16"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReportJSON(t *testing.T) {
	for _, want := range []Report{published[0], {When: NotKnown}, {UsesSigLIP: Yes}} {
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Report
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
	raw, err := json.Marshal(Report{Interpolates: No})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"model":"","architecture":"","vision_tower":"","config_class":"","uses_siglip":null,"training_resolution":"","patch_size":0,"grid":"","position_embedding":"","convention":"","interpolates":false,"when":"","expected_gain":"","reason":""}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
	var a Answer
	if err := json.Unmarshal([]byte(`"yes"`), &a); err == nil {
		t.Error("a string was read as an answer")
	}
}

func TestWriteTable(t *testing.T) {
	var got strings.Builder
	err := WriteTable(&got, []Report{
		{Model: "a/b", Architecture: "A", VisionTower: "SigLIP/14", UsesSigLIP: Yes, TrainingResolution: "28x28", PatchSize: 14, Grid: "2x2", PositionEmbedding: "learned", When: Never, Reason: "it fits"},
		{Model: "odd\tname\n", When: NotKnown, Reason: "not known"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `MODEL     ARCHITECTURE  VISION TOWER  AUTOCONFIG  SIGLIP   RESOLUTION  PATCH  GRID  POSITIONS  CONVENTION  INTERPOLATES  EXPECTED GAIN  REASON
a/b       A             SigLIP/14     -           yes      28x28       14     2x2   learned    -           never         -              it fits
odd name  -             -             -           unknown  -           -      -     -          -           unknown       -              not known
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := WriteTable(full{}, nil); !errors.Is(err, errNoRoom) {
		t.Errorf("error %v, want %v", err, errNoRoom)
	}
}

func FuzzReportOn(f *testing.F) {
	f.Add([]byte(`{"model_type": "internvl_chat", "force_image_size": [1], "vision_config": {"model_type": "intern_vit_6b", "image_size": [448, 448]}}`))
	f.Add([]byte(`{"vision_config": {"model_type": "siglip2_vision_model", "num_patches": 1e5}}`))
	f.Add([]byte(`{"vision_config": {"model_type": "siglip_vision_model", "image_size": [null, 3], "patch_size": [null, null]}}`))
	for _, r := range published {
		for _, name := range configNames {
			if raw, err := os.ReadFile(filepath.Join("testdata", strings.Replace(r.Model, "/", "__", 1), name)); err == nil {
				f.Add(raw)
			}
		}
	}
	f.Add([]byte(`{"model_type": "kimi_k25", "vision_config": {"init_pos_emb_height": 1e300}}`))
	f.Add([]byte(`{"mm_vision_tower": "google/siglip-so400m-patch14-384", "architectures": [null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		config, err := parseFields(raw)
		if err != nil {
			return
		}
		r, err := reportOn(config)
		if err != nil {
			return
		}
		if r.VisionTower == "" || r.Reason == "" || r.When == "" || r.ExpectedGain == "" {
			t.Errorf("incomplete report: %+v", r)
		}
	})
}

// full is a writer that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errNoRoom }

var errNoRoom = errors.New("no space left")

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
