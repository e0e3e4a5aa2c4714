package serve

import (
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"net/http"
	"strings"
	"testing"

	"siglab/chatapi"
	"siglab/engine/vlm"
)

// answered is the only choice of an answer to a question with these fields.
func answered(t *testing.T, url, fields string) chatapi.Choice {
	t.Helper()
	return complete(t, url, body("Tell me.", nil, `,"ignore_eos":true`+fields)).Choices[0]
}

// TestParameters: what each parameter does to an answer, seen from outside.
func TestParameters(t *testing.T) {
	url := start(t, nil)
	plain := answered(t, url, `,"max_tokens":24,"logprobs":true`)
	text := plain.Message.Content
	if len(text) < 12 {
		t.Fatalf("the greedy answer %q is too short for this test", text)
	}
	middle := text[8:11]
	stop := fmt.Sprintf(`,"stop":%q`, middle)
	at := strings.Index(text, middle)
	number := 300.0 // of a token, as JSON has it
	for _, tt := range []struct {
		name, fields string
		want         string // "": any other answer than the greedy one
		reason       any
		finish       string
	}{
		{"nothing", ``, text, nil, "length"},
		{"a seed at temperature 0", `,"seed":7`, text, nil, "length"},
		{"top-k of one at a temperature", `,"temperature":1,"top_k":1`, text, nil, "length"},
		{"a tiny top-p", `,"temperature":1,"top_p":1e-9`, text, nil, "length"},
		{"a min-p of one", `,"temperature":1,"min_p":1`, text, nil, "length"},
		{"a temperature and a seed", `,"temperature":2,"seed":7`, "", nil, "length"},
		{"penalties", `,"presence_penalty":-2,"frequency_penalty":-2`, "", nil, "length"},
		{"a repetition penalty", `,"repetition_penalty":5`, "", nil, "length"},
		{"defaults by name", `,"top_k":-1,"top_p":1,"min_p":0,"n":1,"presence_penalty":0,"repetition_penalty":1,"logit_bias":null,"stop":null,"user":"x","unknown":{}`, text, nil, "length"},
		{"a stop string", stop, text[:at], middle, "stop"},
		{"a stop string that stays", stop + `,"include_stop_str_in_output":true`, text[:at] + middle, middle, "stop"},
		{"a stop string before the least length", stop + `,"min_tokens":24`, text, nil, "length"},
	} {
		got := answered(t, url, `,"max_tokens":24`+tt.fields)
		if tt.want != "" && got.Message.Content != tt.want || tt.want == "" && got.Message.Content == text || *got.FinishReason != tt.finish || got.StopReason != tt.reason {
			t.Errorf("%s: %q (%s, %v), want %q (%s, %v)", tt.name, got.Message.Content, *got.FinishReason, got.StopReason, tt.want, tt.finish, tt.reason)
		}
	}
	if got := answered(t, url, fmt.Sprintf(`,"max_tokens":9,"logit_bias":{"%v":100},"stop_token_ids":[%v]`, number, number)); got.StopReason != number || got.Message.Content != "" {
		t.Errorf("a stop token that a bias brings: %q, reason %v, want nothing and %v", got.Message.Content, got.StopReason, number)
	}
}

// TestSeeds: a seed decides a sampled answer, alone or with others.
func TestSeeds(t *testing.T) {
	url := start(t, nil)
	fields := `,"max_tokens":16,"temperature":1.5,"top_p":0.9,"seed":%d`
	alone := make([]string, 6)
	for i := range alone {
		alone[i] = answered(t, url, fmt.Sprintf(fields, i)).Message.Content
	}
	together := make([]string, len(alone))
	done := make(chan bool)
	for i := range together {
		go func() {
			together[i] = answered(t, url, fmt.Sprintf(fields, i)).Message.Content
			done <- true
		}()
	}
	for range together {
		<-done
	}
	different := map[string]bool{}
	for i := range alone {
		different[alone[i]] = true
		if alone[i] != together[i] {
			t.Errorf("seed %d: alone %q, with others %q", i, alone[i], together[i])
		}
	}
	if len(different) < 2 {
		t.Errorf("six seeds, one answer: %q", alone[0])
	}
}

