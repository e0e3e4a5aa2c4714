package vlm_test

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/engine/imageprep"
	"siglab/engine/tokenizer"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// open is random:tiny with seed 0; it ends with the test.
func open(t testing.TB, mode posembed.Mode, threads int) *vlm.Model {
	t.Helper()
	m, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: mode, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// side is the pixels of the sides of random:tiny's images.
const side = 192

// picture is an image of a few waves in each channel: smooth, as photographs are, and
// another one for every seed.
func picture(seed uint64) imageprep.Input {
	rng := rand.New(rand.NewPCG(seed, 0))
	px := imageprep.Input{Tiles: 1, Height: side, Width: side, Data: make([]float32, 3*side*side)}
	for channel := range 3 {
		plane := px.Data[channel*side*side:][:side*side]
		for range 4 {
			fy, fx, phase := rng.NormFloat64()/30, rng.NormFloat64()/30, rng.Float64()*2*math.Pi
			for i := range plane {
				plane[i] += float32(0.25 * math.Sin(fy*float64(i/side)+fx*float64(i%side)+phase))
			}
		}
	}
	return px
}

// encode is a picture's features.
func encode(t testing.TB, m *vlm.Model, seed uint64) vlm.Features {
	t.Helper()
	features, _, err := m.EncodeImage(picture(seed))
	if err != nil {
		t.Fatal(err)
	}
	return features
}

// question is a chat prompt with an image before the text.
func question(m *vlm.Model, text string) []int {
	prompt, err := m.Tokenizer().ChatPrompt([]tokenizer.Turn{{
		Role:  "user",
		Parts: []tokenizer.Part{{Image: true}, {Text: text}},
	}}, []int{m.ImageTokens(picture(1))}, tokenizer.AssistantOpen)
	if err != nil {
		panic(err) // the built-in layout takes any text
	}
	return prompt
}

// prefill is a sequence after a question about an image, and its logits.
func prefill(t testing.TB, m *vlm.Model, text string, features vlm.Features) (*vlm.Sequence, []float32) {
	t.Helper()
	prompt, logits := question(m, text), make([]float32, m.VocabSize())
	s := m.NewSequence(len(prompt) + 64)
	if err := m.Prefill(s, prompt, []vlm.Features{features}, logits); err != nil {
		t.Fatal(err)
	}
	return s, logits
}

// step appends a token to a sequence of its own.
func step(t testing.TB, m *vlm.Model, s *vlm.Sequence, token int, logits []float32) {
	t.Helper()
	if err := m.Step([]*vlm.Sequence{s}, []int{token}, [][]float32{logits}); err != nil {
		t.Fatal(err)
	}
}

// likeliest is the token of the largest logit that generation may choose.
func likeliest(m *vlm.Model, logits []float32) int {
	logits = slices.Clone(logits)
	for _, id := range m.Tokenizer().Suppressed() {
		logits[id] = float32(math.Inf(-1))
	}
	return slices.Index(logits, slices.Max(logits))
}

// answer are the first n greedy tokens to a question about an image.
func answer(t testing.TB, m *vlm.Model, text string, features vlm.Features, n int) []int {
	t.Helper()
	s, logits := prefill(t, m, text, features)
	tokens := []int{likeliest(m, logits)}
	for len(tokens) < n {
		step(t, m, s, tokens[len(tokens)-1], logits)
		tokens = append(tokens, likeliest(m, logits))
	}
	return tokens
}

func TestCheckName(t *testing.T) {
	for _, test := range []struct{ why, name, want string }{
		{"the preset", "random:tiny", ""},
		{"another preset", "random:huge", `"random:huge": no such preset of random weights; presets: random:tiny`},
		{"no preset at all", "random:", `"random:": no such preset`},
		{"a hub id", "google/paligemma-3b-mix-448", "neither a directory nor a preset"},
		{"a directory that is no model", "testdata", "no config.json"},
		{"the preset without its prefix", "tiny", "use one of random:tiny"},
		{"nothing", "", `model ""`},
	} {
		err := vlm.CheckName(test.name)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", test.why, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
		if m, err := vlm.Open(test.name, vlm.Options{}); err == nil {
			m.Close()
			t.Errorf("%s: Open accepts the name", test.why)
		}
	}
}

// TestTiny: what the preset promises to the rest of the engine.
func TestTiny(t *testing.T) {
	m := open(t, posembed.Exact, 1)
	type facts struct {
		Name                                     string
		Length, Images, ImageTokens, Vocab, H, W int
		Trained                                  posembed.Grid
		Mode                                     posembed.Mode
	}
	input, err := m.Prepare(image.NewGray(image.Rect(0, 0, 30, 20)))
	if err != nil {
		t.Fatal(err)
	}
	got := facts{m.Name(), m.MaxModelLen(), m.MaxImages(), m.ImageTokens(input), m.VocabSize(), input.Height, input.Width,
		m.TrainedGrid(), m.PosEmbed()}
	want := facts{"random:tiny", 2048, 4, 144, 1024, side, side, posembed.Grid{Rows: 8, Cols: 8}, posembed.Exact}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, resample, err := m.EncodeImage(picture(1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vlm.Resample{Mode: posembed.Exact, From: want.Trained, To: posembed.Grid{Rows: 12, Cols: 12}}, resample,
		cmpopts.IgnoreFields(vlm.Resample{}, "Took")); diff != "" {
		t.Errorf("resample (-want +got):\n%s", diff)
	}
	if resample.Took < 0 {
		t.Errorf("resampling took %v", resample.Took)
	}
}

// TestErrors: what the model cannot take is refused with its numbers, and the
// sequence stays as it was.
func TestErrors(t *testing.T) {
	m := open(t, posembed.Exact, 1)
	features, logits := encode(t, m, 1), make([]float32, m.VocabSize())
	withImage := question(m, "Why?")
	text, err := m.Tokenizer().Encode("Why?", false)
	if err != nil {
		t.Fatal(err)
	}
	s := m.NewSequence(200)
	small := m.NewSequence(1)
	for _, test := range []struct {
		why  string
		err  error
		want string
	}{
		{"an image token without an image", m.Prefill(s, withImage, nil, logits), "144 image tokens and 0 images"},
		{"an image without its tokens", m.Prefill(s, text, []vlm.Features{features}, logits), "0 image tokens and 1 images"},
		{"features of another model", m.Prefill(s, withImage, []vlm.Features{features[1:]}, logits), "144 image tokens and 1 images with 143 features"},
		{"a token past the vocabulary", m.Prefill(s, []int{5, 1024}, nil, logits), "token 1024"},
		{"a negative token", m.Prefill(s, []int{-7}, nil, logits), "token -7"},
		{"a prompt longer than the sequence", m.Prefill(small, []int{5, 6}, nil, logits), "capacity is 1"},
		{"an empty prompt", m.Prefill(s, nil, nil, logits), "no positions"},
		{"no room for the logits", m.Prefill(s, text, nil, logits[1:]), "room for 1023 logits"},
		{"a sequence without its token", m.Step([]*vlm.Sequence{s}, nil, [][]float32{logits}), "got 0 tokens"},
		{"a step with a token past the vocabulary", m.Step([]*vlm.Sequence{s}, []int{4096}, [][]float32{logits}), "sequence 0: token 4096"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, test.err, test.want)
		}
	}
	if s.Len() != 0 || small.Len() != 0 {
		t.Errorf("sequences hold %d and %d tokens after errors, want none", s.Len(), small.Len())
	}
	if _, _, err := m.EncodeImage(imageprep.Input{Tiles: 1, Height: 8, Width: 192}); err == nil || !strings.Contains(err.Error(), "8x192") {
		t.Errorf("an image of another size: error %v, want one with its size", err)
	}
	if _, _, err := m.EncodeImage(imageprep.Input{Tiles: 1, Height: 192, Width: 192}); err == nil || !strings.Contains(err.Error(), "has 0 values") {
		t.Errorf("an image without pixels: error %v, want one with their number", err)
	}
}

// TestParseImageSize: a size in pixels, the image's own, or the model's.
func TestParseImageSize(t *testing.T) {
	for _, test := range []struct {
		in   string
		want vlm.ImageSize
	}{
		{"", vlm.ImageSize{}},
		{"native", vlm.ImageSize{Native: true}},
		{"448x336", vlm.ImageSize{Height: 448, Width: 336}},
	} {
		if got, err := vlm.ParseImageSize(test.in); err != nil || got != test.want {
			t.Errorf("%q: %v, error %v, want %v", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"448", "x", "0x448", "-1x5", "448x336x1", "99999x1", "4e2x4"} {
		if _, err := vlm.ParseImageSize(in); err == nil || !strings.Contains(err.Error(), "HEIGHTxWIDTH") {
			t.Errorf("%q: error %v, want one that says the form", in, err)
		}
	}
}

// TestImageSize: images of another size take as many tokens as they have patches.
func TestImageSize(t *testing.T) {
	for _, test := range []struct {
		size          vlm.ImageSize
		height, width int // of the image
		grid          posembed.Grid
	}{
		{vlm.ImageSize{Height: 128, Width: 128}, 30, 70, posembed.Grid{Rows: 8, Cols: 8}},
		{vlm.ImageSize{Height: 48, Width: 160}, 30, 70, posembed.Grid{Rows: 3, Cols: 10}},
		{vlm.ImageSize{Native: true}, 47, 70, posembed.Grid{Rows: 2, Cols: 4}},
		{vlm.ImageSize{Native: true}, 3, 16, posembed.Grid{Rows: 1, Cols: 1}},
	} {
		m, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: posembed.Exact, Threads: 1, ImageSize: test.size})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		input, err := m.Prepare(image.NewGray(image.Rect(0, 0, test.width, test.height)))
		if err != nil {
			t.Fatal(err)
		}
		features, resample, err := m.EncodeImage(input)
		if err != nil {
			t.Fatal(err)
		}
		if n := m.ImageTokens(input); n != test.grid.Len() || len(features) != n*96 || resample.To != test.grid {
			t.Errorf("%v of %dx%d: %d tokens, %d values, grid %v, want %v", test.size, test.height, test.width, n, len(features), resample.To, test.grid)
		}
	}
	if m, err := vlm.Open("random:tiny", vlm.Options{ImageSize: vlm.ImageSize{Height: 8, Width: 64}}); err == nil || !strings.Contains(err.Error(), "at least one patch of 16") {
		t.Errorf("a size of no patch: error %v", err)
		m.Close()
	}
}
