package inspect

import (
	"encoding/json"
	"fmt"
)

// Report is what the configuration of one model says.
type Report struct {
	Model        string `json:"model"`        // "google/paligemma-3b-mix-448", from the directory's name
	Architecture string `json:"architecture"` // "PaliGemmaForConditionalGeneration"
	VisionTower  string `json:"vision_tower"` // "SigLIP-So400m/14"; "none" or "unknown (…)"
	// ConfigClass is the class as which transformers loads the tower's configuration:
	// AutoConfig.from_pretrained(model).vision_config.__class__.__name__; "" if the
	// file has none or it is not known.
	ConfigClass string `json:"config_class"`
	UsesSigLIP  Answer `json:"uses_siglip"` // SigLIP 2 included
	// TrainingResolution, height x width in pixels, is where the table fits as it is;
	// for rotary positions the largest image. "" if there is none or it is not known.
	TrainingResolution string `json:"training_resolution"`
	PatchSize          int    `json:"patch_size"` // pixels, 0 if not known
	Grid               string `json:"grid"`       // rows x columns in patches at TrainingResolution
	PositionEmbedding  string `json:"position_embedding"`
	Convention         string `json:"convention"`    // how the table is resampled when it is; "" if it never can be
	Interpolates       Answer `json:"interpolates"`  // as the model is commonly run
	When               When   `json:"when"`          // the same with its condition
	ExpectedGain       string `json:"expected_gain"` // of a faster resampling, in words
	Reason             string `json:"reason"`        // one sentence
}

// When says at which images a tower resamples its position table.
type When string

// The answers to "when?". NotKnown is for towers and families not known here.
const (
	Never      When = "never"
	OnRequest  When = "on request"
	EveryImage When = "every image"
	NotKnown   When = "unknown"
)

// answer says whether a model interpolates without being asked to.
func (w When) answer() Answer {
	switch w {
	case Never, OnRequest:
		return No
	case EveryImage:
		return Yes
	default:
		return Unknown
	}
}

// Answer is yes, no or unknown: true, false and null in JSON.
type Answer int8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

// String returns the answer in a word.
func (a Answer) String() string {
	switch a {
	case No:
		return "no"
	case Yes:
		return "yes"
	default:
		return "unknown"
	}
}

// MarshalJSON writes true, false or null.
func (a Answer) MarshalJSON() ([]byte, error) {
	switch a {
	case No:
		return []byte("false"), nil
	case Yes:
		return []byte("true"), nil
	default:
		return []byte("null"), nil
	}
}

// UnmarshalJSON reads true, false or null.
func (a *Answer) UnmarshalJSON(raw []byte) error {
	var yes *bool
	if err := json.Unmarshal(raw, &yes); err != nil {
		return fmt.Errorf("answer %s: want true, false or null", raw)
	}
	switch {
	case yes == nil:
		*a = Unknown
	case *yes:
		*a = Yes
	default:
		*a = No
	}
	return nil
}

// The kinds of position embedding.
const (
	learned       = "learned"
	rotary        = "rotary"
	learnedRotary = "learned + rotary"
	notKnown      = "unknown"
)