// TestRefused: what would change an answer and is not supported is refused by name.
func TestRefused(t *testing.T) {
	url := start(t, nil)
	for field, value := range map[string]string{
		"tools": `[{"type":"function"}]`, "response_format": `{"type":"json_object"}`, "structured_outputs": `{"regex":"x"}`, "chat_template": `"x"`,
		"continue_final_message": `true`, "echo": `true`, "suffix": `"x"`, "best_of": `2`, "use_beam_search": `true`, "prompt_logprobs": `1`,
		"prompt_embeds": `"x"`, "allowed_token_ids": `[1]`, "bad_words": `["x"]`, "truncate_prompt_tokens": `5`, "return_token_ids": `true`,
		"return_tokens_as_token_ids": `true`, "mm_processor_kwargs": `{"size":5}`, "n": `2`, "top_p": `0`, "repetition_penalty": `0`,
		"min_tokens": `-1`, "logit_bias": `{"5000":1}`, "stop_token_ids": `[-1]`, "top_k": `-2`, "min_p": `1.5`, "top_logprobs": `21,"logprobs":true`,
	} {
		status, answer := post(t, url, body("x", nil, `,"max_tokens":2,"`+field+`":`+value))
		var e chatapi.ErrorResponse
		if err := json.Unmarshal(answer, &e); err != nil || status != 400 || e.Error.Param == nil || *e.Error.Param != field || !strings.Contains(e.Error.Message, field) && field != "top_logprobs" && field != "stop_token_ids" {
			t.Errorf("%s: status %d, answer %s", field, status, answer)
		}
	}
}

// TestImageURLs: where fetching is allowed, private addresses still are not.
func TestImageURLs(t *testing.T) {
	url := start(t, func(c *Config) { c.AllowImageURLs = true })
	for image, want := range map[string]struct {
		status  int
		message string
	}{
		url + "/health":     {422, "not a public one"},
		"http://[::1]/x":    {422, "not a public one"},
		"file:///etc/hosts": {400, "local files"},
	} {
		status, answer := post(t, url, body("x", []string{image}, ""))
		if status != want.status || !strings.Contains(string(answer), want.message) {
			t.Errorf("%s: status %d, answer %s, want %d with %q", image, status, answer, want.status, want.message)
		}
	}
}

// call sends a body to a route and decodes the answer.
func call(t *testing.T, url, request string, answer any) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err == nil && answer != nil {
		err = json.Unmarshal(data, answer)
	}
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("status %d, answer %s, error %v", r.StatusCode, data, err)
	}
}

// TestTokenize: tokens and text are each other's, and a conversation's tokens are
// those that its answer counts.
func TestTokenize(t *testing.T) {
	url, white := start(t, nil), picture(t, color.White)
	var tokens chatapi.TokenizeResponse
	call(t, url+"/tokenize", `{"prompt":"Grüße, 世界","return_token_strs":true}`, &tokens)
	list, _ := json.Marshal(tokens.Tokens)
	var text chatapi.DetokenizeResponse
	call(t, url+"/detokenize", `{"tokens":`+string(list)+`}`, &text)
	if text.Prompt != "Grüße, 世界" || tokens.Count != len(tokens.Tokens) || len(tokens.TokenStrs) != tokens.Count || tokens.MaxModelLen != 2048 {
		t.Errorf("text %q of %+v", text.Prompt, tokens)
	}
	request := body("What is this?", []string{white}, `,"max_tokens":1`)
	call(t, url+"/tokenize", request, &tokens)
	usage := complete(t, url, request).Usage
	open := complete(t, url, body("What is this?", []string{white}, `,"max_tokens":1,"add_generation_prompt":false`)).Usage
	if tokens.Count != usage.PromptTokens || open.PromptTokens >= usage.PromptTokens {
		t.Errorf("tokenize says %d, the answer %d, without the begin of a turn %d", tokens.Count, usage.PromptTokens, open.PromptTokens)
	}
}

