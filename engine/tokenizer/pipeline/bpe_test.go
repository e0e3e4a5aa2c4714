package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slowMerge merges as the definition says, one pair in the whole word at a
// time: the reference for mergeAll.
func slowMerge(b *bpe, word string) []int {
	var ids []int32
	for _, s := range b.symbols(word) {
		ids = append(ids, s.id)
	}
	for {
		best, at := merge{rank: -1}, -1
		for i := 0; i+1 < len(ids); i++ {
			if m, ok := b.merges[pairKey(ids[i], ids[i+1])]; ok && (at < 0 || m.rank < best.rank) {
				best, at = m, i
			}
		}
		if at < 0 {
			break
		}
		ids = slices.Replace(ids, at, at+2, best.id)
	}
	var out []int
	for _, id := range ids {
		out = append(out, int(id))
	}
	return out
}

func TestMergesLikeTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range []string{"llama2.json", "llama.model", "qwen2.json"} {
		b, ok := parseFile(t, name).model.(*bpe)
		if !ok {
			t.Fatalf("%s is not BPE", name)
		}
		for range 300 {
			var word strings.Builder
			for range rng.IntN(60) {
				token, _ := b.token(rng.IntN(b.highest() + 1))
				word.WriteString(token)
			}
			got, err := b.encode(nil, word.String())
			if want := slowMerge(b, word.String()); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s: %q is %v (error %v), want %v", name, word.String(), got, err, want)
			}
		}
	}
}

// BenchmarkEncode shows that time grows with the length of a word about
// linearly: ns/B at the two sizes.
func BenchmarkEncode(b *testing.B) {
	for _, file := range []string{"qwen2.json", "gemma.json"} {
		p := parseFile(b, file)
		for name, unit := range map[string]string{"word": "abthe", "text": "The image shows, in 12 words, a cat. ", "spaces": "    "} {
			for _, size := range []int{10_000, 1_000_000} {
				text := strings.Repeat(unit, size/len(unit))
				b.Run(fmt.Sprintf("file=%s/text=%s/bytes=%d", file, name, size), func(b *testing.B) {
					b.SetBytes(int64(len(text)))
					for b.Loop() {
						if _, err := p.Encode(text, false); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
