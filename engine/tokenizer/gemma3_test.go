package tokenizer_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/engine/tokenizer"
)

// TestGemma3: the token that a template writes for an image becomes the image's tokens
// in the frame that the model was trained with.
func TestGemma3(t *testing.T) {
	const begin, image, end = 259, 256, 260
	tok, err := tokenizer.Open("../vlm/testdata/gemma3")
	if err != nil {
		t.Fatal(err)
	}
	one := func(text string) []int {
		ids, err := tok.Encode(text, false)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	frame := func(n int) []int {
		return slices.Concat(one("\n\n"), []int{begin}, slices.Repeat([]int{image}, n), []int{end}, one("\n\n"))
	}
	got, err := tok.RawPrompt("a<boi>b<boi>", []int{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Concat(one("a"), frame(2), one("b"), frame(3)), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := tok.RawPrompt("a<boi>b", nil); err == nil {
		t.Error("a placeholder without an image: no error")
	}
}
