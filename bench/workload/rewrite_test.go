package workload

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func frozen(t *testing.T) *Workload {
	t.Helper()
	w, err := Freeze(Spec{Set: builtin(t), Slices: 2, PerSlice: 3, Warmups: 1, Rate: 10, Burstiness: 1, MaxTokens: 4, Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRewrite: offsets and bodies change, and with them every hash.
func TestRewrite(t *testing.T) {
	w, before := frozen(t), frozen(t)
	err := w.Rewrite(Changes{
		Offsets: func(slice, n int) ([]time.Duration, error) {
			return []time.Duration{0, time.Duration(slice), time.Second}[:n], nil
		},
		Body: func([]byte) ([]byte, error) { return []byte("{}"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	item, ok := w.Item("s001-00001")
	if !ok || item.Offset != 1 || string(item.Body) != "{}" || item.BodyBytes != 2 || string(w.Warmup[0].Body) != "{}" {
		t.Errorf("item %+v, warm-up %q", item, w.Warmup[0].Body)
	}
	if w.Stats.SHA256 == before.Stats.SHA256 || w.SliceHash(0) == before.SliceHash(0) || w.SliceHash(0) == w.SliceHash(1) {
		t.Error("a hash is that of other requests")
	}
	if w.Stats.Items != 6 || w.Stats.Source != before.Stats.Source || w.Stats.RepeatImages != before.Stats.RepeatImages {
		t.Errorf("stats %+v, were %+v", w.Stats, before.Stats)
	}
}

func TestRewriteNothing(t *testing.T) {
	w, before := frozen(t), frozen(t)
	if err := w.Rewrite(Changes{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Stats, w.Stats); diff != "" || w.SliceHash(1) != before.SliceHash(1) {
		t.Errorf("a change of nothing changed (-before +after):\n%s", diff)
	}
}

func TestRewriteErrors(t *testing.T) {
	failing := errors.New("no such thing")
	for _, test := range []struct {
		why, want string
		changes   Changes
	}{
		{"too few offsets", "1 offsets for the 3", Changes{Offsets: func(int, int) ([]time.Duration, error) { return make([]time.Duration, 1), nil }}},
		{"offsets that cannot be had", "no such thing", Changes{Offsets: func(int, int) ([]time.Duration, error) { return nil, failing }}},
		{"a body that cannot be made", "s000-00000", Changes{Body: func([]byte) ([]byte, error) { return nil, failing }}},
	} {
		if err := frozen(t).Rewrite(test.changes); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.why, err, test.want)
		}
	}
}

func TestBodies(t *testing.T) {
	body := frozen(t).Slices[0][0].Body
	var chat struct {
		Messages []struct {
			Content []struct{ Text string }
		}
	}
	if err := json.Unmarshal(body, &chat); err != nil {
		t.Fatal(err)
	}
	merged, err := WithFields([]byte(`{"a":1,"b":[2]}`), map[string]json.RawMessage{"b": []byte(`{"c": "d"}`), "e": []byte("null")})
	if err != nil || string(merged) != `{"a":1,"b":{"c":"d"},"e":null}` {
		t.Errorf("merged %s, error %v", merged, err)
	}
	completion, err := AsCompletion(body)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(completion, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"model": "m", "prompt": chat.Messages[0].Content[0].Text, "max_tokens": 4.0, "temperature": 0.0, "stream": true,
		"stream_options": map[string]any{"include_usage": true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("completion (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "[]", "3"} {
		if _, err := WithFields([]byte(bad), nil); err == nil {
			t.Errorf("%q was taken for a body", bad)
		}
		if _, err := AsCompletion([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a chat request", bad)
		}
	}
}
