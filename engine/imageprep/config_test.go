package imageprep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConfigErrors(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"not JSON", `{`, "parse"},
		{"no class", `{}`, "image_processor_type"},
		{"an unknown class", `{"image_processor_type": "ViTImageProcessor"}`, "ViTImageProcessor"},
		{"an unknown filter", `{"image_processor_type": "SiglipImageProcessor", "resample": 8}`, "resample is 8"},
		{"a huge size", `{"image_processor_type": "SiglipImageProcessor", "size": {"height": 100000, "width": 4}}`, "100000"},
		{"half a size", `{"image_processor_type": "SiglipImageProcessor", "size": {"height": 4}}`, "needs height and width"},
		{"a negative side", `{"image_processor_type": "SiglipImageProcessor", "size": -4}`, "-4"},
		{"a size in words", `{"image_processor_type": "SiglipImageProcessor", "size": "large"}`, "large"},
		{"two means", `{"image_processor_type": "SiglipImageProcessor", "image_mean": [0.5, 0.5]}`, "three"},
		{"a deviation of 0", `{"image_processor_type": "SiglipImageProcessor", "image_std": [0.5, 0, 0.5]}`, "channel 1"},
		{"a crop without size", `{"image_processor_type": "SiglipImageProcessor", "do_center_crop": true}`, "crop_size"},
		{"pan and scan", `{"image_processor_type": "Gemma3ImageProcessor", "do_pan_and_scan": true}`, "pan_and_scan"},
		{"a pad size", `{"image_processor_type": "SiglipImageProcessor", "do_pad": true, "pad_size": 4}`, "pad_size"},
		{"no pinpoint", `{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": []}`, "pinpoints"},
		{"a pinpoint of three", `{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": [[1,2,3]]}`, "[1 2 3]"},
		{"a huge pinpoint", `{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": [[1,2000000]]}`, "2000000"},
		{"a patch of 0", `{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 0}`, "patch_size is 0"},
		{"too many patches", `{"image_processor_type": "Siglip2ImageProcessor", "max_num_patches": 1000000}`, "max_num_patches is 1000000"},
	}
	for _, tt := range tests {
		if _, err := ParseConfig([]byte(tt.config)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestReadConfig: which file of a directory counts.
func TestReadConfig(t *testing.T) {
	siglip := func(side string) string {
		return `{"image_processor_type": "SiglipImageProcessor", "size": {"height": ` + side + `, "width": ` + side + `}}`
	}
	tests := []struct {
		name  string
		files map[string]string
		want  Size
		err   string
	}{
		{"an empty directory", nil, Size{}, "preprocessor_config.json"},
		{"the old file", map[string]string{"preprocessor_config.json": siglip("40")}, Size{Height: 40, Width: 40}, ""},
		{"the new file wins", map[string]string{
			"preprocessor_config.json": siglip("40"), "processor_config.json": `{"image_processor": ` + siglip("50") + `}`,
		}, Size{Height: 50, Width: 50}, ""},
		{"a new file without the section", map[string]string{
			"preprocessor_config.json": siglip("40"), "processor_config.json": `{"processor_class": "LlavaProcessor"}`,
		}, Size{Height: 40, Width: 40}, ""},
		{"the class by the model", map[string]string{
			"preprocessor_config.json": `{"size": 30}`, "config.json": `{"model_type": "llava"}`,
		}, Size{ShortestEdge: 30}, ""},
		{"a broken file", map[string]string{"processor_config.json": "["}, Size{}, "processor_config.json"},
		{"an endless file", map[string]string{"preprocessor_config.json": strings.Repeat(" ", largestConfig+1)}, Size{}, "more than"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		for name, content := range tt.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p, err := ReadConfig(dir)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, p.Size); diff != "" {
			t.Errorf("%s: size (-want +got):\n%s", tt.name, diff)
		}
	}
}

func parse(t testing.TB, config string) *Processor {
	t.Helper()
	p, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOtherSizes: overridden sizes give the values of a configuration of that size.
func TestOtherSizes(t *testing.T) {
	img := noise(47, 61)
	fixed := parse(t, `{"image_processor_type": "CLIPImageProcessor", "size": 30, "crop_size": 28}`)
	patched := parse(t, `{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 7}`)
	tests := []struct {
		name string
		get  func() (*Processor, error)
		like string // a configuration; "": look at the size only
		want [2]int
	}{
		{"a fixed size", func() (*Processor, error) { return fixed.WithSize(33, 44) },
			`{"image_processor_type": "CLIPImageProcessor", "size": {"height": 33, "width": 44}, "do_center_crop": false}`, [2]int{33, 44}},
		{"the image's own", func() (*Processor, error) { return fixed.WithNativeSize(14) },
			`{"image_processor_type": "CLIPImageProcessor", "size": {"height": 42, "width": 56}, "do_center_crop": false}`, [2]int{42, 56}},
		{"fixed patches", func() (*Processor, error) { return patched.WithSize(21, 35) }, "", [2]int{21, 35}},
		{"patches of the image's own size", func() (*Processor, error) { return patched.WithNativeSize(7) }, "", [2]int{42, 56}},
	}
	for _, tt := range tests {
		p, err := tt.get()
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Process(img)
		if err != nil {
			t.Fatal(err)
		}
		if got.Height != tt.want[0] || got.Width != tt.want[1] || len(got.Data) != 3*tt.want[0]*tt.want[1] {
			t.Errorf("%s: %dx%d pixels and %d values, want %v", tt.name, got.Height, got.Width, len(got.Data), tt.want)
		}
		if tt.like == "" {
			continue
		}
		want, err := parse(t, tt.like).Process(img)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the inputs differ", tt.name)
		}
	}
}

func TestOtherSizeErrors(t *testing.T) {
	tiled := parse(t, `{"image_processor_type": "LlavaOnevisionImageProcessor"}`)
	patched := parse(t, `{"image_processor_type": "Siglip2ImageProcessor"}`)
	tests := []struct {
		name string
		get  func() (*Processor, error)
		want string
	}{
		{"tiles", func() (*Processor, error) { return tiled.WithSize(384, 384) }, "tiles"},
		{"no area", func() (*Processor, error) { return patched.WithSize(0, 384) }, "0x384"},
		{"half a patch", func() (*Processor, error) { return patched.WithSize(24, 32) }, "24x32"},
		{"another patch", func() (*Processor, error) { return patched.WithNativeSize(14) }, "16 pixels, not 14"},
		{"no patch", func() (*Processor, error) { return patched.WithNativeSize(0) }, "0 pixels"},
	}
	for _, tt := range tests {
		if _, err := tt.get(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestProcessErrors: shapes that would need too much memory, or come to nothing.
func TestProcessErrors(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"the long side of a strip", `{"image_processor_type": "CLIPImageProcessor"}`, "224x448000"},
		{"the short side comes to nothing", `{"image_processor_type": "SiglipImageProcessor", "size": {"max_height": 9, "max_width": 9}}`, "0x9"},
		{"not whole patches", `{"image_processor_type": "Siglip2ImageProcessor", "do_resize": false}`, "whole patches"},
		{"tiles of two sizes", `{"image_processor_type": "LlavaOnevisionImageProcessor", "do_resize": false, "size": 8, "image_grid_pinpoints": [[8, 12]]}`, "tile 2 is 8x4"},
	}
	if _, err := new(Processor).Process(NewRGB(5000, 5000)); err == nil || !strings.Contains(err.Error(), "5000x5000") {
		t.Errorf("an image that keeps its size: error %v, want one with its size", err)
	}
	for _, tt := range tests {
		if _, err := parse(t, tt.config).Process(noise(1, 2000)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// FuzzParseConfig wants a processor that prepares an image or says why not.
func FuzzParseConfig(f *testing.F) {
	for _, config := range []string{
		`{"image_processor_type": "SiglipImageProcessor", "size": {"shortest_edge": 8, "longest_edge": 9}, "image_mean": 0.5}`,
		`{"image_processor_type": "LlavaNextImageProcessorFast", "size": [4, 5], "crop_size": 3, "image_grid_pinpoints": [[4, 8]]}`,
		`{"image_processor_type": "Siglip2ImageProcessor", "patch_size": 2, "max_num_patches": 6}`,
		`{"feature_extractor_type": "CLIPFeatureExtractor", "size": 7, "crop_size": 7, "resample": 1}`,
	} {
		f.Add([]byte(config))
	}
	img := noise(5, 9)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseConfig(data)
		if err != nil || p.Size.Height > 100 || p.Size.Width > 100 || p.Size.ShortestEdge > 100 || p.Size.LongestEdge > 100 ||
			p.Size.MaxHeight > 100 || p.Size.MaxWidth > 100 || p.Crop.Height > 100 || p.Crop.Width > 100 || p.MaxPatches*p.Patch > 1000 {
			return
		}
		for _, s := range p.Pinpoints {
			if s.Height > 100 || s.Width > 100 {
				return
			}
		}
		in, err := p.Process(img)
		if err != nil {
			return
		}
		values := in.Tiles * 3 * in.Height * in.Width
		if p.Layout == Patched {
			values = len(in.Mask) * 3 * p.Patch * p.Patch
		}
		if len(in.Data) != values {
			t.Errorf("%d values, want %d", len(in.Data), values)
		}
	})
}
