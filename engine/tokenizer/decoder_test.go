package tokenizer

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDecoder(t *testing.T) {
	tok := NewTiny()
	image := encode(t, tok, " image")[0]
	for _, row := range []struct {
		sentence string
		ids      []int
		want     []string // of each Push, then of Flush
	}{
		{"ASCII comes at once", []int{'a', 'b'}, []string{"a", "b", ""}},
		{"a rune comes with its last byte", []int{0xe2, 0x82, 0xac}, []string{"", "", "€", ""}},
		{"a special token between a rune's bytes adds nothing", []int{0xc3, imagePad, 0xa9}, []string{"", "", "é", ""}},
		{"an id out of range adds nothing", []int{-1, tinySize, 'a'}, []string{"", "", "a", ""}},
		{"a stray continuation byte is replaced at once", []int{0x80, 'a'}, []string{"\ufffd", "a", ""}},
		{"a broken start is one replacement before the next piece", []int{0xe2, 0x82, image}, []string{"", "", "\ufffd image", ""}},
		{"a new start ends the broken one", []int{0xf0, 0x9f, 0xc3, 0xa9}, []string{"", "", "\ufffd", "é", ""}},
		{"an overlong form is two invalid bytes", []int{0xc0, 0x80}, []string{"\ufffd", "\ufffd", ""}},
		{"a surrogate is three invalid bytes", []int{0xed, 0xa0, 0x80}, []string{"", "\ufffd\ufffd", "\ufffd", ""}},
		{"an end inside a rune is one replacement", []int{'a', 0xf0, 0x9f, 0x98}, []string{"a", "", "", "", "\ufffd"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			decoder := tok.NewDecoder()
			var got []string
			for _, id := range row.ids {
				got = append(got, decoder.Push(id))
			}
			got = append(got, decoder.Flush())
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("ids %v (-want +got):\n%s", row.ids, diff)
			}
			if again := decoder.Flush(); again != "" {
				t.Errorf("second Flush = %q, want nothing", again)
			}
		})
	}
}

// The decoder emits whole runes only, whatever the model samples, and the
// text does not depend on how its bytes were spread over tokens.
func TestDecoderOnAnyIDs(t *testing.T) {
	tok := NewTiny()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOf(rapid.IntRange(-1, tok.VocabSize())).Draw(t, "ids")
		decoder := tok.NewDecoder()
		var text string
		var bytewise []int
		for _, id := range ids {
			chunk := decoder.Push(id)
			if !utf8.ValidString(chunk) {
				t.Fatalf("Push(%d) = %q, not whole runes", id, chunk)
			}
			text += chunk
			for _, b := range tok.Bytes(id) {
				bytewise = append(bytewise, int(b))
			}
		}
		text += decoder.Flush()
		if want := decodeAll(tok, bytewise); text != want {
			t.Fatalf("ids %v decode to %q, byte by byte to %q", ids, text, want)
		}
	})
}
