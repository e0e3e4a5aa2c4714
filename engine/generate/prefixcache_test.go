package generate

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sequence is a number, to be told from others.
func numbered(id int) Sequence { return &fakeSequence{capacity: id} }

func TestPrefixCache(t *testing.T) {
	const image = fakeImage
	text := func(n, from int) []int { // n tokens from a number on
		var tokens []int
		for i := range n {
			tokens = append(tokens, (from+i)%97)
		}
		return tokens
	}
	picture := func(key string, n int) Image { return Image{Key: key, Tokens: n} }
	placeholders := slices.Repeat([]int{image}, 20)
	c := &prefixCache{on: true, end: func(tokens []int, most int) int { // as Gemma 3
		for most > 0 && most < len(tokens) && tokens[most-1] == image && tokens[most] == image {
			most--
		}
		return most
	}}
	put := func(id int, tokens []int, images ...Image) {
		c.put(&prefix{tokens, images, numbered(id), 100}, image)
	}
	put(1, text(40, 0))
	put(2, slices.Concat(text(20, 0), text(60, 50)))
	put(3, slices.Concat(text(12, 7), placeholders, text(40, 1)), picture("cat", 20))
	put(4, slices.Concat(text(12, 8), placeholders, placeholders, text(40, 1)), picture("cat", 20), picture("dog", 20))
	put(5, slices.Concat(text(12, 9), placeholders, text(40, 1)), picture("", 20))
	put(6, text(15, 3)) // less than a block: not kept
	for _, tt := range []struct {
		name   string
		prompt []int
		images []Image
		from   int
		tokens int
	}{
		{"nothing in common", text(90, 5), nil, 0, 0},
		{"less than a block", append(text(15, 0), 96), nil, 0, 0},
		{"whole blocks", append(text(39, 0), 96, 95), nil, 1, 32},
		{"the longest of two", slices.Concat(text(20, 0), text(60, 50), text(9, 1)), nil, 2, 80},
		{"the same prompt: one token must be left", slices.Concat(text(20, 0), text(60, 50)), nil, 2, 64},
		{"an image", slices.Concat(text(12, 7), placeholders, text(40, 1)), []Image{picture("cat", 20)}, 3, 64},
		{"another image", slices.Concat(text(12, 7), placeholders, text(40, 1)), []Image{picture("dog", 20)}, 0, 0},
		{"an image that has no key", slices.Concat(text(12, 9), placeholders, text(40, 1)), []Image{picture("", 20)}, 0, 0},
		{"an image in other tiles", slices.Concat(text(12, 7), placeholders, text(40, 1)), []Image{picture("cat", 19), picture("x", 1)}, 0, 0},
		{"an image that sees the next one, which is another", slices.Concat(text(12, 8), placeholders, placeholders), []Image{picture("cat", 20), picture("rat", 20)}, 0, 0},
		{"an image that saw the next one, where none is", slices.Concat(text(12, 8), placeholders, text(40, 1)), []Image{picture("cat", 20)}, 0, 0},
		{"two images", slices.Concat(text(12, 8), placeholders, placeholders, text(30, 1)), []Image{picture("cat", 20), picture("dog", 20)}, 4, 80},
	} {
		from, tokens := c.find(tt.prompt, tt.images, image)
		id := 0
		if from != nil {
			id = from.(*fakeSequence).capacity
		}
		if id != tt.from || tokens != tt.tokens {
			t.Errorf("%s: %d tokens of sequence %d, want %d of %d", tt.name, tokens, id, tt.tokens, tt.from)
		}
	}
	kept := func() (ids []int) {
		for _, p := range c.entries {
			ids = append(ids, p.sequence.(*fakeSequence).capacity)
		}
		return ids
	}
	if diff := cmp.Diff([]int{5, 1, 2, 3, 4}, kept()); diff != "" {
		t.Errorf("the kept ones, the most recently used last (-want +got):\n%s", diff)
	}
	put(7, text(60, 0)) // begins as 1
	if diff := cmp.Diff([]int{5, 2, 3, 4, 7}, kept()); diff != "" || c.bytes != 500 {
		t.Errorf("after one that takes the place of another, %d bytes (-want +got):\n%s", c.bytes, diff)
	}
	c.shrink(299)
	if diff := cmp.Diff([]int{4, 7}, kept()); diff != "" || c.bytes != 200 {
		t.Errorf("with less memory, %d bytes (-want +got):\n%s", c.bytes, diff)
	}
	for i := range 2 * mostPrefixes {
		put(i, append([]int{i % 97, i / 97}, text(16, 0)...))
	}
	if len(c.entries) != mostPrefixes || c.bytes != 100*mostPrefixes {
		t.Errorf("%d sequences of %d bytes, want %d", len(c.entries), c.bytes, mostPrefixes)
	}
	c.reset()
	if len(c.entries) != 0 || c.bytes != 0 {
		t.Error("something is left after a reset")
	}
}

// TestPrefixCacheAnswers: answers are the same with a prefix cache, also of a second
// turn after the first's answer, and with the memory for two sequences at a time.
func TestPrefixCacheAnswers(t *testing.T) {
	plain := start(t, Config{})
	m := tinyModel(plain)
	var requests []Request
	for i := range 18 {
		r := question(m, "Describe everything that can be seen in this picture, from the left to the right"+"??"[:i%3], float32(1+i%2)/2, i%3)
		for k := range r.Images {
			r.Images[k].Key = fmt.Sprint(i % 2)
		}
		if i%4 == 3 {
			r.Sampling.Temperature, r.Sampling.Seed = 1, uint64(i)
		}
		requests = append(requests, r)
	}
	var want [][]int
	for i, r := range requests {
		ids := answer(t, plain, r)
		want = append(want, ids)
		if i < 6 { // a second turn
			r.Prompt = slices.Concat(r.Prompt, ids, []int{10, 20, 30})
			requests = append(requests, r)
		}
	}
	for _, r := range requests[len(want):] {
		want = append(want, answer(t, plain, r))
	}
	longest := 0
	for _, r := range requests {
		longest = max(longest, r.capacity())
	}
	for name, c := range map[string]Config{
		"much memory": {PrefixCache: true, MaxBatchedTokens: 64},
		"little":      {PrefixCache: true, KVBytes: 2 * m.KVBytes(longest)},
	} {
		e := start(t, c)
		for range 2 {
			got := make([][]int, len(requests))
			var wg sync.WaitGroup
			for i, r := range requests {
				wg.Go(func() { got[i] = answer(t, e, r) })
			}
			wg.Wait()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-without a cache +with one):\n%s", name, diff)
			}
			e.prefixes.mu.Lock()
			if bytes := e.prefixes.bytes; bytes > e.config.KVBytes {
				t.Errorf("%s: %d bytes are kept, of %d", name, bytes, e.config.KVBytes)
			}
			e.prefixes.mu.Unlock()
		}
		// Together they may leave no memory for what has ended; one after the other they do.
		answer(t, e, requests[0])
		answer(t, e, requests[0])
		stats := e.PrefixCache()
		if stats.Hits == 0 || stats.Hits >= stats.Queries {
			t.Errorf("%s: %+v, want some hits", name, stats)
		}
		e.ResetPrefixCache()
		answer(t, e, requests[0])
		if after := e.PrefixCache(); after.Hits != stats.Hits || after.Queries != stats.Queries+uint64(len(requests[0].Prompt)) {
			t.Errorf("%s: %+v after %+v and a reset", name, after, stats)
		}
	}
	if plain.PrefixCache() != (CacheStats{}) {
		t.Errorf("without a cache: %+v", plain.PrefixCache())
	}
}
