package serve

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"siglab/chatapi"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// start runs a server of the tiny model until the test ends.
func start(t *testing.T, change func(*Config)) (url string) {
	t.Helper()
	model, err := vlm.Open("random:tiny", vlm.Options{PosEmbed: posembed.BilinearGather, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Model: model, Version: "test"}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := s.engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
		model.Close()
	})
	return server.URL
}

// picture is a data URL of a small image of one color.
func picture(t testing.TB, c color.Color) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 * 30 {
		if i%3 > 0 {
			img.Set(i%40, i/40, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// body is a chat request of one text and images, with further fields.
func body(text string, images []string, fields string) string {
	parts := []map[string]any{{"type": "text", "text": text}}
	for _, url := range images {
		parts = append(parts, map[string]any{"type": "image_url", "image_url": map[string]string{"url": url}})
	}
	messages, _ := json.Marshal([]map[string]any{{"role": "user", "content": parts}})
	return fmt.Sprintf(`{"model":"random:tiny","messages":%s,"temperature":0%s}`, messages, fields)
}

func post(t *testing.T, url, body string) (status int, answer []byte) {
	t.Helper()
	r, err := http.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	answer, err = io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, answer
}

func complete(t *testing.T, url, body string) chatapi.ChatResponse {
	t.Helper()
	status, answer := post(t, url, body)
	var response chatapi.ChatResponse
	if err := json.Unmarshal(answer, &response); err != nil || status != 200 || len(response.Choices) != 1 {
		t.Fatalf("status %d, answer %s, error %v", status, answer, err)
	}
	return response
}

// chunks reads a streamed answer.
func chunks(t *testing.T, url, body string) (events []chatapi.ChatChunk, done bool) {
	t.Helper()
	status, answer := post(t, url, body)
	if status != 200 {
		t.Fatalf("status %d: %s", status, answer)
	}
	var parser chatapi.EventParser
	err := parser.Feed(answer, func(data []byte) {
		if string(data) == chatapi.DoneData {
			done = true
			return
		}
		var c chatapi.ChatChunk
		if err := json.Unmarshal(data, &c); err != nil {
			t.Error(err)
		}
		events = append(events, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, done
}

// TestStreamEqualsWhole: both forms give the same answer, and the stream has vLLM's
// shape: role, one event per token, usage, end.
func TestStreamEqualsWhole(t *testing.T) {
	url := start(t, nil)
	red := picture(t, color.RGBA{200, 30, 30, 255})
	whole := complete(t, url, body("What is this?", []string{red}, `,"max_tokens":16,"ignore_eos":true`))
	events, done := chunks(t, url, body("What is this?", []string{red}, `,"max_completion_tokens":16,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}`))
	if !done || len(events) != 18 {
		t.Fatalf("%d events, done %v; want role, 16 tokens and usage", len(events), done)
	}
	if d := events[0].Choices[0].Delta; d.Role != "assistant" || *d.Content != "" {
		t.Errorf("first event %+v", d)
	}
	text := ""
	for _, e := range events[1:17] {
		text += *e.Choices[0].Delta.Content
	}
	last := events[16].Choices[0]
	if text != whole.Choices[0].Message.Content || text == "" || *last.FinishReason != "length" || *whole.Choices[0].FinishReason != "length" {
		t.Errorf("stream %q, whole %q", text, whole.Choices[0].Message.Content)
	}
	usage := events[17].Usage
	plain := whole.Usage
	plain.PromptTokensDetails, plain.CompletionTokensDetails = nil, nil
	if *usage != plain || usage.CompletionTokens != 16 || usage.PromptTokens < 144 || len(events[17].Choices) != 0 {
		t.Errorf("usage %+v, whole %+v", usage, whole.Usage)
	}
}

// TestImagesMatter: other images, other answers.
func TestImagesMatter(t *testing.T) {
	url := start(t, nil)
	answers := map[string]bool{}
	for _, c := range []color.RGBA{{255, 0, 0, 255}, {0, 0, 255, 255}, {240, 240, 20, 255}} {
		r := complete(t, url, body("What is this?", []string{picture(t, c)}, `,"max_tokens":24,"ignore_eos":true`))
		answers[r.Choices[0].Message.Content] = true
	}
	if len(answers) < 2 {
		t.Errorf("three images, one answer: %v", answers)
	}
}

func TestStopString(t *testing.T) {
	url := start(t, nil)
	whole := complete(t, url, body("Tell me.", nil, `,"max_tokens":24,"ignore_eos":true`)).Choices[0].Message.Content
	stop, err := json.Marshal(whole[len(whole)/2 : len(whole)/2+2])
	if err != nil {
		t.Fatal(err)
	}
	r := complete(t, url, body("Tell me.", nil, `,"max_tokens":24,"ignore_eos":true,"stop":`+string(stop)))
	got := r.Choices[0]
	if *got.FinishReason != "stop" || got.StopReason == nil || !strings.HasPrefix(whole, got.Message.Content) || len(got.Message.Content) > len(whole)/2 {
		t.Errorf("with stop %s: %q (%v), without: %q", stop, got.Message.Content, got.StopReason, whole)
	}
}

func TestLogprobs(t *testing.T) {
	url := start(t, nil)
	r := complete(t, url, body("Hello", nil, `,"max_tokens":3,"ignore_eos":true,"logprobs":true,"top_logprobs":2`))
	content := r.Choices[0].Logprobs.Content
	text := ""
	for _, c := range content {
		text += c.Token
		if len(c.TopLogprobs) != 2 || c.TopLogprobs[0].Logprob < c.TopLogprobs[1].Logprob || c.TopLogprobs[0].Token != c.Token || c.Logprob > 0 {
			t.Errorf("entry %+v", c)
		}
	}
	if len(content) != 3 || text != r.Choices[0].Message.Content {
		t.Errorf("%d entries spell %q, the answer is %q", len(content), text, r.Choices[0].Message.Content)
	}
}

func TestErrors(t *testing.T) {
	url := start(t, nil)
	good := picture(t, color.White)
	truncated := good[:len(good)-80]
	tests := []struct {
		name   string
		body   string
		status int
		kind   string
		want   string
	}{
		{"not JSON", `{"model":`, 400, "Bad Request", "not valid JSON"},
		{"another kind of JSON", `[]`, 400, "Bad Request", "body must be an object, got array"},
		{"a field of another type", `{"max_tokens":"x"}`, 400, "Bad Request", "body.max_tokens must be an integer"},
		{"another one, deeper", `{"temperature":"x"}`, 400, "Bad Request", "body.temperature must be a number"},
		{"no messages", `{"model":"random:tiny"}`, 400, "Bad Request", "body.messages"},
		{"an empty conversation", `{"messages":[]}`, 400, "BadRequestError", "at least one message"},
		{"an unknown model", `{"model":"gpt-9","messages":[]}`, 404, "NotFoundError", "`gpt-9` does not exist"},
		{"an unknown role", `{"messages":[{"role":"robot","content":"x"}]}`, 400, "BadRequestError", `"robot"`},
		{"a video", `{"messages":[{"role":"user","content":[{"type":"video_url"}]}]}`, 400, "BadRequestError", "At most 0 video"},
		{"an unknown part", `{"messages":[{"role":"user","content":[{"type":"smell"}]}]}`, 400, "BadRequestError", `"smell"`},
		{"no tokens wanted", body("x", nil, `,"max_tokens":0`), 400, "BadRequestError", "at least 1"},
		{"more than the context", body("x", nil, `,"max_tokens":5000`), 400, "BadRequestError", "max_model_len=2048"},
		{"prompt and answer together too long", body("x", nil, `,"max_tokens":2047`), 400, "BadRequestError", "maximum context length"},
		{"a prompt too long", body(strings.Repeat("€", 3000), nil, ""), 400, "BadRequestError", "maximum context length"},
		{"a negative temperature", `{"messages":[{"role":"user","content":"x"}],"temperature":-3}`, 400, "BadRequestError", "non-negative"},
		{"too many images", body("x", []string{good, good, good, good, good}, ""), 400, "BadRequestError", "At most 4"},
		{"bad base64", body("x", []string{"data:image/png;base64,@@@"}, ""), 400, "BadRequestError", "base64"},
		{"not an image", body("x", []string{"data:image/png;base64,aGVsbG8="}, ""), 400, "BadRequestError", "Failed to load image"},
		{"a truncated image", body("x", []string{truncated}, ""), 400, "BadRequestError", "Failed to load image"},
		{"a URL to fetch", body("x", []string{"http://127.0.0.1/x.png"}, ""), 400, "BadRequestError", "data URL"},
		{"n", body("x", nil, `,"n":2`), 400, "BadRequestError", "n must be 1"},
		{"an empty stop string", body("x", nil, `,"stop":[""]`), 400, "BadRequestError", "empty"},
		{"top_logprobs without logprobs", body("x", nil, `,"top_logprobs":2`), 400, "BadRequestError", "logprobs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, streamed := range []string{tt.body, strings.Replace(tt.body, `{`, `{"stream":true,`, 1)} {
				status, answer := post(t, url, streamed)
				var e chatapi.ErrorResponse
				if err := json.Unmarshal(answer, &e); err != nil || status != tt.status || e.Error.Code != tt.status || e.Error.Type != tt.kind || !strings.Contains(e.Error.Message, tt.want) {
					t.Errorf("status %d, answer %s; want %d with %q", status, answer, tt.status, tt.want)
				}
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	url := start(t, nil)
	tests := []struct {
		method, route string
		status        int
		want          string
	}{
		{"GET", "/health", 200, `^$`},
		{"GET", "/version", 200, `"version":"siglab test"`},
		{"GET", "/v1/models", 200, `"id":"random:tiny".*"max_model_len":2048`},
		{"POST", "/reset_prefix_cache", 200, `"success":true`},
		{"POST", "/reset_mm_cache", 200, `^$`},
		{"POST", "/reset_encoder_cache", 200, `^$`},
		{"GET", "/reset_mm_cache", 405, `MethodNotAllowedError`},
		{"GET", "/v1/chat/completions", 405, `use POST`},
		{"GET", "/v1/nothing", 404, `NotFoundError`},
	}
	for _, tt := range tests {
		request, err := http.NewRequest(tt.method, url+tt.route, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || r.StatusCode != tt.status || !regexp.MustCompile(tt.want).Match(got) {
			t.Errorf("%s %s: status %d, answer %s, error %v", tt.method, tt.route, r.StatusCode, got, err)
		}
	}
}

// TestMetrics sends two requests and reads what they left.
func TestMetrics(t *testing.T) {
	url := start(t, nil)
	for range 2 {
		complete(t, url, body("x", []string{picture(t, color.White)}, `,"max_tokens":5,"ignore_eos":true`))
	}
	const idle = `vllm:num_requests_running{engine="0",model_name="random:tiny"} 0`
	text := scrape(t, url)
	// The last token is on its way before the engine has cleaned up behind it.
	for begun := time.Now(); !strings.Contains(text, idle+"\n") && time.Since(begun) < 10*time.Second; {
		text = scrape(t, url)
	}
	for _, want := range []string{
		`vllm:time_to_first_token_seconds_count{engine="0",model_name="random:tiny"} 2`,
		`vllm:inter_token_latency_seconds_count{engine="0",model_name="random:tiny"} 8`,
		`vllm:e2e_request_latency_seconds_count{engine="0",model_name="random:tiny"} 2`,
		`vllm:generation_tokens_total{engine="0",model_name="random:tiny"} 10`,
		`vllm:request_success_total{engine="0",finished_reason="length",model_name="random:tiny"} 2`,
		`siglab:pos_embed_resample_total{from="8x8",mode="bilinear",to="12x12"} 2`,
		`siglab:pos_embed_resample_seconds_count{mode="bilinear"} 2`,
		`siglab:encoder_seconds_count 2`,
		`siglab:pos_embed_cache_total{cache="plans",outcome="miss"} 0`,
		idle,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// scrape is what the server's /metrics says.
func scrape(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInjectDelay: the delay counts into the server's own TTFT and holds up only
// its own request.
func TestInjectDelay(t *testing.T) {
	const delay = 60 * time.Millisecond
	url := start(t, func(c *Config) { c.InjectDelay = delay })
	begun := time.Now()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { complete(t, url, body("x", nil, `,"max_tokens":1`)) })
	}
	wg.Wait()
	if took := time.Since(begun); took < delay {
		t.Errorf("four delayed requests took %v", took)
	}
	var sum float64
	line := regexp.MustCompile(`vllm:time_to_first_token_seconds_sum\S* (\S+)`).FindStringSubmatch(scrape(t, url))
	if line == nil {
		t.Fatal("no sum of TTFT")
	}
	if _, err := fmt.Sscan(line[1], &sum); err != nil || sum < 4*delay.Seconds() {
		t.Errorf("sum of four TTFT %v s, error %v", sum, err)
	}
}

// TestDebugLine is the seed's proof that the fast path ran.
func TestDebugLine(t *testing.T) {
	var log syncBuffer
	url := start(t, func(c *Config) { c.DebugSiglip, c.Log = true, &log })
	complete(t, url, body("x", []string{picture(t, color.White)}, `,"max_tokens":1`))
	if want := "[SIGLIP] fast_interpolate called: h=12, w=12\n"; !strings.Contains(log.String(), want) {
		t.Errorf("log %q has no line %q", log.String(), want)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestRunDrains: at the end of the context a running answer is finished, and no new
// connection is taken.
func TestRunDrains(t *testing.T) {
	model, err := vlm.Open("random:tiny", vlm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Model: model, InjectDelay: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	url := "http://" + l.Addr().String()
	answered := make(chan chatapi.ChatResponse, 1)
	go func() { answered <- complete(t, url, body("x", nil, `,"max_tokens":4,"ignore_eos":true`)) }()
	time.Sleep(50 * time.Millisecond) // the request is in its delay
	cancel()
	if r := <-answered; r.Usage.CompletionTokens != 4 {
		t.Errorf("the running request got %+v", r.Usage)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := http.Get(url + "/health"); err == nil {
		t.Error("the server still answers")
	}
}

// TestRunDrainsHalfBodies: the end does not wait for bodies that do not come, but for
// those that are on their way.
func TestRunDrainsHalfBodies(t *testing.T) {
	model, err := vlm.Open("random:tiny", vlm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	request := body("x", nil, `,"max_tokens":4,"ignore_eos":true`)
	send := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", chatRoute, len(request), request[:5]); err != nil {
			t.Fatal(err)
		}
		return c
	}
	never, late := send(), send()
	eventually(t, "two requests", func() bool { return s.requests.Load() == 2 })
	cancel()
	<-s.draining.Done()
	if _, err := io.WriteString(late, request[5:]); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[net.Conn]string{late: "HTTP/1.1 200", never: "HTTP/1.1 503"} {
		if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), want) {
			t.Errorf("answer %.300q, error %v, want %s", answer, err, want)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
