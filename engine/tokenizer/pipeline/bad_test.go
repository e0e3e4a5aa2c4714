package pipeline

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// file makes a small tokenizer.json; each part replaces the usual one.
func tokenizerJSON(parts map[string]string) string {
	all := map[string]string{
		"added_tokens": `[]`, "normalizer": `null`, "pre_tokenizer": `null`, "post_processor": `null`, "decoder": `null`,
		"model": `{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}`,
	}
	for name, part := range parts {
		all[name] = part
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range []string{"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"} {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, all[name])
	}
	b.WriteByte('}')
	return b.String()
}

func TestBadFiles(t *testing.T) {
	if _, err := Parse([]byte(tokenizerJSON(nil))); err != nil {
		t.Fatalf("the file that the rows change: %v", err)
	}
	for _, row := range []struct{ why, part, json, want string }{
		{"a model of another type", "model", `{"type":"WordPiece","vocab":{}}`, `"WordPiece" is not supported`},
		{"no model", "model", `null`, "model"},
		{"a vocabulary that is a number", "model", `{"type":"BPE","vocab":3,"merges":[]}`, "vocab"},
		{"a merge of an unknown token", "model", `{"type":"BPE","vocab":{"a":0},"merges":["a z"]}`, `"z" is not in the vocabulary`},
		{"a merge into an unknown token", "model", `{"type":"BPE","vocab":{"a":0},"merges":["a a"]}`, `"aa"`},
		{"a merge of three", "model", `{"type":"BPE","vocab":{"a":0},"merges":["a a a"]}`, "not two tokens"},
		{"a merge list of one", "model", `{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}`, "1 tokens, not 2"},
		{"a merge shorter than the prefix", "model", `{"type":"BPE","vocab":{"a":0},"merges":["a a"],"continuing_subword_prefix":"##"}`, "shorter"},
		{"a negative id", "model", `{"type":"BPE","vocab":{"a":-1},"merges":[]}`, "-1"},
		{"a huge id", "model", `{"type":"BPE","vocab":{"a":4000000000},"merges":[]}`, "4000000000"},
		{"an id twice", "model", `{"type":"BPE","vocab":{"a":1,"b":1},"merges":[]}`, "have one id, 1"},
		{"an unknown token outside the vocabulary", "model", `{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"<unk>"}`, `"<unk>"`},
		{"a unigram score that is text", "model", `{"type":"Unigram","vocab":[["a","b"]]}`, "not a piece and its score"},
		{"a unigram piece twice", "model", `{"type":"Unigram","vocab":[["a",0],["a",1]]}`, "both"},
		{"an unk_id out of range", "model", `{"type":"Unigram","vocab":[["a",0]],"unk_id":7}`, "unk_id"},
		{"an empty unigram vocabulary", "model", `{"type":"Unigram","vocab":[]}`, "0 pieces"},
		{"an unknown normalizer", "normalizer", `{"type":"Precompiled"}`, `normalizer "Precompiled" is not supported`},
		{"one inside a sequence", "normalizer", `{"type":"Sequence","normalizers":[{"type":"Nmt"}]}`, `"Nmt"`},
		{"a Replace without a pattern", "normalizer", `{"type":"Replace","content":"x"}`, "no pattern"},
		{"a regular expression that is none", "normalizer", `{"type":"Replace","pattern":{"Regex":"("},"content":"x"}`, "regular expression"},
		{"an unknown pre-tokenizer", "pre_tokenizer", `{"type":"UnicodeScripts"}`, `pre_tokenizer "UnicodeScripts" is not supported`},
		{"an unknown behavior", "pre_tokenizer", `{"type":"Split","pattern":{"String":"x"},"behavior":"Exploded"}`, "Exploded"},
		{"a class inside a class", "pre_tokenizer", `{"type":"Split","pattern":{"Regex":"[a[b]]"},"behavior":"Isolated"}`, "class inside a class"},
		{"a mark of two characters", "pre_tokenizer", `{"type":"Metaspace","replacement":"__"}`, "not one character"},
		{"an unknown scheme", "pre_tokenizer", `{"type":"Metaspace","prepend_scheme":"last"}`, "last"},
		{"an unknown post-processor", "post_processor", `{"type":"BertProcessing"}`, `post_processor "BertProcessing" is not supported`},
		{"a frame of an unnamed token", "post_processor", `{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}`, `"x"`},
		{"a frame without the text", "post_processor", `{"type":"TemplateProcessing","single":[],"special_tokens":{}}`, "0 times"},
		{"a frame of an id without a token", "post_processor", `{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[99]}}}`, "id 99 has no token"},
		{"an unknown decoder", "decoder", `{"type":"CTC"}`, `decoder "CTC" is not supported`},
		{"ByteFallback after Fuse", "decoder", `{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]}`, "ByteFallback"},
		{"a Strip of two characters", "decoder", `{"type":"Strip","content":"ab","start":1,"stop":0}`, "Strip"},
		{"an added token with a negative id", "added_tokens", `[{"id":-4,"content":"x"}]`, "-4"},
		{"an added token that is too long", "added_tokens", `[{"id":4,"content":"` + strings.Repeat("x", 600) + `"}]`, "600 bytes"},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := Parse([]byte(tokenizerJSON(map[string]string{row.part: row.json})))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s %s: error %v, want one that contains %q", row.part, row.json, err, row.want)
			}
		})
	}
}

