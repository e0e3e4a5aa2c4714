package secret

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTextCannotBePrinted: also not as part of something else, or by a wrong verb.
func TestTextCannotBePrinted(t *testing.T) {
	const kept = "s3cret"
	type holder struct {
		Name string
		Text Text
		Ptr  *Text
		Map  map[Text]Text
	}
	text := New(kept)
	h := holder{"n", text, &text, map[Text]Text{text: text}}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "text", text, "holder", h)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "text", text, "holder", h)
	printed := []string{logged.String(), fmt.Sprint(text, h), fmt.Errorf("%w", fmt.Errorf("%v", h)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%z", "%10.3s", "%t", "%p"} {
		printed = append(printed, fmt.Sprintf(verb, text), fmt.Sprintf(verb, h), fmt.Sprintf(verb, []Text{text}))
	}
	for _, encode := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		for _, value := range []any{text, &text, []Text{text}} {
			data, err := encode(value)
			if err != nil {
				t.Fatal(err)
			}
			printed = append(printed, string(data))
		}
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range append(printed, string(data)) {
		if strings.Contains(out, kept) || strings.Contains(out, fmt.Sprintf("%x", kept)) {
			t.Errorf("a secret is in %q", out)
		}
	}
	if text.Reveal() != kept {
		t.Errorf("Reveal gives %q", text.Reveal())
	}
}

func TestVariable(t *testing.T) {
	for _, test := range []struct{ why, name, value, want string }{
		{"a setting", "VLLM_USE_V1", "1", "1"},
		{"a token", "HF_TOKEN", "x", Hidden},
		{"a URL with a password", "HF_ENDPOINT", "https://me:pw@host/a", "https://" + Hidden + "@host/a"},
	} {
		if got := Variable(test.name, New(test.value)); got != test.want {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
	}
}

// TestHideIn: a recorded command line tells what was asked for, and no secret.
func TestHideIn(t *testing.T) {
	for _, test := range []struct {
		why        string
		args, want []string
	}{
		{"what is no secret stays", []string{"siglab", "bench", "--max-tokens", "32", "--seed=3", "--primary", "median_ttft_ms"}, []string{"siglab", "bench", "--max-tokens", "32", "--seed=3", "--primary", "median_ttft_ms"}},
		{"headers keep their names", []string{"--header", "A=b", "C=d", "--qps", "3"}, []string{"--header", "A=[hidden]", "C=[hidden]", "--qps", "3"}},
		{"a header in one word", []string{"--header=A=b"}, []string{"--header=A=[hidden]"}},
		{"a key as an option", []string{"vllm", "serve", "--api-key", "s3", "--port", "1"}, []string{"vllm", "serve", "--api-key", "[hidden]", "--port", "1"}},
		{"a key as an option, in one word", []string{"--api-key=s3"}, []string{"--api-key=[hidden]"}},
		{"keys within a command", []string{"--command", "a=HF_TOKEN='s 3' vllm serve --api-key s3 --max-tokens 5"}, []string{"--command", "a=HF_TOKEN=[hidden] vllm serve --api-key [hidden] --max-tokens 5"}},
		{"a variable", []string{"HF_TOKEN=s3", "X=y"}, []string{"HF_TOKEN=[hidden]", "X=y"}},
	} {
		if diff := cmp.Diff(test.want, HideIn(test.args)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
	}
}
