package inspect

import (
	"errors"
	"fmt"
)

// Inspect reports on the models that path stands for: a model's directory, its
// config.json or params.json, or a directory of model directories.
//
// In a directory of models a text-only model gets a report, too, and a model that
// cannot be read does not hide the others: their reports are returned beside the
// joined errors.
func Inspect(path string) ([]Report, error) {
	sources, several, err := find(path)
	if err != nil {
		return nil, err
	}
	var reports []Report
	var failures []error
	for _, s := range sources {
		config, err := readFields(s.file)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		r, err := reportOn(config)
		if err != nil && (!several || !errors.Is(err, ErrTextOnly)) {
			failures = append(failures, fmt.Errorf("%s: %w", s.file, err))
			continue
		}
		r.Model = s.model
		reports = append(reports, r)
	}
	return reports, errors.Join(failures...)
}

// reportOn says what a configuration means. For a text-only one there is a report
// as well as ErrTextOnly.
func reportOn(config fields) (Report, error) {
	m, err := understand(config)
	r := Report{Architecture: architecture(config)}
	switch {
	case errors.Is(err, ErrTextOnly):
		r.VisionTower, r.PositionEmbedding = "none", "none"
		r.UsesSigLIP, r.When = No, Never
		r.Interpolates = r.When.answer()
		r.ExpectedGain, r.Reason = "none: no vision tower", "a text-only model has nothing to resample"
		return r, err
	case err != nil:
		return r, err
	case !m.known:
		return m.unknown(r), nil
	}
	r.VisionTower = m.tower.name(m.hidden, m.patch)
	if m.named == "" && m.visionKey != "vision_encoder" {
		r.ConfigClass = m.tower.class // the others have nothing that transformers loads
	}
	r.UsesSigLIP = m.tower.siglip
	r.TrainingResolution, r.PatchSize, r.Grid = dims(m.image), m.patch, dims(m.grid)
	r.PositionEmbedding, r.Convention = m.tower.positions, m.tower.convention
	r.When, r.Reason = m.tower.when(m)
	if m.tower.siglip == No {
		r.Reason = m.tower.family + ", not SigLIP: " + r.Reason
	}
	r.Interpolates = r.When.answer()
	r.ExpectedGain = gain(m, r.When)
	return r, nil
}

// unknown completes the report on a tower that is not known.
func (m model) unknown(r Report) Report {
	name := m.named
	if name == "" {
		name = m.towerType()
	}
	r.VisionTower = "unknown"
	if name != "" {
		r.VisionTower = fmt.Sprintf("unknown (%s)", name)
	}
	r.PositionEmbedding, r.ExpectedGain = notKnown, notKnown
	r.When = NotKnown
	r.Interpolates = r.When.answer()
	r.Reason = "this vision tower is not known here; whether it resamples positions is in its modelling code"
	return r
}

// architecture names the model's class, else its type.
func architecture(config fields) string {
	if name := config.first("architectures"); name != "" {
		return name
	}
	if kind := config.text("model_type"); kind != "" {
		return kind
	}
	if config.has("vision_encoder") {
		return "PixtralForConditionalGeneration" // as vLLM runs Mistral's own format
	}
	return notKnown
}