func TestTruncatedFiles(t *testing.T) {
	data := readFile(t, "affix.json")
	for n := 0; n < len(data); n += 101 {
		if _, err := Parse(data[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", n, len(data))
		}
	}
	model := readFile(t, "llama.model")
	for n := 1; n < len(model)-200; n += 37 {
		_, _ = ParseSentencePiece(model[:n]) // must not panic; a cut between pieces is a smaller model
	}
}

func TestBadSentencePiece(t *testing.T) {
	for _, row := range []struct {
		why  string
		data []byte
		want string
	}{
		{"an empty file", nil, "0 pieces"},
		{"text", []byte("hello there, this is no model"), "SentencePiece"},
		{"rules of normalisation", []byte{0x0a, 5, 0x0a, 1, 'a', 0x18, 2, 0x1a, 5, 0x12, 1, 'x', 0x20, 0}, "rules of normalisation are shorter"},
		{"no unknown piece", []byte{0x0a, 3, 0x0a, 1, 'a', 0x1a, 2, 0x20, 0}, "no unknown piece"},
		{"a word model", []byte{0x0a, 5, 0x0a, 1, 'a', 0x18, 2, 0x1a, 2, 0x20, 0, 0x12, 2, 0x18, 3}, "model type 3"},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := ParseSentencePiece(row.data)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one that contains %q", err, row.want)
			}
		})
	}
}

// FuzzParse: no file panics, and what is taken encodes and decodes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(tokenizerJSON(nil)), "ab a")
	for _, name := range []string{"affix.json", "behave1.json", "behave3.json", "unigram.json", "llama2.json", "gpt2.json"} {
		f.Add(readFile(f, name), "The image\u0301 <word> 12")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		p, err := Parse(data)
		if err != nil {
			return
		}
		ids, err := p.Encode(text, true)
		if err != nil {
			return
		}
		if got := p.Decode(ids, false); !utf8.ValidString(got) {
			t.Errorf("ids %v decode to %q", ids, got)
		}
	})
}

// FuzzSentencePiece is FuzzParse for tokenizer.model.
func FuzzSentencePiece(f *testing.F) {
	for _, name := range []string{"llama.model", "unigram.model"} {
		f.Add(readFile(f, name), "The image 12")
	}
	f.Fuzz(func(_ *testing.T, data []byte, text string) {
		p, err := ParseSentencePiece(data)
		if err != nil {
			return
		}
		if ids, err := p.Encode(text, true); err == nil {
			p.Decode(ids, true)
		}
	})
}

