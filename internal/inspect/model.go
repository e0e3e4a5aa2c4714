package inspect

import (
	"errors"
	"fmt"
	"math"
)

// model is a configuration, taken apart as far as it is known.
type model struct {
	config fields
	kind   string // the model's own model_type
	// vision is the tower's configuration, nil where only its name is given or nothing
	// is known of it.
	vision     fields
	visionKey  string // where vision was found, for messages
	named      string // hub id of the tower, of checkpoints that give only that
	standalone bool   // the tower or its image-text pair, without a language model

	tower  tower
	known  bool   // tower is set
	image  [2]int // height and width in pixels at which the table fits; 0 if not known
	patch  int    // edge in pixels
	grid   [2]int // rows and columns in patches
	hidden int
}

// ErrTextOnly is the error for configurations without any vision tower.
var ErrTextOnly = errors.New("has no vision_config: a text-only model has nothing to resample")

// visionKeys are the keys under which a tower's configuration is found:
// transformers', Ovis', and Mistral's own format.
var visionKeys = [...]string{"vision_config", "vit_config", "vision_encoder"}

// understand finds the vision tower in a configuration.
func understand(config fields) (model, error) {
	m := model{config: config, kind: config.text("model_type")}
	if err := m.findVision(); err != nil {
		return m, err
	}
	if m.vision == nil {
		return m, nil
	}
	m.tower, m.known = towerOf(m.towerType())
	if !m.known {
		return m, nil
	}
	if m.tower.modelType == "siglip2_navit" && !m.vision.yes("preserve_original_pe") {
		m.tower = m.tower.withoutTable()
	}
	if err := m.measure(); err != nil {
		return m, fmt.Errorf("%s: %w", m.visionKey, err)
	}
	return m, nil
}

// findVision sets where the tower is described.
func (m *model) findVision() error {
	for _, key := range visionKeys {
		vision, err := m.config.object(key)
		if err != nil {
			return err
		}
		if vision != nil {
			m.vision, m.visionKey, m.standalone = vision, key, isPair(m.kind)
			return nil
		}
	}
	if isPair(m.kind) { // all of its tower is as the class has it
		m.vision, m.visionKey, m.standalone = fields{}, "vision_config", true
		return nil
	}
	if _, ok := towerOf(m.kind); ok { // the configuration of a tower saved alone
		m.vision, m.visionKey, m.standalone = m.config, "config", true
		return nil
	}
	if m.named = m.config.text("mm_vision_tower"); m.named != "" {
		m.vision, _ = namedTower(m.named)
		m.visionKey = "mm_vision_tower"
		return nil
	}
	return ErrTextOnly
}

// towerType returns the type of the tower. Configurations of models whose class has
// one tower only need not give it.
func (m *model) towerType() string {
	if t := m.vision.text("model_type"); t != "" {
		return t
	}
	if m.visionKey == "vision_encoder" {
		return "pixtral" // Mistral's format knows no other
	}
	if isPair(m.kind) {
		return m.kind + "_vision_model"
	}
	return m.kind
}

// isPair reports whether a model type is an image and a text tower that are trained
// together, without a language model.
func isPair(kind string) bool { return kind == "siglip" || kind == "siglip2" || kind == "clip" }

// measure reads the sizes of a known tower.
func (m *model) measure() error {
	var err error
	if m.hidden, err = m.vision.number("hidden_size", m.tower.hidden); err != nil {
		return err
	}
	patch, err := m.vision.edges("patch_size", m.tower.patch)
	if err != nil {
		return err
	}
	if patch[0] != patch[1] {
		return fmt.Errorf("patch_size is %s; only square patches are known", dims(patch))
	}
	m.patch = patch[0]
	if m.tower.table != "" {
		return m.measureTable()
	}
	if m.tower.side > 0 {
		return m.measureSides()
	}
	if m.tower.image == 0 {
		return nil // rotary positions without a largest image
	}
	if m.image, err = m.vision.edges("image_size", m.tower.image); err != nil {
		return err
	}
	if m.image[0] < m.patch || m.image[1] < m.patch {
		return fmt.Errorf("patch_size %d is larger than image_size %s", m.patch, dims(m.image))
	}
	// Pixels that fill no whole patch are dropped: 384 / 14 gives 27.
	m.grid = [2]int{m.image[0] / m.patch, m.image[1] / m.patch}
	return nil
}

// measureTable takes the sizes from the number of positions of a square table.
func (m *model) measureTable() error {
	n, err := m.vision.number(m.tower.table, m.tower.tableSize)
	if err != nil {
		return err
	}
	side := int(math.Sqrt(float64(n)))
	if side*side != n {
		return fmt.Errorf("%s is %d, not the square of a number: the table's grid is not known", m.tower.table, n)
	}
	m.grid = [2]int{side, side}
	m.image = [2]int{side * m.patch, side * m.patch}
	return nil
}

// measureSides takes the sizes from the rows and columns of a table.
func (m *model) measureSides() error {
	for i, key := range m.tower.sides {
		n, err := m.vision.number(key, m.tower.side)
		if err != nil {
			return err
		}
		m.grid[i], m.image[i] = n, n*m.patch
	}
	return nil
}

// dims prints a height and width, "" if they are not known.
func dims(d [2]int) string {
	if d == [2]int{} {
		return ""
	}
	return fmt.Sprintf("%dx%d", d[0], d[1])
}
