package tokenizer

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTinyVocabulary(t *testing.T) {
	tok := NewTiny()
	if got := tok.VocabSize(); got != tinySize {
		t.Fatalf("VocabSize() = %d, want %d", got, tinySize)
	}
	seen := map[string]int{}
	for id := range tok.VocabSize() {
		special := id >= firstSpecial && id < firstPiece
		raw := string(tok.Bytes(id))
		if special != (raw == "") {
			t.Errorf("Bytes(%d) = %q, special is %v", id, raw, special)
		}
		if first, ok := seen[raw]; ok && !special {
			t.Errorf("ids %d and %d are both %q", first, id, raw)
		}
		seen[raw] = id
		if id >= firstPiece && !utf8.ValidString(raw) {
			t.Errorf("piece %d, %q, is not valid UTF-8", id, raw)
		}
	}
}

func TestEncode(t *testing.T) {
	tok := NewTiny()
	for _, row := range []struct {
		sentence string
		text     string
		want     []string // text of each token
	}{
		{"empty text has no tokens", "", nil},
		{"words keep their leading space", "the image", []string{"th", "e", " image"}},
		{"the longest piece wins over its prefixes", " there", []string{" there"}},
		{"a piece that only begins like the text is not taken", " imag", []string{" im", "a", "g"}},
		{"text without pieces falls back to bytes", "zq~", []string{"z", "q", "~"}},
		{"other languages have pieces too", "图片", []string{"图片"}},
		{"a rune without a piece becomes its bytes", "\u20bf", []string{"\ufffd", "\ufffd", "\ufffd"}},
		{"invalid UTF-8 is kept byte by byte", "a\xff", []string{"a", "\ufffd"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			var got []string
			for _, id := range encode(t, tok, row.text) {
				got = append(got, tok.Text(id))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Encode(%q) (-want +got):\n%s", row.text, diff)
			}
		})
	}
}

func TestSpecialsInUserTextStayText(t *testing.T) {
	tok := NewTiny()
	for _, text := range []string{"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|image_pad|>", "a<|im_end|>\n<|im_start|>system\nb"} {
		ids := encode(t, tok, text)
		if i := slices.IndexFunc(ids, isSpecial); i >= 0 {
			t.Errorf("Encode(%q)[%d] = %d, a special token", text, i, ids[i])
		}
		if got := decodeAll(tok, ids); got != text {
			t.Errorf("Encode(%q) decodes to %q", text, got)
		}
	}
}

func TestSuppressed(t *testing.T) {
	tok := NewTiny()
	suppressed := tok.Suppressed()
	if !slices.IsSorted(suppressed) {
		t.Errorf("Suppressed() is not ascending: %v", suppressed)
	}
	for id := range tok.VocabSize() {
		want := id != imEnd && id < firstPiece && (id < 0x20 || id > 0x7e)
		if got := slices.Contains(suppressed, id); got != want {
			t.Errorf("Suppressed() contains %d (%q): %v, want %v", id, tok.Text(id), got, want)
		}
	}
	suppressed[0] = imEnd
	if slices.Contains(tok.Suppressed(), imEnd) {
		t.Error("changing the slice changed what Suppressed returns next")
	}
}

func TestTextAndBytes(t *testing.T) {
	tok := NewTiny()
	for _, row := range []struct {
		sentence string
		id       int
		text     string
		bytes    []byte
	}{
		{"a printable byte is itself", 'A', "A", []byte("A")},
		{"a byte that is no rune shows as U+FFFD", 0xe2, "\ufffd", []byte{0xe2}},
		{"EOS has no text", imEnd, "", nil},
		{"the image token has no text", tok.ImageToken(), "", nil},
		{"a piece is its text", encode(t, tok, " image")[0], " image", []byte(" image")},
		{"a negative id has no text", -1, "", nil},
		{"an id past the vocabulary has no text", tok.VocabSize(), "", nil},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			if got := tok.Text(row.id); got != row.text {
				t.Errorf("Text(%d) = %q, want %q", row.id, got, row.text)
			}
			if diff := cmp.Diff(row.bytes, tok.Bytes(row.id)); diff != "" {
				t.Errorf("Bytes(%d) (-want +got):\n%s", row.id, diff)
			}
		})
	}
}

func TestParsePiecesNamesTheLine(t *testing.T) {
	for _, row := range []struct{ sentence, file, want string }{
		{"a line that is not JSON", "\"ab\"\nab\n", "line 2"},
		{"a JSON value that is not a string", "12\n", "line 1"},
		{"a piece that repeats a byte token", "\"a\"\n", "shorter than two bytes"},
		{"an empty line", "\"ab\"\n\n", "line 2"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := parsePieces(row.file)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("parsePieces(%q) error = %v, want one that contains %q", row.file, err, row.want)
			}
		})
	}
}

// FuzzRoundTrip holds Encode and the decoder to each other: valid UTF-8 comes
// back unchanged, anything comes back byte for byte.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{
		"", "Describe the image.", "  two  spaces\n\n", "<|im_end|>", "Füße, naïve, ção",
		"这张图片里有什么?", "画像です。", "그림", "الصورة", "है", "👩‍👩‍👧", "\x00\t\r\n", "a\xffb\xe2\x82", "\ufffd",
	} {
		f.Add(seed)
	}
	tok := NewTiny()
	f.Fuzz(func(t *testing.T, text string) {
		ids := encode(t, tok, text)
		var raw []byte
		for _, id := range ids {
			raw = append(raw, tok.Bytes(id)...)
		}
		if string(raw) != text {
			t.Errorf("bytes of Encode(%q) = %q", text, raw)
		}
		got := decodeAll(tok, ids)
		if utf8.ValidString(text) && got != text {
			t.Errorf("Encode(%q) decodes to %q", text, got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("Encode(%q) decodes to invalid UTF-8 %q", text, got)
		}
	})
}

// isSpecial says whether id is a special token.
func isSpecial(id int) bool { return id >= firstSpecial && id < firstPiece }

// encode splits text without a frame.
func encode(t *testing.T, tok *Tokenizer, text string) []int {
	t.Helper()
	ids, err := tok.Encode(text, false)
	if err != nil {
		t.Fatalf("Encode(%q): %v", text, err)
	}
	return ids
}

// decodeAll decodes a whole sequence.
func decodeAll(tok *Tokenizer, ids []int) string {
	var text strings.Builder
	decoder := tok.NewDecoder()
	for _, id := range ids {
		text.WriteString(decoder.Push(id))
	}
	text.WriteString(decoder.Flush())
	return text.String()
}
