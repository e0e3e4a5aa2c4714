package vlm

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"strings"

	"siglab/engine/cpu"
	"siglab/engine/imageprep"
	"siglab/engine/modelconfig"
	"siglab/engine/siglip"
	"siglab/engine/weights"
	"siglab/posembed"
)

// EncoderOptions are the choices that are left when an encoder's name is known.
type EncoderOptions struct {
	PosEmbed   *posembed.Mode // how the position table is resampled; nil: exactly as the tower was trained
	Threads    int            // threads that compute; less than 1 for as many as Go may use
	Arithmetic cpu.Arithmetic // of matrix products
	Seed       uint64         // of random weights
	ImageSize  ImageSize      // that images are resized to
}

// Encoder is a SigLIP or SigLIP2 tower on its own, with the text tower that belongs to
// it if there is one, or the vision tower of a vision-language model. It is not safe
// for concurrent use. Close ends its goroutines.
type Encoder struct {
	config    siglip.Config
	text      *siglip.Text // nil if there is none
	tower     *siglip.Tower
	processor *imageprep.Processor
	noImages  error // why there is no processor
	device    *cpu.Device
	warnings  []string

	// Of pairs of image and text: score = cosine·exp(scale) + bias.
	logitScale, logitBias float64
}

// encoderShape is what a configuration says about an encoder.
type encoderShape struct {
	vision siglip.Config
	text   *siglip.TextConfig
	layout weights.Layout
	prefix string // of the vision tower's tensors
}

// OpenEncoder opens the towers of a model's directory, or those of a preset.
func OpenEncoder(name string, o EncoderOptions) (*Encoder, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	open := openTowers
	if strings.HasPrefix(name, presetPrefix) {
		open = openPresetTower
	}
	e, err := open(name, o)
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", name, err)
	}
	return e, nil
}

func openTowers(dir string, o EncoderOptions) (*Encoder, error) {
	config, err := modelconfig.Open(dir)
	if err != nil {
		return nil, err
	}
	shape, err := parseEncoder(config)
	if err != nil {
		return nil, err
	}
	checkpoint, err := weights.Open(dir, shape.layout)
	if err != nil {
		return nil, err
	}
	defer checkpoint.Close() //nolint:errcheck // read-only; nothing of it is used any more
	e := &Encoder{device: cpu.New(cpu.Options{Threads: o.Threads, Arithmetic: o.Arithmetic})}
	var assumed []string
	if e.processor, e.noImages = imageprep.ReadConfig(dir); errors.Is(e.noImages, fs.ErrNotExist) {
		e.processor, e.noImages = defaultProcessor(shape.vision)
		assumed = []string{"there is no preprocessor_config.json: images are prepared as SigLIP's processor does by default"}
	}
	if e.processor != nil && e.processor.Layout == imageprep.Tiled {
		whole := *e.processor
		whole.Layout = imageprep.Fixed // its tower alone sees the whole image
		e.processor = &whole
	}
	l := weights.NewLoader(checkpoint, e.device)
	if err := e.load(l, l.Finish, shape, o); err != nil {
		e.Close()
		return nil, err
	}
	e.warnings = append(e.warnings, assumed...)
	return e, nil
}

// defaultProcessor is transformers' for a tower that comes without a file that says how
// its images are prepared.
func defaultProcessor(c siglip.Config) (*imageprep.Processor, error) {
	config := fmt.Sprintf(`{"image_processor_type": "SiglipImageProcessor", "size": {"height": %d, "width": %[1]d}}`, c.Side)
	if c.Order == siglip.ByPixel {
		config = fmt.Sprintf(`{"image_processor_type": "Siglip2ImageProcessor", "patch_size": %d, "max_num_patches": %d}`, c.Patch, c.Trained.Len())
	}
	return imageprep.ParseConfig([]byte(config))
}