// FuzzEncode: byte-level vocabularies give any text back.
func FuzzEncode(f *testing.F) {
	llama3, gemma := parseFile(f, "llama3.json"), parseFile(f, "gemma.json")
	for _, text := range []string{"", "a", " \n\u0301", "<image>", "\xff\xc0", "👩‍👩‍👧▁", "<0x41>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range []*Pipeline{llama3, gemma} {
			if _, err := p.Encode(text, true); err != nil {
				t.Errorf("Encode(%q): %v", text, err)
			}
		}
		if !utf8.ValidString(text) || strings.Contains(text, "<") || strings.Contains(text, "NORM") {
			return // added tokens may take spaces along
		}
		ids, _ := llama3.Encode(text, false)
		if got := llama3.Decode(ids, false); got != text {
			t.Errorf("Encode(%q) decodes to %q", text, got)
		}
	})
}

// TestRegexTranslation holds the dialect to Oniguruma's meaning.
func TestRegexTranslation(t *testing.T) {
	for _, row := range []struct{ why, expression, text, want string }{
		{"possessive quantifiers do not give back", `a?+ab|b`, "ab", "a|[b]"},
		{"of a class", `[ab]++b|c`, "abbc", "abb|[c]"},
		{"of a group", `(?:ab)*+a|c`, "abac", "[aba]|[c]"},
		{"lazy ones stay", `a+?`, "aa", "[a]|[a]"},
		{"\\h is a hexadecimal digit", `\h+|[^\h]`, "fFg", "[fF]|[g]"},
		{"\\w has marks and no joiners", `\w+`, "हि\u200dx", "[हि]|\u200d|[x]"},
		{"\\W is the rest", `\W`, "a-", "a|[-]"},
		{"without case, ſ is an s", `(?i:'s)|x`, "'ſ'S's", "['ſ]|['S]|['s]"},
		{"an option inside a group ends with it", `((?i)k)k`, "\u212akkK", "[\u212ak]|kK"},
		{"a bracket first in a class is itself", `[]a]`, "]", "[]]"},
		{"a negated property", `\p{^L}`, "a1", "a|[1]"},
		{"an escaped character", `\[\{\$`, "[{$", "[[{$]"},
		{"counts are copied", `\p{N}{1,3}`, "1234", "[123]|[4]"},
		{"line ends", `^a$`, "b\na\n", "b\n|[a]|\n"},
	} {
		t.Run(row.why, func(t *testing.T) {
			p, err := newRegex(row.expression)
			if err != nil {
				t.Fatal(err)
			}
			parts, err := p.parts(row.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, part := range parts {
				text := row.text[part.start:part.end]
				if part.match {
					text = "[" + text + "]"
				}
				got = append(got, text)
			}
			if joined := strings.Join(got, "|"); joined != row.want {
				t.Errorf("%s on %q: %s, want %s", row.expression, row.text, joined, row.want)
			}
		})
	}
}

func TestBadRegex(t *testing.T) {
	for _, expression := range []string{`(`, `)`, `[`, `\`, `[a&&b]`, `\p`, `\R`, `[\W]`, `(?m:.)`, strings.Repeat("a", maxPattern+1), `a**`, `(?<`, "(?", `\p{Nope}`} {
		if p, err := newRegex(expression); err == nil {
			t.Errorf("%.20q was taken: %v", expression, p.regex)
		}
	}
}

// TestByteTable: the runes of byte-level vocabularies are a bijection.
func TestByteTable(t *testing.T) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
		if got, ok := byteOfRune(runeOfByte(byte(b))); !ok || got != byte(b) {
			t.Errorf("byte %d comes back as %d, %v", b, got, ok)
		}
	}
	if got := runesToBytes(bytesToRunes(string(all))); !bytes.Equal([]byte(got), all) {
		t.Error("all bytes together do not come back")
	}
	if got := runesToBytes("a b"); got != "a b" {
		t.Errorf("a string that is no runes of bytes comes back as %q", got)
	}
}

// TestLongMarks: more marks in a row than package norm composes.
func TestLongMarks(t *testing.T) {
	p, err := Parse([]byte(tokenizerJSON(map[string]string{"normalizer": `{"type":"NFC"}`})))
	if err != nil {
		t.Fatal(err)
	}
	text := "a" + strings.Repeat("\u0301", 40) + "\u0323"
	got, err := normalize(p.normalizers, text)
	if want := "\u1ea1" + strings.Repeat("\u0301", 40); err != nil || got != want {
		t.Errorf("NFC of %+q is %+q (error %v), want %+q", text, got, err, want)
	}
}
