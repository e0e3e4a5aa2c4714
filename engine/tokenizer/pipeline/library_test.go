package pipeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The files in testdata were trained and encoded by tokenizers 0.23.3 (*.json)
// and sentencepiece 0.2.3 (*.model). texts.json are the texts of all *.json
// files, in the order of their cases.

// libraryCase is what the library makes of a text, or of ids.
type libraryCase struct {
	Text     *string
	IDs      []int
	Framed   []int   // with special tokens, if they differ
	Decoded  *string // without special tokens, if it differs from the text
	Full     *string // with them, if it differs from Decoded
	Sequence bool    // random ids, no text
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readCases(t testing.TB, name string) []libraryCase {
	t.Helper()
	var cases []libraryCase
	lines := bufio.NewScanner(bytes.NewReader(readFile(t, name)))
	for lines.Scan() {
		var c libraryCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no cases", name)
	}
	return cases
}

func parseFile(t testing.TB, name string) *Pipeline {
	t.Helper()
	parse := Parse
	if strings.HasSuffix(name, ".model") {
		parse = ParseSentencePiece
	}
	p, err := parse(readFile(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// tokens names ids, for messages.
func tokens(p *Pipeline, ids []int) []string {
	var names []string
	for _, id := range ids {
		name, _ := p.Token(id)
		names = append(names, name)
	}
	return names
}

// TestLibrary holds every id and every decoded text to the library's.
func TestLibrary(t *testing.T) {
	var texts []string
	if err := json.Unmarshal(readFile(t, "texts.json"), &texts); err != nil {
		t.Fatal(err)
	}
	for name, about := range map[string]string{
		"qwen2":           "byte-level BPE, NFC, a pattern that looks ahead",
		"llama3":          "byte-level BPE, whole words win, a frame",
		"o200k":           "possessive quantifiers, classes of case",
		"llama2":          "byte fallback, Prepend and Replace, a frame",
		"llama-metaspace": "byte fallback, Metaspace before the first word only",
		"gemma":           "byte fallback, spaces as marks, no prefix",
		"gpt2":            "NFKC, lower case, ByteLevel's own pattern and prefix, properties of added tokens",
		"affix":           "prefixes and suffixes of subwords, unknown tokens that are not fused",
		"unigram":         "Unigram with unknown tokens",
		"unigram-bytes":   "Unigram with byte fallback",
		"behave1":         "splits that merge with the next, contiguous digits, Strip after Fuse",
		"behave2":         "inverted splits that are removed, a delimiter, Strip of each token",
		"behave3":         "splits that merge with the previous, Metaspace without prefix",
	} {
		t.Run(name+": "+about, func(t *testing.T) {
			p := parseFile(t, name+".json")
			for i, c := range readCases(t, name+".cases.jsonl") {
				if !c.Sequence {
					c.Text = &texts[i]
					checkEncode(t, p, c)
				}
				checkDecode(t, p, c)
			}
		})
	}
}

func checkEncode(t *testing.T, p *Pipeline, c libraryCase) {
	t.Helper()
	for _, framed := range []bool{false, true} {
		want := c.IDs
		if framed && c.Framed != nil {
			want = c.Framed
		}
		got, err := p.Encode(*c.Text, framed)
		if diff := cmp.Diff(tokens(p, want), tokens(p, got)); err != nil || diff != "" {
			t.Errorf("Encode(%q, %v): error %v (-want +got):\n%s", *c.Text, framed, err, diff)
		}
	}
}

func checkDecode(t *testing.T, p *Pipeline, c libraryCase) {
	t.Helper()
	want := c.Decoded
	if want == nil {
		want = c.Text
	}
	full := c.Full
	if full == nil {
		full = want
	}
	if got := p.Decode(c.IDs, true); got != *want {
		t.Errorf("Decode(%q) = %q, want %q", tokens(p, c.IDs), got, *want)
	}
	if got := p.Decode(c.IDs, false); got != *full {
		t.Errorf("Decode(%q) with special tokens = %q, want %q", tokens(p, c.IDs), got, *full)
	}
}

// TestSentencePiece holds ids to the library's, but for texts that spell
// control pieces, which this package makes special tokens of.
func TestSentencePiece(t *testing.T) {
	var texts []string
	if err := json.Unmarshal(readFile(t, "texts.json"), &texts); err != nil {
		t.Fatal(err)
	}
	for name, about := range map[string]string{
		"gemma":   "BPE without a prefix",
		"llama":   "BPE with a dummy prefix and user-defined pieces",
		"unigram": "Unigram with byte fallback",
	} {
		t.Run(name+": "+about, func(t *testing.T) {
			p := parseFile(t, name+".model")
			checked := 0
			for _, c := range readCases(t, name+".model.cases.jsonl") {
				control := func(spelling string) bool {
					id, ok := p.ID(spelling)
					return ok && p.Special(id) && strings.Contains(*c.Text, spelling)
				}
				if control("<s>") || control("</s>") || control("<unk>") || control("<bos>") || control("<eos>") {
					continue
				}
				checked++
				got, err := p.Encode(*c.Text, false)
				if diff := cmp.Diff(tokens(p, c.IDs), tokens(p, got)); err != nil || diff != "" {
					t.Errorf("Encode(%q): error %v (-want +got):\n%s", *c.Text, err, diff)
				}
				if back := p.Decode(got, true); utf8.ValidString(*c.Text) && back != strings.ReplaceAll(*c.Text, spaceMark, " ") {
					t.Errorf("Encode(%q) decodes to %q", *c.Text, back)
				}
			}
			if checked < 25 {
				t.Errorf("only %d cases were checked", checked)
			}
		})
	}
}

// TestQwen2Files: the older files give what tokenizer.json gives.
func TestQwen2Files(t *testing.T) {
	var f struct {
		Model struct {
			Vocab  json.RawMessage
			Merges [][2]string
		}
	}
	if err := json.Unmarshal(readFile(t, "qwen2.json"), &f); err != nil {
		t.Fatal(err)
	}
	merges := "#version: 0.2\n"
	for _, m := range f.Model.Merges {
		merges += m[0] + " " + m[1] + "\n"
	}
	got, err := Qwen2(f.Model.Vocab, []byte(merges))
	if err != nil {
		t.Fatal(err)
	}
	want := parseFile(t, "qwen2.json")
	for _, text := range []string{"Hello, wörld! 12345", "e\u0301\n\n  x", "don't 中文"} {
		a, errA := want.Encode(text, false)
		b, errB := got.Encode(text, false)
		if diff := cmp.Diff(a, b); diff != "" || errA != nil || errB != nil {
			t.Errorf("Encode(%q): errors %v, %v (-json +files):\n%s", text, errA, errB, diff)
		}
	}
}

// TestStreamIsWhole: pieces are whole runes for any ids, and after Flush a
// stream serves another sequence.
func TestStreamIsWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"qwen2.json", "llama2.json", "behave1.json", "unigram.json", "gemma.model"} {
		p := parseFile(t, name)
		stream := p.NewStream(true)
		for range 300 {
			ids := make([]int, rng.IntN(12))
			var text string
			for i := range ids {
				ids[i] = rng.IntN(p.Size()+2) - 1
				piece := stream.Push(ids[i])
				if !utf8.ValidString(piece) {
					t.Fatalf("%s: Push of %v gives %q", name, ids[:i+1], piece)
				}
				text += piece
			}
			text += stream.Flush()
			if want := p.Decode(ids, true); text != want {
				t.Fatalf("%s: ids %v stream to %q, decode to %q", name, ids, text, want)
			}
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	p := parseFile(t, "qwen2.json")
	want, err := p.Encode("Describe the image, please.", true)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := p.Encode("Describe the image, please.", true)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("error %v (-want +got):\n%s", err, diff)
				}
				p.Decode(got, true)
			}
		})
	}
	group.Wait()
}
