package inspect

import "fmt"

// feeding says how a family's published processor gives images to a tower that
// takes one size only.
type feeding int8

const (
	feedUnknown feeding = iota
	feedResized         // every image is resized to the tower's size
	feedTiled           // images are cut into tiles of the tower's size
)

// families are the model types whose processor is known.
var families = [...]struct {
	kind string
	feed feeding
}{
	{"paligemma", feedResized},
	{"gemma3", feedResized},
	{"llava", feedResized},
	{"llava_next", feedTiled},
	{"llava_onevision", feedTiled},
}

// feeding returns how images reach the tower. Original LLaVA checkpoints, which
// name their tower, resize to its size and cut into tiles of it.
func (m model) feeding() feeding {
	if m.named != "" {
		return feedTiled
	}
	for _, f := range families {
		if f.kind == m.kind {
			return f.feed
		}
	}
	return feedUnknown
}

// fixedInput is the rule of SigLIP and CLIP: they interpolate only if the caller
// passes interpolate_pos_encoding=True, and without it refuse other sizes.
func fixedInput(m model) (When, string) {
	size := dims(m.image)
	if m.standalone {
		return OnRequest, fmt.Sprintf("only if asked with interpolate_pos_encoding=True and an image that is not %s; the processor resizes every image to %s", size, size)
	}
	switch m.feeding() {
	case feedResized:
		return Never, fmt.Sprintf("the processor resizes every image to %s, where the table fits as it is", size)
	case feedTiled:
		return Never, fmt.Sprintf("images are cut into tiles of %s, where the table fits as it is", size)
	default:
		return NotKnown, fmt.Sprintf("the tower interpolates only if asked to, but how model type %q feeds it is not known here", m.kind)
	}
}

// internTiles is the rule of InternViT: it resamples whatever does not fit, and the
// published models cut images into tiles that fit.
func internTiles(m model) (When, string) {
	if m.standalone {
		return OnRequest, fmt.Sprintf("the tower alone resamples for any image that is not %s", dims(m.image))
	}
	tile, err := m.config.edges("force_image_size", m.image[0])
	if err != nil {
		return NotKnown, "the size of the tiles is not known: " + err.Error()
	}
	if tile != m.image {
		return EveryImage, fmt.Sprintf("tiles of %s do not fit a table for %s", dims(tile), dims(m.image))
	}
	return Never, fmt.Sprintf("images are cut into tiles of %s, where the table fits as it is; the tower has its own bicubic path for other sizes", dims(tile))
}

// naflex is the rule of SigLIP 2 NaFlex.
func naflex(m model) (When, string) {
	return EveryImage, fmt.Sprintf("images keep their aspect ratio, so the %s table is resampled to the patch grid of each", dims(m.grid))
}

// navit is the rule of towers that take images at their own resolution and keep a table
// beside rotary positions: Ovis 2.5's, which has SigLIP 2's, MoonViT and GLM-4V's.
func navit(m model) (When, string) {
	return EveryImage, fmt.Sprintf("images keep their resolution, so the %s table is resampled to the patch grid of each", dims(m.grid))
}

// qwen3 is the rule of Qwen3-VL.
func qwen3(m model) (When, string) {
	return EveryImage, fmt.Sprintf("the tower resamples its %s table for each image, bilinearly already", dims(m.grid))
}

// noTable is the rule of towers with rotary positions only.
func noTable(model) (When, string) {
	return Never, "rotary positions are computed for any size; there is no table to interpolate"
}

// gain says in words what a faster resampling could bring.
func gain(m model, when When) string {
	switch {
	case when == Never && m.tower.positions == rotary:
		return "none: no table"
	case when == Never:
		return "none: never interpolates"
	case when == OnRequest:
		return "none unless asked to interpolate; then it depends on the kernel's share"
	case when == EveryImage && m.tower.convention != "bicubic":
		return "none from replacing bicubic: it is " + m.tower.convention + " already; else it depends on the kernel's share"
	case when == EveryImage:
		return "depends on the kernel's share of a request: measure it"
	default:
		return "unknown"
	}
}
