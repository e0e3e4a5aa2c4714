package workload

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/dataset"
	"siglab/chatapi"
)

func builtin(t *testing.T) *dataset.Set {
	t.Helper()
	set, err := dataset.OpenBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func small(t *testing.T, seed uint64) Spec {
	return Spec{Set: builtin(t), Slices: 3, PerSlice: 32, Warmups: 4, Rate: 10, Burstiness: 1, MaxTokens: 32, IgnoreEOS: true, Seed: seed, Model: "random:tiny"}
}

func freeze(t *testing.T, s Spec) *Workload {
	t.Helper()
	w, err := Freeze(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestFreeze(t *testing.T) {
	w := freeze(t, small(t, 1))
	if len(w.Slices) != 3 || len(w.Warmup) != 4 || len(w.Items()) != 96 || w.Stats.Items != 96 {
		t.Fatalf("%d slices, %d warm-ups, %d items, stats %+v", len(w.Slices), len(w.Warmup), len(w.Items()), w.Stats)
	}
	seen := map[string]bool{}
	for k, slice := range w.Slices {
		images := map[string]bool{}
		for i, item := range slice {
			if item.Slice != k || item.Index != i || seen[item.ID] || item.BodyBytes != len(item.Body) {
				t.Errorf("slice %d, item %d: %+v", k, i, item)
			}
			seen[item.ID], images[item.Image] = true, true
		}
		if last := slice[len(slice)-1].Offset; last != 3200*time.Millisecond {
			t.Errorf("slice %d: last arrival at %v, want 3.2s", k, last)
		}
		if len(images) < 16 {
			t.Errorf("slice %d has %d different images, want all", k, len(images))
		}
	}
	if got, ok := w.Item(w.Slices[2][5].ID); !ok || !cmp.Equal(got, w.Slices[2][5]) {
		t.Errorf("Item found %+v, %v", got, ok)
	}
	if _, ok := w.Item("nobody"); ok {
		t.Error("an unknown item was found")
	}
}

// TestBody has what the server will read.
func TestBody(t *testing.T) {
	w := freeze(t, small(t, 1))
	item := w.Slices[0][0]
	var body chatapi.ChatRequest
	if err := json.Unmarshal(item.Body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Model != "random:tiny" || *body.MaxCompletionTokens != 32 || *body.Temperature != 0 || !body.IgnoreEOS || !body.Stream || !body.StreamOptions.IncludeUsage {
		t.Errorf("body %+v", body)
	}
	parts := body.Messages[0].Content
	if len(parts) != 2 || parts[0].Text != item.Prompt || !strings.HasPrefix(parts[1].ImageURL.URL, "data:image/") {
		t.Errorf("parts: %.200v", parts)
	}
}

// TestSeed: the seed decides everything, and nothing else does.
func TestSeed(t *testing.T) {
	a, b, c := freeze(t, small(t, 1)), freeze(t, small(t, 1)), freeze(t, small(t, 2))
	if diff := cmp.Diff(a.Stats, b.Stats); diff != "" {
		t.Errorf("the same seed differs:\n%s", diff)
	}
	if a.SliceHash(0) != b.SliceHash(0) || a.SliceHash(0) == a.SliceHash(1) || a.Stats.SHA256 == c.Stats.SHA256 {
		t.Error("slice hashes do not tell slices and seeds apart")
	}
	rows := func(w *Workload) (prompts []string) {
		for _, item := range w.Items() {
			prompts = append(prompts, item.Prompt)
		}
		return prompts
	}
	if cmp.Equal(rows(a), rows(c)) {
		t.Error("another seed gave the same rows")
	}
	faster := small(t, 1)
	faster.Rate = 50
	if !cmp.Equal(rows(a), rows(freeze(t, faster))) {
		t.Error("another rate gave other rows")
	}
}

func TestRepeatedImages(t *testing.T) {
	w := freeze(t, small(t, 1))
	want := 0
	for _, slice := range w.Slices {
		seen := map[string]bool{}
		for _, item := range slice {
			if seen[item.ImageHash] {
				want++
			}
			seen[item.ImageHash] = true
		}
	}
	if got := w.Stats.RepeatImages * 96; got != float64(want) || want == 0 {
		t.Errorf("repeated images: %v of 96, want %d", got, want)
	}
}

func TestFreezeBadInput(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no slices", func(s *Spec) { s.Slices = 0 }, "0 slices"},
		{"no requests", func(s *Spec) { s.PerSlice = 0 }, "of 0 requests"},
		{"no rate", func(s *Spec) { s.Rate = 0 }, "rate 0"},
		{"no burstiness", func(s *Spec) { s.Burstiness = 0 }, "burstiness 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := small(t, 1)
			tt.change(&s)
			if _, err := Freeze(s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestFreezeFrozenSet: the rows of a frozen set are used in its order, then in a new
// one, and the warm-ups are not its first rows.
func TestFreezeFrozenSet(t *testing.T) {
	about := dataset.About{Name: "f", Examined: 40, Skipped: map[dataset.Reason]int{dataset.NoImage: 8}}
	spec := small(t, 1)
	rows := builtin(t).Rows()[:32]
	spec.Set = dataset.NewSet(about, rows, true)
	w := freeze(t, spec)
	var first, second, warm []string
	for i := range 32 {
		first, second = append(first, w.Slices[0][i].Prompt), append(second, w.Slices[1][i].Prompt)
		if w.Slices[0][i].Prompt != rows[i].Prompt {
			t.Errorf("request %d is not row %d", i, i)
		}
	}
	for _, item := range w.Warmup {
		warm = append(warm, item.Prompt)
	}
	if cmp.Equal(first, second) || cmp.Equal(first[:len(warm)], warm) {
		t.Error("the order of the set is used again")
	}
	if diff := cmp.Diff(map[string]int{"no image": 8}, w.Stats.SkippedRows); diff != "" || w.Stats.ExaminedRows != 40 || !strings.HasPrefix(w.Stats.Source, "f, sha256 ") {
		t.Errorf("stats %+v\n%s", w.Stats, diff)
	}
}

// TestWarmUpsCoverSizes: warm-ups have as many sizes of images as can be found.
func TestWarmUpsCoverSizes(t *testing.T) {
	set, err := dataset.OpenBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(5) {
		w, err := Freeze(Spec{Set: set, Slices: 1, PerSlice: 1, Warmups: 8, Rate: 10, Burstiness: 1, MaxTokens: 3, Seed: seed, Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		sizes := map[[2]int]bool{}
		for _, item := range w.Warmup {
			sizes[item.ImageSize] = true
		}
		if len(w.Warmup) != 8 || len(sizes) < 6 {
			t.Errorf("seed %d: %d warm-ups of %d sizes", seed, len(w.Warmup), len(sizes))
		}
	}
}

// TestBodiesAreShared: a row that is sent again costs no memory, also after its body
// was changed.
func TestBodiesAreShared(t *testing.T) {
	s := small(t, 1)
	s.PerSlice = 2 * len(s.Set.Deck(0, stream(1, 0)))
	w := freeze(t, s)
	check := func(when string) {
		at := map[string]*byte{}
		shared := 0
		for _, item := range w.Items() {
			first := &item.Body[0]
			if known, ok := at[item.BodyHash]; ok {
				shared++
				if known != first {
					t.Fatalf("%s, request %s has a copy of a body that was there", when, item.ID)
				}
			}
			at[item.BodyHash] = first
		}
		if shared == 0 {
			t.Errorf("%s, no body came twice: the test is not what it seems", when)
		}
	}
	check("frozen")
	err := w.Rewrite(Changes{Body: func(body []byte) ([]byte, error) { return append([]byte(nil), body...), nil }})
	if err != nil {
		t.Fatal(err)
	}
	check("rewritten")
}
