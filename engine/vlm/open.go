package vlm

import (
	"fmt"
	"slices"
	"strings"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/tokenizer"
	"siglab/posembed"
)

// Options are the choices that are left when a model's name is known.
type Options struct {
	PosEmbed posembed.Mode // how the position table is resampled
	Threads  int           // threads that compute; less than 1 for as many as Go may use
	Seed     uint64        // of random weights
}

// CheckName reports whether Open knows the name: nil for a preset of random
// weights, such as "random:tiny", otherwise an error that says what to use instead.
func CheckName(name string) error {
	_, err := findPreset(name)
	return err
}

// findPreset is the preset that a name stands for.
func findPreset(name string) (preset, error) {
	const prefix = "random:"
	names := make([]string, 0, 1)
	for _, p := range presets() {
		names = append(names, prefix+p.name)
	}
	list := strings.Join(names, ", ")
	if !strings.HasPrefix(name, prefix) {
		return preset{}, fmt.Errorf("model %q: published checkpoints, by directory or hub id, are not supported in this version; use %s", name, list)
	}
	i := slices.Index(names, name)
	if i < 0 {
		return preset{}, fmt.Errorf("model %q: no such preset of random weights; presets: %s", name, list)
	}
	return presets()[i], nil
}

// Open makes the model of a name that CheckName accepts. Equal seeds give equal
// weights.
func Open(name string, o Options) (*Model, error) {
	p, err := findPreset(name)
	if err != nil {
		return nil, err
	}
	return open(name, p, o)
}

// open builds a preset's model.
func open(name string, p preset, o Options) (*Model, error) {
	m := &Model{name: name, preset: p, mode: o.PosEmbed, tokenizer: tokenizer.NewTiny()}
	if got := m.tokenizer.VocabSize(); got != p.decoder.Vocab {
		return nil, fmt.Errorf("model %q: the tokenizer has %d tokens and the decoder %d", name, got, p.decoder.Vocab)
	}
	m.device = cpu.New(cpu.Options{Threads: o.Threads})
	w, err := randomWeights(p, o.Seed, m.device)
	if err == nil {
		err = m.assemble(w)
	}
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("model %q: %w", name, err)
	}
	return m, nil
}

// assemble binds the weights to the device.
func (m *Model) assemble(w weights) error {
	var err error
	if m.tower, err = siglip.New(m.preset.tower, &w.tower, m.mode, m.device); err != nil {
		return err
	}
	if m.projector, err = projector.New(m.preset.tower.Hidden, m.preset.decoder.Hidden, &w.projector, m.device); err != nil {
		return err
	}
	m.decoder, err = decoder.New(m.preset.decoder, &w.decoder, m.device)
	return err
}
