package vlm

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/imageprep"
	"siglab/engine/modelconfig"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/engine/tokenizer"
	"siglab/engine/weights"
	"siglab/posembed"
)

// Options are the choices that are left when a model's name is known.
type Options struct {
	PosEmbed    posembed.Mode  // how the position table is resampled
	Threads     int            // threads that compute; less than 1 for as many as Go may use
	Arithmetic  cpu.Arithmetic // of matrix products
	Seed        uint64         // of random weights
	ImageSize   ImageSize      // that images are resized to
	MaxModelLen int            // tokens of a sequence; less than 1 for as many as the model was made for
}

// ImageSize is the size of the images that a vision tower sees. The zero value is the
// model's own.
type ImageSize struct {
	Native        bool // every image's own size, in whole patches
	Height, Width int  // pixels, unless Native
}

// ParseImageSize reads "HxW" in pixels, "native", or "" for the model's own.
func ParseImageSize(s string) (ImageSize, error) {
	switch s {
	case "":
		return ImageSize{}, nil
	case "native":
		return ImageSize{Native: true}, nil
	}
	height, width, ok := strings.Cut(s, "x")
	h, errH := strconv.Atoi(height)
	w, errW := strconv.Atoi(width)
	const most = 1 << 14
	if !ok || errH != nil || errW != nil || h < 1 || w < 1 || h > most || w > most {
		return ImageSize{}, fmt.Errorf("image size %q: want HEIGHTxWIDTH in pixels, such as 448x336, or native", s)
	}
	return ImageSize{Height: h, Width: w}, nil
}

// apply is a processor that makes images of the size; patch is the tower's.
func (s ImageSize) apply(p *imageprep.Processor, patch int) (*imageprep.Processor, error) {
	switch {
	case s.Native:
		return p.WithNativeSize(patch)
	case s == ImageSize{}:
		return p, nil
	case s.Height < patch || s.Width < patch:
		return nil, fmt.Errorf("image size %dx%d: want at least one patch of %d pixels", s.Height, s.Width, patch)
	}
	return p.WithSize(s.Height, s.Width)
}

// CheckName reports whether Open knows the name: nil for a preset of random weights,
// such as "random:tiny", and for a directory with a config.json, otherwise an error
// that says what to use instead.
func CheckName(name string) error {
	if strings.HasPrefix(name, presetPrefix) {
		_, err := findPreset(name)
		return err
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return fmt.Errorf("model %q is neither a directory nor a preset of random weights: download the model and name its directory, or use one of %s",
			name, strings.Join(presetNames(), ", "))
	}
	if _, err := os.Stat(filepath.Join(name, "config.json")); err != nil {
		return fmt.Errorf("model directory %s has no config.json", name)
	}
	return nil
}

// Open makes the model of a name that CheckName accepts: random weights of a preset,
// of which equal seeds give equal ones, or a published checkpoint's.
func Open(name string, o Options) (*Model, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	open := openCheckpoint
	if strings.HasPrefix(name, presetPrefix) {
		open = openPreset
	}
	m, err := open(name, o)
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", name, err)
	}
	return m, nil
}

// openCheckpoint opens a model's directory.
func openCheckpoint(dir string, o Options) (*Model, error) {
	config, err := modelconfig.Open(dir)
	if err != nil {
		return nil, err
	}
	arch, err := parseArchitecture(config)
	if err != nil {
		return nil, err
	}
	const maxImages = 16 // what one request may make the server do
	m := &Model{name: dir, arch: arch, maxImages: maxImages}
	if m.tokenizer, err = tokenizer.Open(dir); err != nil {
		return nil, err
	}
	if m.processor, err = imageprep.ReadConfig(dir); err != nil {
		return nil, err
	}
	checkpoint, err := weights.Open(dir, arch.layout)
	if err != nil {
		return nil, err
	}
	defer checkpoint.Close() //nolint:errcheck // read-only; nothing of it is used any more
	m.device = cpu.New(cpu.Options{Threads: o.Threads, Arithmetic: o.Arithmetic})
	l := weights.NewLoader(checkpoint, m.device)
	if err := m.load(l, l.Finish, o); err != nil {
		m.Close()
		return nil, err
	}
	m.bytes = l.Bytes()
	return m, nil
}

// source hands out the tensors of all parts by name.
type source interface {
	Vector(name string, shape ...int) []float32
	Matrix(name string, out int, in ...int) tensor.Matrix
	Rows(name string, total, in, first, count int) tensor.Matrix
	Transposed(name string, in, out int) tensor.Matrix
}

// load takes all parts out of a source and puts the model together, if finish then
// says that they are complete.
func (m *Model) load(s source, finish func() ([]string, error), o Options) (err error) {
	a := &m.arch
	if m.processor, err = o.ImageSize.apply(m.processor, a.tower.Patch); err != nil {
		return err
	}
	m.mode, m.maxLen = o.PosEmbed, a.decoder.MaxPositions
	if o.MaxModelLen > 0 {
		m.maxLen = min(m.maxLen, o.MaxModelLen)
	}
	tower := siglip.Load(s, a.tower, towerPrefix)
	between := projector.Load(s, a.projector, projectorPrefix)
	text := decoder.Load(s, a.decoder, decoderPrefix)
	if a.tiling != nil {
		m.newline = s.Vector(newlineName, a.decoder.Hidden)
	}
	if m.warnings, err = finish(); err != nil {
		return err
	}
	if m.tower, err = siglip.New(a.tower, tower, m.mode, m.device); err != nil {
		return err
	}
	// What loading left behind may be as large as the largest tensor, or the model.
	debug.FreeOSMemory()
	m.projector = projector.New(a.projector, between, m.device)
	m.decoder = decoder.New(a.decoder, text, m.device)
	return nil
}
