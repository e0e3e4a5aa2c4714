package imageprep

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// largestConfig bounds a configuration file, in bytes.
const largestConfig = 1 << 20

// ReadConfig reads the image processor of a model's directory as transformers 5.19
// does: the section image_processor of processor_config.json if there is one, else
// preprocessor_config.json. Where neither names the processor, the model_type in
// config.json does.
func ReadConfig(dir string) (*Processor, error) {
	var nested struct {
		ImageProcessor json.RawMessage `json:"image_processor"`
	}
	name := "processor_config.json"
	data, err := readSmall(filepath.Join(dir, name))
	if err == nil {
		if err := json.Unmarshal(data, &nested); err != nil {
			return nil, fmt.Errorf("parse %s: %w", filepath.Join(dir, name), err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	data = nested.ImageProcessor
	if len(data) == 0 || string(data) == "null" {
		name = "preprocessor_config.json"
		data, err = readSmall(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("how images are prepared for this model is unknown: %w", err)
		}
	}
	var model struct {
		Type string `json:"model_type"`
	}
	if config, err := readSmall(filepath.Join(dir, "config.json")); err == nil {
		if err := json.Unmarshal(config, &model); err != nil {
			return nil, fmt.Errorf("parse %s: %w", filepath.Join(dir, "config.json"), err)
		}
	}
	p, err := parseConfig(data, modelTypes[model.Type])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return p, nil
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, largestConfig+1))
	if err == nil && len(data) > largestConfig {
		err = fmt.Errorf("%s has more than %d bytes", name, largestConfig)
	}
	return data, err
}

// ParseConfig parses the JSON of a preprocessor_config.json. What it leaves out is as
// in the class that it names. Keys that no supported processor knows are ignored, and
// do_convert_rgb is always on.
func ParseConfig(data []byte) (*Processor, error) { return parseConfig(data, "") }

// modelTypes are the processors of models whose configuration does not name one.
var modelTypes = map[string]string{
	"siglip": "Siglip", "siglip2": "Siglip2", "paligemma": "Siglip", "clip": "CLIP", "llava": "Llava",
	"llava_next": "LlavaNext", "llava_onevision": "LlavaOnevision", "gemma3": "Gemma3",
}

// configJSON is the file; a nil field was left out.
type configJSON struct {
	Type        string      `json:"image_processor_type"`
	LegacyType  string      `json:"feature_extractor_type"`
	DoResize    *bool       `json:"do_resize"`
	Size        *sizeJSON   `json:"size"`
	Resample    *int        `json:"resample"`
	DoCrop      *bool       `json:"do_center_crop"`
	CropSize    *sizeJSON   `json:"crop_size"`
	DoRescale   *bool       `json:"do_rescale"`
	Factor      *float64    `json:"rescale_factor"`
	DoNormalize *bool       `json:"do_normalize"`
	Mean        *tripleJSON `json:"image_mean"`
	Std         *tripleJSON `json:"image_std"`
	DoPad       *bool       `json:"do_pad"`
	PadSize     *sizeJSON   `json:"pad_size"`
	Pinpoints   [][]int     `json:"image_grid_pinpoints"`
	Patch       *int        `json:"patch_size"`
	MaxPatches  *int        `json:"max_num_patches"`
	PanAndScan  *bool       `json:"do_pan_and_scan"`
}

// sizeJSON is a size as processors write it: a number, [height, width] or an object.
type sizeJSON struct {
	side   int // of a bare number
	object Size
}

func (s *sizeJSON) UnmarshalJSON(data []byte) error {
	*s = sizeJSON{}
	if json.Unmarshal(data, &s.side) == nil {
		return nil
	}
	var pair []int
	if json.Unmarshal(data, &pair) == nil && len(pair) == 2 {
		s.object = Size{Height: pair[0], Width: pair[1]}
		return nil
	}
	var object struct {
		Height       int `json:"height"`
		Width        int `json:"width"`
		ShortestEdge int `json:"shortest_edge"`
		LongestEdge  int `json:"longest_edge"`
		MaxHeight    int `json:"max_height"`
		MaxWidth     int `json:"max_width"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return fmt.Errorf("the size %.80s is not a number, a pair or an object of numbers", data)
	}
	s.object = Size(object)
	return nil
}

// resolve turns a bare number into a square or a shortest edge, and checks the rest.
func (s *sizeJSON) resolve(name string, square bool) (Size, error) {
	size := s.object
	switch {
	case s.side != 0 && square:
		size = Size{Height: s.side, Width: s.side}
	case s.side != 0:
		size = Size{ShortestEdge: s.side}
	}
	for _, v := range []int{size.Height, size.Width, size.ShortestEdge, size.MaxHeight, size.MaxWidth} {
		if v < 0 || v > largestSide {
			return Size{}, fmt.Errorf("%s has a side of %d pixels, not between 1 and %d", name, v, largestSide)
		}
	}
	sized := size.Height > 0 && size.Width > 0
	if !sized && size.ShortestEdge == 0 && (size.MaxHeight == 0 || size.MaxWidth == 0) || size.LongestEdge < 0 {
		return Size{}, fmt.Errorf("%s needs height and width, shortest_edge, or max_height and max_width, each at least 1", name)
	}
	return size, nil
}

// tripleJSON is one number for all channels, or one for each.
type tripleJSON [3]float64

func (t *tripleJSON) UnmarshalJSON(data []byte) error {
	var one float64
	if json.Unmarshal(data, &one) == nil {
		*t = tripleJSON{one, one, one}
		return nil
	}
	var many []float64
	if err := json.Unmarshal(data, &many); err != nil || len(many) != 3 {
		return fmt.Errorf("%.80s is not a number or three of them", data)
	}
	copy(t[:], many)
	return nil
}

func parseConfig(data []byte, fallback string) (*Processor, error) {
	var c configJSON
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("parse the image processor's configuration: %w", err)
	}
	name := processorName(c.Type, c.LegacyType)
	if name == "" {
		name = fallback
	}
	d, ok := defaults(name)
	if !ok {
		return nil, fmt.Errorf("image_processor_type %q is not known; these are: Siglip, Siglip2, CLIP, Llava, LlavaNext, LlavaOnevision and Gemma3ImageProcessor", c.Type+c.LegacyType)
	}
	p := &d.processor
	if err := c.apply(&d); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// processorName is the class without what its back ends and older versions append.
func processorName(names ...string) string {
	for _, name := range names {
		for _, suffix := range []string{"Pil", "Fast", "ImageProcessor", "FeatureExtractor"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if name != "" {
			return name
		}
	}
	return ""
}

// apply sets what the configuration says over the defaults of its class.
func (c *configJSON) apply(d *classDefaults) error {
	p := &d.processor
	set(&p.Resize, c.DoResize)
	set(&p.Rescale, c.DoRescale)
	set(&p.Factor, c.Factor)
	set(&p.Normalize, c.DoNormalize)
	set(&p.Mean, (*[3]float64)(c.Mean))
	set(&p.Std, (*[3]float64)(c.Std))
	set(&p.Patch, c.Patch)
	set(&p.MaxPatches, c.MaxPatches)
	set((*int)(&p.Filter), c.Resample)
	set(&d.crop, c.DoCrop)
	var err error
	if c.Size != nil && p.Layout != Patched {
		if p.Size, err = c.Size.resolve("size", d.squareSize); err != nil {
			return err
		}
	}
	if c.CropSize != nil {
		if p.Crop, err = c.CropSize.resolve("crop_size", true); err != nil {
			return err
		}
	}
	if c.Pinpoints != nil && p.Layout == Tiled {
		if p.Pinpoints, err = pinpoints(c.Pinpoints); err != nil {
			return err
		}
	}
	if c.DoPad != nil && *c.DoPad {
		p.Square = d.name == "Llava"
		if p.Layout == Fixed && c.PadSize != nil {
			return errors.New("pad_size is not supported: no SigLIP model uses it")
		}
	}
	if d.name == "Gemma3" && c.PanAndScan != nil && *c.PanAndScan {
		return errors.New("do_pan_and_scan is not supported: set it to false or null")
	}
	if p.Layout == Tiled {
		p.Tile = cmp.Or(p.Crop.Height, p.Size.Height, p.Size.ShortestEdge) // whether or not it is cropped
	}
	if !d.crop {
		p.Crop = Size{}
	} else if p.Crop.Height == 0 || p.Crop.Width == 0 {
		return errors.New("do_center_crop needs a crop_size with height and width")
	}
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func pinpoints(pairs [][]int) ([]Size, error) {
	var sizes []Size
	for _, pair := range pairs {
		if len(pair) != 2 {
			return nil, fmt.Errorf("image_grid_pinpoints has %v, which is not a height and a width", pair)
		}
		if err := checkSize(pair[0], pair[1]); err != nil {
			return nil, fmt.Errorf("image_grid_pinpoints has %v: %w", pair, err)
		}
		sizes = append(sizes, Size{Height: pair[0], Width: pair[1]})
	}
	return sizes, nil
}

// check refuses what could not be computed.
func (p *Processor) check() error {
	if !p.Filter.valid() {
		return fmt.Errorf("resample is %d: Pillow's filters are 0 to %d", int(p.Filter), len(filterNames)-1)
	}
	for c, std := range p.Std {
		if p.Normalize && float32(std) == 0 {
			return fmt.Errorf("image_std has %v for channel %d: it divides", std, c)
		}
	}
	switch p.Layout {
	case Tiled:
		if len(p.Pinpoints) == 0 {
			return errors.New("image_grid_pinpoints is empty: no resolution to choose from")
		}
		if p.Tile < 1 || p.Tile > largestSide {
			return fmt.Errorf("the tiles have %d pixels a side, not between 1 and %d: size needs height and width, or shortest_edge", p.Tile, largestSide)
		}
	case Patched:
		if p.Patch < 1 || p.Patch > largestPatch {
			return fmt.Errorf("patch_size is %d, not between 1 and %d", p.Patch, largestPatch)
		}
		if p.MaxPatches < 1 || p.MaxPatches > largestArea/(p.Patch*p.Patch) {
			return fmt.Errorf("max_num_patches is %d, not between 1 and %d", p.MaxPatches, largestArea/(p.Patch*p.Patch))
		}
	}
	return nil
}