// TestDetokenizeSpecial: special tokens come back by name, as from vLLM.
func TestDetokenizeSpecial(t *testing.T) {
	model, err := vlm.Open("../vlm/testdata/llava_qwen2_layers", vlm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	url := start(t, func(c *Config) { c.Model.Close(); c.Model = model })
	var text chatapi.DetokenizeResponse
	call(t, url+"/detokenize", `{"tokens":[258,65,256,257]}`, &text)
	if want := "<bos>b<image><eos>"; text.Prompt != want {
		t.Errorf("text %q, want %q", text.Prompt, want)
	}
}

// TestEncoderCache: the same picture is encoded once, until a route empties the
// cache; the answers are the same.
func TestEncoderCache(t *testing.T) {
	url := start(t, func(c *Config) { c.Engine.EncoderCache = 1 << 20 })
	request := body("What is this?", []string{picture(t, color.White)}, `,"max_tokens":8,"ignore_eos":true`)
	answers := map[string]bool{}
	for i := range 6 {
		answers[complete(t, url, request).Choices[0].Message.Content] = true
		switch i {
		case 1:
			call(t, url+"/reset_mm_cache", "", nil)
		case 3:
			call(t, url+"/reset_encoder_cache", "", nil)
		}
	}
	r, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"vllm:mm_cache_queries_total{engine=\"0\",model_name=\"random:tiny\"} 6\n", "vllm:mm_cache_hits_total{engine=\"0\",model_name=\"random:tiny\"} 3\n", "siglab:encoder_seconds_count 3\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no line %q", want)
		}
	}
	if len(answers) != 1 {
		t.Errorf("answers %v", answers)
	}
}

// TestPrefixCache: what a prompt has in common with one before is not computed again,
// until a route empties the cache, and never where the image is another; the answers are
// those of a server without.
func TestPrefixCache(t *testing.T) {
	url, plain := start(t, func(c *Config) { c.Engine.PrefixCache = true }), start(t, nil)
	counts := func() (queries, hits float64) {
		for name, value := range map[string]*float64{"vllm:prefix_cache_queries_total": &queries, "vllm:prefix_cache_hits_total": &hits} {
			r, err := http.Get(url + "/metrics")
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r.Body)
			_ = r.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			_, line, ok := strings.Cut(string(text), "\n"+name+"{")
			if _, err := fmt.Sscan(line[strings.Index(line, " "):strings.Index(line, "\n")], value); err != nil || !ok {
				t.Fatal(name, err)
			}
		}
		return queries, hits
	}
	white, black := picture(t, color.White), picture(t, color.Black)
	fields := `,"max_tokens":8,"ignore_eos":true`
	hits, last := 0.0, 0.0
	for i, tt := range []struct {
		images []string
		reset  bool
		hit    bool
	}{
		{[]string{white}, false, false},
		{[]string{white}, false, true},
		{[]string{white, black}, false, true},
		{[]string{black}, false, false},
		{[]string{black, white}, false, true},
		{[]string{white}, true, false},
		{[]string{white}, false, true},
	} {
		if tt.reset {
			call(t, url+"/reset_prefix_cache", "", nil)
		}
		request := body("What is this?", tt.images, fields)
		got, want := complete(t, url, request), complete(t, plain, request)
		if got.Choices[0].Message.Content != want.Choices[0].Message.Content {
			t.Errorf("request %d: %q, without a cache %q", i, got.Choices[0].Message.Content, want.Choices[0].Message.Content)
		}
		if _, hits = counts(); (hits-last >= 100) != tt.hit {
			t.Errorf("request %d: %v of %d tokens were there", i, hits-last, want.Usage.PromptTokens)
		}
		last = hits
	}
}