func openPresetTower(name string, o EncoderOptions) (*Encoder, error) {
	p, err := findPreset(name)
	if err != nil {
		return nil, err
	}
	e := &Encoder{device: cpu.New(cpu.Options{Threads: o.Threads, Arithmetic: o.Arithmetic}), processor: p.processor()}
	d := newDraw(p, o.Seed, e.device)
	if err := e.load(d, d.finish, encoderShape{vision: p.tower, prefix: towerPrefix}, o); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// parseEncoder reads the configuration of a tower, of two, or of a model that has one.
func parseEncoder(o *modelconfig.Object) (encoderShape, error) {
	var s encoderShape
	switch kind := o.String("model_type", ""); kind {
	case "siglip_vision_model", "siglip2_vision_model":
		s.vision = siglip.ParseConfig(o)
		s.layout.Prefixes = []weights.Prefix{{Stored: "vision_model."}}
		s.layout.Unused = []string{"text_model.", "logit_scale", "logit_bias"}
	case "siglip", "siglip2":
		s.prefix = "vision_model."
		s.vision = siglip.ParseConfig(withType(o, "vision_config", kind+"_vision_model"))
		text := siglip.ParseTextConfig(o.Object("text_config"))
		s.text = &text
	default:
		a, err := parseArchitecture(o)
		if err != nil {
			return s, err
		}
		s.prefix, s.vision, s.layout = towerPrefix, a.tower, a.layout
		s.vision.States = nil // the last norm's output, as the tower alone gives it
		s.layout.Unused = []string{towerPrefix + "head.", decoderPrefix, projectorPrefix, "lm_head.", newlineName}
	}
	if !s.vision.Head {
		s.layout.Unused = append(s.layout.Unused, s.prefix+"head.")
	}
	return s, o.Err()
}

// withType is a nested configuration whose model_type, if it has none, is the given.
func withType(o *modelconfig.Object, key, kind string) *modelconfig.Object {
	nested := o.Object(key)
	nested.Default("model_type", kind)
	return nested
}

func (e *Encoder) load(s source, finish func() ([]string, error), shape encoderShape, o EncoderOptions) (err error) {
	if p := e.processor; p != nil && p.Layout == imageprep.Patched && (p.Patch != shape.vision.Patch || shape.vision.Order != siglip.ByPixel) {
		e.processor, e.noImages = nil, fmt.Errorf("the image processor cuts patches of %d pixels for a SigLIP2 tower, which this one, with patches of %d, is not: see preprocessor_config.json", p.Patch, shape.vision.Patch)
	}
	if e.processor != nil {
		if e.processor, err = o.ImageSize.apply(e.processor, shape.vision.Patch); err != nil {
			return err
		}
	}
	e.config = shape.vision
	vision := siglip.Load(s, shape.vision, shape.prefix)
	var text *siglip.TextWeights
	var scale, bias []float32
	if shape.text != nil {
		text = siglip.LoadText(s, *shape.text, "text_model.")
		scale, bias = s.Vector("logit_scale", 1), s.Vector("logit_bias", 1)
	}
	if e.warnings, err = finish(); err != nil {
		return err
	}
	mode := posembed.Exact
	if shape.vision.Order == siglip.ByPixel {
		mode = posembed.Antialias
	}
	if o.PosEmbed != nil {
		mode = *o.PosEmbed
	}
	if e.tower, err = siglip.New(shape.vision, vision, mode, e.device); err != nil {
		return err
	}
	if shape.text != nil {
		e.text = siglip.NewText(*shape.text, text, e.device)
		e.logitScale, e.logitBias = float64(scale[0]), float64(bias[0])
	}
	return nil
}

// Warnings is what was odd about the checkpoint, in sentences for people.
func (e *Encoder) Warnings() []string { return e.warnings }

// Close ends the encoder's goroutines and waits for them; closing it again does
// nothing.
func (e *Encoder) Close() { e.device.Close() }

// Config is the vision tower's shape.
func (e *Encoder) Config() siglip.Config { return e.config }

// Prepare makes an image the tower's input: patches of it, of the whole where a model
// would also look at tiles.
func (e *Encoder) Prepare(img image.Image) (siglip.Patches, error) {
	if e.processor == nil {
		return siglip.Patches{}, e.noImages
	}
	return e.prepare(e.processor, img)
}

// PrepareAt is Prepare for an image that is resized to fill a grid of patches.
func (e *Encoder) PrepareAt(img image.Image, grid posembed.Grid) (siglip.Patches, error) {
	if e.processor == nil {
		return siglip.Patches{}, e.noImages
	}
	p, err := e.processor.WithSize(grid.Rows*e.config.Patch, grid.Cols*e.config.Patch)
	if err != nil {
		return siglip.Patches{}, err
	}
	return e.prepare(p, img)
}

func (e *Encoder) prepare(p *imageprep.Processor, img image.Image) (siglip.Patches, error) {
	in, err := p.Process(img)
	if err != nil {
		return siglip.Patches{}, err
	}
	if in.Layout == imageprep.Patched {
		grid := posembed.Grid{Rows: in.Rows, Cols: in.Cols}
		size := 3 * e.config.Patch * e.config.Patch
		return siglip.Patches{Values: in.Data[:grid.Len()*size], Grid: grid}, nil
	}
	return e.tower.Unfold(in.Data[:3*in.Height*in.Width], in.Height, in.Width)
}

// Unfold makes normalised pixels [3, height, width] the tower's input.
func (e *Encoder) Unfold(pixels []float32, height, width int) (siglip.Patches, error) {
	return e.tower.Unfold(pixels, height, width)
}

// Encode is everything that the tower computes of an image.
func (e *Encoder) Encode(p siglip.Patches) (siglip.Output, error) { return e.tower.Encode(p) }

// Texts reports whether there is a text tower.
func (e *Encoder) Texts() bool { return e.text != nil }

// TextLength is the number of tokens that texts are filled up to, 0 without a text
// tower. The tokenizer's pad token is right for it; where the configuration's differs,
// transformers never uses that.
func (e *Encoder) TextLength() int {
	if e.text == nil {
		return 0
	}
	return e.text.Length()
}

// EncodeText is the text tower's result for a text's tokens, filled up with the
// configuration's pad token.
func (e *Encoder) EncodeText(tokens []int) ([]float32, error) {
	if e.text == nil {
		return nil, errors.New("this model has no text tower: use a SiglipModel or Siglip2Model")
	}
	return e.text.Encode(tokens)
}

// Score says how well an image and a text go together, by the results of both towers:
// the cosine of their angle, and the logit of the probability that they are a pair.
func (e *Encoder) Score(image, text []float32) (cosine, logit float64) {
	if len(image) != len(text) {
		return math.NaN(), math.NaN()
	}
	dot, a, b := 0.0, 0.0, 0.0
	for i, v := range image {
		dot += float64(v) * float64(text[i])
		a += float64(v) * float64(v)
		b += float64(text[i]) * float64(text[i])
	}
	cosine = dot / math.Sqrt(a*b)
	return cosine, cosine*math.Exp(e.logitScale) + e.logitBias
}
