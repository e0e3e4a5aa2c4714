package inspect

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// Original LLaVA checkpoints have no vision_config: they name the tower by its hub
// id, from which the published towers' sizes can be read. Other names say nothing
// certain.
var (
	siglipName = regexp.MustCompile(`^google/siglip2?-(base|large|so400m|giant-opt)-patch(14|16|32)-(224|256|384|512)$`)
	clipName   = regexp.MustCompile(`^openai/clip-vit-(base|large)-patch(14|16|32)(-336)?$`)
)

// width returns the hidden size of a published name.
func width(name string) string {
	switch name {
	case "base":
		return "768"
	case "large":
		return "1024"
	case "so400m":
		return "1152"
	default: // giant-opt
		return "1536"
	}
}

// namedTower returns the vision configuration that a tower's hub id stands for, and
// whether it is known. SigLIP 2 towers of a fixed size have SigLIP's architecture.
func namedTower(id string) (fields, bool) {
	if m := siglipName.FindStringSubmatch(id); m != nil {
		return visionFields("siglip_vision_model", width(m[1]), m[2], m[3]), true
	}
	if m := clipName.FindStringSubmatch(id); m != nil {
		size := "224"
		if m[3] != "" {
			size = "336"
		}
		return visionFields("clip_vision_model", width(m[1]), m[2], size), true
	}
	return nil, false
}

func visionFields(modelType, hidden, patch, image string) fields {
	return fields{
		"model_type":  json.RawMessage(strconv.Quote(modelType)),
		"hidden_size": json.RawMessage(hidden),
		"patch_size":  json.RawMessage(patch),
		"image_size":  json.RawMessage(image),
	}
}
