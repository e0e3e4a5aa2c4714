package generate

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"siglab/engine/imageprep"
	"siglab/engine/vlm"
)

// fakeModel counts: the token after a token t is t+1, after a prompt the prompt's
// length, both below 100; 100 is the end, 101 an image's placeholder. Every call can
// be made to wait, and is written down.
type fakeModel struct {
	length, maxImages int
	// hold is called at the begin of every call, with its line of the log.
	hold func(call string)

	mu    sync.Mutex
	calls []string
}

const (
	fakeEnd   = 100
	fakeImage = 101
)

func (m *fakeModel) Vocabulary() Vocabulary {
	return Vocabulary{Size: 102, Image: fakeImage, Ends: []int{fakeEnd}, Suppressed: []int{fakeImage}}
}
func (m *fakeModel) MaxModelLen() int                { return m.length }
func (m *fakeModel) MaxImages() int                  { return m.maxImages }
func (m *fakeModel) PrefixEnd(_ []int, most int) int { return most }
func (m *fakeModel) KVBytes(capacity int) int64      { return int64(capacity) }

func (m *fakeModel) call(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	m.mu.Lock()
	m.calls = append(m.calls, line)
	m.mu.Unlock()
	if m.hold != nil {
		m.hold(line)
	}
}

// log is what was called so far.
func (m *fakeModel) log() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.calls...)
}

func (m *fakeModel) NewSequence(capacity int) Sequence {
	return &fakeSequence{model: m, capacity: capacity}
}

func (m *fakeModel) EncodeImage(px imageprep.Input) (vlm.Features, vlm.Resample, error) {
	m.call("encode %d", px.Height)
	if px.Height < 0 {
		return nil, vlm.Resample{}, fmt.Errorf("image %d is broken", px.Height)
	}
	return vlm.Features{float32(px.Height)}, vlm.Resample{}, nil
}

func (m *fakeModel) Step(sequences []Sequence, tokens []int, logits [][]float32) error {
	m.call("step %d", len(sequences))
	for i, s := range sequences {
		s.(*fakeSequence).length++
		pointTo(logits[i], tokens[i]+1)
	}
	return nil
}

type fakeSequence struct {
	model                  *fakeModel
	capacity, length, left int
}

func (s *fakeSequence) Begin(prompt []int, _ []vlm.Features) error {
	s.left = len(prompt)
	return nil
}

func (s *fakeSequence) Reuse(_ Sequence, tokens int) error {
	s.left -= tokens
	s.length += tokens
	return nil
}

func (s *fakeSequence) Left() int { return s.left }

func (s *fakeSequence) Advance(most int, logits []float32) error {
	n := min(most, s.left)
	s.model.call("prefill %d of %d", n, s.left)
	s.left -= n
	s.length += n
	if s.left == 0 {
		pointTo(logits, s.length)
	}
	return nil
}

// pointTo makes a token the likeliest.
func pointTo(logits []float32, token int) {
	clear(logits)
	logits[token%100] = 1
}

// startFake runs an engine on a fake model until the test ends.
func startFake(t *testing.T, m *fakeModel, c Config) *Engine {
	t.Helper()
	if m.length == 0 {
		m.length = 4096
	}
	m.maxImages = 4
	e, err := New(m, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endNow(t, e) })
	return e
}

// fakePrompt is a request of n tokens after its images.
func fakePrompt(n, answer int, images ...Image) Request {
	r := Request{MaxTokens: answer, Images: images}
	for _, image := range images {
		for range image.Tokens {
			r.Prompt = append(r.Prompt, fakeImage)
		}
	}
	for range n {
		r.Prompt = append(r.Prompt, 7)
	}
	return r
}

func fakePicture(id int) Image {
	return Image{Key: fmt.Sprint(id), Tokens: 2, Input: imageprep.Input{Height: id}}
}

// eventually waits for a condition, with a bound that only a fault reaches.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
