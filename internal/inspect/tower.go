package inspect

import "fmt"

// tower is one kind of vision tower: what transformers' configuration class says,
// defaults included, and how its positions work.
type tower struct {
	modelType string // vision_config.model_type
	class     string // of the configuration
	family    string
	siglip    Answer
	positions string
	// convention of the tower's own resampling, named as in package posembed; "" for
	// rotary positions.
	convention string

	// Defaults of the configuration class, pixels; 0 means that it has none.
	image, patch, hidden int
	// table is the key with the number of positions, for towers without an image
	// size; tableSize its default. sides are the keys with the table's rows and columns,
	// for those that have them; side their default.
	table     string
	tableSize int
	sides     [2]string
	side      int

	when func(m model) (When, string)
}

// towers are those that are known. The defaults are those of transformers 4.57, and
// for remote code those of the published models.
var towers = [...]tower{
	{modelType: "siglip_vision_model", class: "SiglipVisionConfig", family: "SigLIP", siglip: Yes, positions: learned,
		convention: "bicubic", image: 224, patch: 16, hidden: 768, when: fixedInput},
	{modelType: "siglip2_vision_model", class: "Siglip2VisionConfig", family: "SigLIP2-NaFlex", siglip: Yes, positions: learned,
		convention: "bilinear-antialias", patch: 16, hidden: 768, table: "num_patches", tableSize: 256, when: naflex},
	{modelType: "siglip2_navit", class: "Siglip2NavitConfig", family: "SigLIP2-NaViT", siglip: Yes, positions: learnedRotary,
		convention: "bicubic", image: 512, patch: 16, hidden: 1152, when: navit},
	{modelType: "clip_vision_model", class: "CLIPVisionConfig", family: "CLIP-ViT", siglip: No, positions: learned,
		convention: "bicubic", image: 224, patch: 32, hidden: 768, when: fixedInput},
	{modelType: "intern_vit_6b", class: "InternVisionConfig", family: "InternViT", siglip: No, positions: learned,
		convention: "bicubic", image: 224, patch: 14, hidden: 3200, when: internTiles},
	{modelType: "internvl_vision", class: "InternVLVisionConfig", family: "InternViT", siglip: No, positions: learned,
		convention: "bicubic", image: 448, patch: 14, hidden: 1024, when: internTiles},
	{modelType: "qwen3_vl", class: "Qwen3VLVisionConfig", family: "Qwen3-VL-ViT", siglip: No, positions: learnedRotary,
		convention: "bilinear-align-corners", patch: 16, hidden: 1152, table: "num_position_embeddings", tableSize: 2304, when: qwen3},
	{modelType: "qwen3_vl_moe", class: "Qwen3VLMoeVisionConfig", family: "Qwen3-VL-ViT", siglip: No, positions: learnedRotary,
		convention: "bilinear-align-corners", patch: 16, hidden: 1152, table: "num_position_embeddings", tableSize: 2304, when: qwen3},
	{modelType: "moonvit", class: "MoonViTConfig", family: "MoonViT", siglip: No, positions: learnedRotary,
		convention: "bicubic", patch: 14, hidden: 1152, sides: moonSides, side: 64, when: navit},
	{modelType: "kimi_k25", family: "MoonViT", siglip: No, positions: learnedRotary,
		convention: "bicubic", patch: 14, hidden: 1152, sides: moonSides, side: 64, when: navit},
	// GLM samples its table by grid_sample, bicubic with half pixels and clamped taps.
	{modelType: "glm4v_vision", class: "Glm4vVisionConfig", family: "GLM-4V-ViT", siglip: No, positions: learnedRotary,
		convention: "bicubic", image: 336, patch: 14, hidden: 1536, when: navit},
	{modelType: "glm4v", class: "Glm4vVisionConfig", family: "GLM-4V-ViT", siglip: No, positions: learnedRotary,
		convention: "bicubic", image: 336, patch: 14, hidden: 1536, when: navit},
	{modelType: "qwen2_vl", class: "Qwen2VLVisionConfig", family: "Qwen2-VL-ViT", siglip: No, positions: rotary,
		patch: 14, when: noTable},
	{modelType: "qwen2_5_vl", class: "Qwen2_5_VLVisionConfig", family: "Qwen2.5-VL-ViT", siglip: No, positions: rotary,
		patch: 14, when: noTable},
	{modelType: "pixtral", class: "PixtralVisionConfig", family: "Pixtral-ViT", siglip: No, positions: rotary,
		image: 1024, patch: 16, when: noTable},
}

// moonSides are the keys of MoonViT's table.
var moonSides = [2]string{"init_pos_emb_height", "init_pos_emb_width"}

// towerOf returns the tower with a model type, and whether it is known.
func towerOf(modelType string) (tower, bool) {
	for _, t := range towers {
		if t.modelType == modelType {
			return t, true
		}
	}
	return tower{}, false
}

// withoutTable is the same tower with rotary positions only.
func (t tower) withoutTable() tower {
	t.positions, t.convention, t.image, t.when = rotary, "", 0, noTable
	return t
}

// sizes are the names of published widths, by family and hidden size.
var sizes = [...]struct {
	family string
	hidden int
	name   string
}{
	{"SigLIP", 768, "B"}, {"SigLIP", 1024, "L"}, {"SigLIP", 1152, "So400m"}, {"SigLIP", 1536, "g"},
	{"SigLIP2-NaFlex", 768, "B"}, {"SigLIP2-NaFlex", 1152, "So400m"},
	{"SigLIP2-NaViT", 1152, "So400m"},
	{"MoonViT", 1152, "So400m"},
	{"CLIP-ViT", 768, "B"}, {"CLIP-ViT", 1024, "L"},
	{"InternViT", 1024, "300M"}, {"InternViT", 3200, "6B"},
}

// name returns the tower's name with width and patch, as in "SigLIP-So400m/14"; the
// width is left out where no published model has it.
func (t tower) name(hidden, patch int) string {
	for _, s := range sizes {
		if s.family == t.family && s.hidden == hidden {
			return fmt.Sprintf("%s-%s/%d", t.family, s.name, patch)
		}
	}
	return fmt.Sprintf("%s/%d", t.family, patch)
}
