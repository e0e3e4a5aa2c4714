package chatapi

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrompt(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       Prompt
		fails      bool
	}{
		{"a text", `"hi"`, Prompt{Text: "hi", Many: 1}, false},
		{"tokens", `[1,2]`, Prompt{Tokens: []int{1, 2}, Many: 1}, false},
		{"a list of one text", `["hi"]`, Prompt{Text: "hi", Many: 1}, false},
		{"a list of texts", `["hi","ho"]`, Prompt{Text: "hi", Many: 2}, false},
		{"lists of tokens", `[[1],[2],[3]]`, Prompt{Tokens: []int{1}, Many: 3}, false},
		{"an empty list", `[]`, Prompt{Tokens: []int{}, Many: 1}, false},
		{"nothing", `null`, Prompt{}, false},
		{"a number", `5`, Prompt{}, true},
		{"a mixture", `["hi",5]`, Prompt{}, true},
		{"fractions", `[1.5]`, Prompt{}, true},
	} {
		var got Prompt
		err := json.Unmarshal([]byte(tt.body), &got)
		if (err != nil) != tt.fails {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestNull: it is null when written, and ignores what other servers have there.
func TestNull(t *testing.T) {
	var u Usage
	err := json.Unmarshal([]byte(`{"prompt_tokens":1,"total_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":null}`), &u)
	if err != nil || u.TotalTokens != 3 || u.PromptTokensDetails == nil || u.CompletionTokensDetails != nil {
		t.Errorf("%+v, error %v", u, err)
	}
	data, err := json.Marshal(u)
	if want := `{"prompt_tokens":1,"total_tokens":3,"completion_tokens":2,"prompt_tokens_details":null}`; err != nil || string(data) != want {
		t.Errorf("%s, error %v, want %s", data, err, want)
	}
}

func FuzzCompletionRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","prompt":[[1,2],[3]],"logprobs":1}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		var r CompletionRequest
		_ = json.Unmarshal(body, &r) // any outcome but a panic
	})
}
